//! What happens to a registration after it was placed: how far a hold can be extended, what approving and changing
//! leave behind, until when buyers may act for themselves, and where they came from.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000018_changes", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        // Where somebody came from is the organizer's to know: no policy for attendees.
        Fence::tenant("registration_sources")
            .verbs("select, insert")
            .member_reads("registrations:read")
            .touched()
            .up(),
    ]
    .concat()
}

const TABLES: &str = r#"
alter table events
  add column hold_extension_seconds integer not null default 900,
  add column pending_keeps_stock boolean not null default true,
  add column payment_due_hours integer not null default 72,
  -- Minutes before the date begins; null: buyers may not at all.
  add column changes_close_minutes integer default 0,
  add column transfers_close_minutes integer default 0,
  add column cancellation_closes_minutes integer default 0,
  add column one_per_person boolean not null default false,
  add constraint events_hold_extension_range check (hold_extension_seconds between 0 and 86400),
  add constraint events_payment_due_range check (payment_due_hours between 1 and 8760),
  add constraint events_changes_close_range check (changes_close_minutes between 0 and 525600),
  add constraint events_transfers_close_range check (transfers_close_minutes between 0 and 525600),
  add constraint events_cancellation_closes_range check (cancellation_closes_minutes between 0 and 525600);

create table registration_sources (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  -- sha256 of all that follows: addresses are too long for a key of their own.
  fingerprint bytea not null,
  utm_source text collate "C",
  utm_medium text collate "C",
  utm_campaign text collate "C",
  utm_term text collate "C",
  utm_content text collate "C",
  affiliate text collate "C",
  referrer text collate "C",
  landing_url text collate "C",
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint registration_sources_fingerprint_key unique (org_id, fingerprint),
  constraint registration_sources_lengths check (
    char_length(utm_source) <= 200
    and char_length(utm_medium) <= 200
    and char_length(utm_campaign) <= 200
    and char_length(utm_term) <= 200
    and char_length(utm_content) <= 200
    and char_length(affiliate) <= 200
    and char_length(referrer) <= 1000
    and char_length(landing_url) <= 1000
  )
);
create index registration_sources_created_idx on registration_sources (org_id, created_at, id);
create index registration_sources_utm_source_idx on registration_sources (org_id, utm_source, id);
create index registration_sources_utm_medium_idx on registration_sources (org_id, utm_medium, id);
create index registration_sources_utm_campaign_idx on registration_sources (org_id, utm_campaign, id);
create index registration_sources_affiliate_idx on registration_sources (org_id, affiliate, id);

alter table registrations
  add column source_id uuid,
  add column approved_at timestamptz,
  add column rejected_at timestamptz,
  add column reject_reason text,
  -- Set while it waits for approval in an event that sells such places on meanwhile.
  add column waits_without_stock boolean not null default false,
  -- What changes after the confirmation have added to the total, or taken from it.
  add column balance_minor bigint not null default 0,
  add constraint registrations_source_fk foreign key (org_id, source_id)
    references registration_sources (org_id, id),
  add constraint registrations_waits_by_status check (not waits_without_stock or status = 'pending_approval');
create index registrations_source_idx on registrations (source_id, placed_at, id) where source_id is not null;

alter table registration_items
  add column cancelled_at timestamptz;
"#;

const DOWN: &str = "
alter table registration_items drop column cancelled_at;
alter table registrations
  drop column balance_minor,
  drop column waits_without_stock,
  drop column reject_reason,
  drop column rejected_at,
  drop column approved_at,
  drop column source_id;
drop table registration_sources;
alter table events
  drop column one_per_person,
  drop column cancellation_closes_minutes,
  drop column transfers_close_minutes,
  drop column changes_close_minutes,
  drop column payment_due_hours,
  drop column pending_keeps_stock,
  drop column hold_extension_seconds;
";
