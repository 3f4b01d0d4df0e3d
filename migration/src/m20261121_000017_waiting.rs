//! Places that are set aside: holds of staff, the queue of those who wait with the offers made to them, and what codes
//! reserve.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000017_waiting", up(), DOWN.to_owned());

/// See `OF_VISIBLE_REGISTRATION` of the registrations: gathered once a statement.
const OF_VISIBLE_ENTRY: &str = "entry_id = any (array(select w.id from waitlist_entries w))";

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("stock_holds")
            .verbs("select, insert, update, delete")
            .member_reads("registrations:read")
            .touched()
            .up(),
        Fence::tenant("hold_secrets")
            .verbs("select, insert, update, delete")
            .up(),
        // Guest secrets open entries of the waitlist as they open registrations.
        Fence::tenant("waitlist_entries")
            .verbs("select, insert, update")
            .member_reads("registrations:read")
            .attendees_see(
                "user_id = (select es.current_user_id()) \
                 or id = any ((select es.guest_registrations())::uuid[])",
            )
            .touched()
            .up(),
        Fence::tenant("waitlist_lines")
            .verbs("select, insert")
            .member_reads("registrations:read")
            .attendees_see(OF_VISIBLE_ENTRY)
            .touched()
            .up(),
        Fence::tenant("waitlist_secrets")
            .verbs("select, insert, delete")
            .up(),
        Fence::tenant("waitlist_offers")
            .verbs("select, insert, update")
            .member_reads("registrations:read")
            .attendees_see(OF_VISIBLE_ENTRY)
            .touched()
            .up(),
        CLAIMANTS.to_owned(),
        FOLLOW_CODE.to_owned(),
    ]
    .concat()
}

const TABLES: &str = r#"
alter table events
  add column waitlist boolean not null default true,
  add column waitlist_offer_seconds integer not null default 86400
    constraint events_waitlist_offer_seconds_range check (waitlist_offer_seconds between 60 and 2592000);

create table stock_holds (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  occurrence_id uuid,
  ticket_type_id uuid,
  pool_id uuid,
  name text not null,
  note text not null default '',
  quantity integer not null,
  sold integer not null default 0,
  status text not null default 'active'
    constraint stock_holds_status check (status in ('active', 'released', 'expired')),
  expires_at timestamptz,
  ended_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  constraint stock_holds_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint stock_holds_occurrence_fk foreign key (org_id, event_id, occurrence_id)
    references occurrences (org_id, event_id, id),
  constraint stock_holds_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id),
  constraint stock_holds_pool_fk foreign key (org_id, event_id, pool_id)
    references capacity_pools (org_id, event_id, id),
  constraint stock_holds_of_type_or_pool check (num_nonnulls(ticket_type_id, pool_id) = 1),
  -- The pools of a ticket type depend on the date.
  constraint stock_holds_type_at_date check (ticket_type_id is null or occurrence_id is not null),
  constraint stock_holds_name_length check (char_length(name) between 1 and 200),
  constraint stock_holds_note_length check (char_length(note) <= 2000),
  constraint stock_holds_quantity_range check (quantity between 1 and 1000000 and sold between 0 and quantity),
  constraint stock_holds_end check ((status = 'active') = (ended_at is null))
);
create index stock_holds_event_idx on stock_holds (event_id, created_at, id);
create index stock_holds_org_created_idx on stock_holds (org_id, created_at, id);
create index stock_holds_status_idx on stock_holds (org_id, status, created_at, id);
create index stock_holds_occurrence_idx on stock_holds (occurrence_id, created_at, id);
create index stock_holds_ticket_type_idx on stock_holds (ticket_type_id, created_at, id);
create index stock_holds_pool_idx on stock_holds (pool_id, created_at, id);
create index stock_holds_expiring_idx on stock_holds (expires_at) where status = 'active';

create table hold_secrets (
  hold_id uuid primary key,
  org_id uuid not null,
  secret_hash bytea not null constraint hold_secrets_hash_key unique,
  foreign key (org_id, hold_id) references stock_holds (org_id, id) on delete cascade
);

create table waitlist_entries (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  occurrence_id uuid not null,
  user_id uuid references users (id) on delete set null,
  registration_id uuid,
  name text not null,
  email text collate "C" not null,
  status text not null default 'waiting'
    constraint waitlist_entries_status check (status in ('waiting', 'offered', 'accepted', 'declined', 'expired', 'left')),
  priority integer not null default 0,
  joined_at timestamptz not null default es.clock(),
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  constraint waitlist_entries_event_fk foreign key (org_id, event_id) references events (org_id, id),
  constraint waitlist_entries_occurrence_fk foreign key (org_id, event_id, occurrence_id)
    references occurrences (org_id, event_id, id),
  constraint waitlist_entries_registration_fk foreign key (org_id, event_id, registration_id)
    references registrations (org_id, event_id, id),
  constraint waitlist_entries_priority_range check (priority between -1000000 and 1000000),
  constraint waitlist_entries_name_length check (char_length(name) between 1 and 200),
  constraint waitlist_entries_email_shape
    check (char_length(email) <= 254 and email ~ '^[^@\s]+@[^@\s]+$' and email = lower(email)),
  constraint waitlist_entries_accepted check ((status = 'accepted') = (registration_id is not null))
);
-- Who waits, waits once for a date.
create unique index waitlist_entries_live_key on waitlist_entries (occurrence_id, email)
  where status in ('waiting', 'offered');
-- The queue itself; also what tells cheaply that nobody waits.
create index waitlist_entries_queue_idx on waitlist_entries (event_id, priority desc, joined_at, id)
  where status = 'waiting';
create index waitlist_entries_event_idx on waitlist_entries (event_id, joined_at, id);
create index waitlist_entries_event_priority_idx on waitlist_entries (event_id, priority, id);
create index waitlist_entries_org_joined_idx on waitlist_entries (org_id, joined_at, id);
create index waitlist_entries_org_priority_idx on waitlist_entries (org_id, priority, id);
create index waitlist_entries_status_idx on waitlist_entries (org_id, status, joined_at, id);
create index waitlist_entries_occurrence_idx on waitlist_entries (occurrence_id, joined_at, id);
create index waitlist_entries_user_idx on waitlist_entries (user_id, joined_at, id);
create index waitlist_entries_email_idx on waitlist_entries (org_id, email);
create index waitlist_entries_registration_idx on waitlist_entries (registration_id);

create table waitlist_lines (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  entry_id uuid not null,
  ticket_type_id uuid not null,
  quantity integer not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint waitlist_lines_type_key unique (entry_id, ticket_type_id),
  constraint waitlist_lines_entry_fk foreign key (org_id, event_id, entry_id)
    references waitlist_entries (org_id, event_id, id),
  constraint waitlist_lines_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id),
  constraint waitlist_lines_quantity_range check (quantity between 1 and 100)
);
create index waitlist_lines_entry_idx on waitlist_lines (entry_id, created_at, id);
create index waitlist_lines_ticket_type_idx on waitlist_lines (ticket_type_id);

-- An entry has several: the one given when joining, and one in the letter of an offer.
create table waitlist_secrets (
  secret_hash bytea primary key,
  org_id uuid not null,
  entry_id uuid not null,
  foreign key (org_id, entry_id) references waitlist_entries (org_id, id) on delete cascade
);
create index waitlist_secrets_entry_idx on waitlist_secrets (entry_id);

create table waitlist_offers (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  entry_id uuid not null,
  status text not null default 'offered'
    constraint waitlist_offers_status check (status in ('offered', 'accepted', 'declined', 'expired')),
  expires_at timestamptz not null,
  offered_at timestamptz not null,
  answered_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  constraint waitlist_offers_entry_fk foreign key (org_id, event_id, entry_id)
    references waitlist_entries (org_id, event_id, id)
);
create unique index waitlist_offers_live_key on waitlist_offers (entry_id) where status = 'offered';
create index waitlist_offers_entry_idx on waitlist_offers (entry_id, offered_at, id);
create index waitlist_offers_event_idx on waitlist_offers (event_id, offered_at, id);
create index waitlist_offers_expiring_idx on waitlist_offers (expires_at) where status = 'offered';
"#;

const CLAIMANTS: &str = "
alter table pool_claims
  add constraint pool_claims_hold_fk foreign key (org_id, event_id, hold_id)
    references stock_holds (org_id, event_id, id),
  add constraint pool_claims_offer_fk foreign key (org_id, event_id, waitlist_offer_id)
    references waitlist_offers (org_id, event_id, id),
  add constraint pool_claims_code_fk foreign key (org_id, promo_code_id) references promo_codes (org_id, id);
create index pool_claims_due_idx on pool_claims (expires_at)
  where released_at is null and expires_at is not null and registration_id is null;
-- A draft is deleted with what staff set aside of it.
grant delete on pool_claims to es_verbs;
";

/// What a code reserves ends when it does, and is never more than its unused uses. The function belongs to `es_system`,
/// because whoever changes a code may not write claims; it writes those of that code and nothing else.
const FOLLOW_CODE: &str = "
create function es.follow_code()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now timestamptz;
  v_unused integer;
begin
  if not exists (select from pool_claims c where c.promo_code_id = new.id and c.released_at is null) then
    return null;
  end if;
  perform
  from capacity_pools p
  where p.id in (select c.pool_id from pool_claims c where c.promo_code_id = new.id and c.released_at is null)
  order by p.id
  for no key update;
  v_now := es.clock();
  select p.capacity - p.claimed + es.pool_expired(p.id, v_now)
  into v_unused
  from capacity_pools p
  where p.id = new.pool_id;
  if not new.active or new.counted_by <> 'ticket' or v_unused is null then
    v_unused := 0;
  end if;
  perform es.shrink_code_claims(
    new.id,
    (
      select greatest(0, max(c.quantity) - v_unused)
      from pool_claims c
      where c.promo_code_id = new.id
        and c.released_at is null
    ),
    v_now
  );
  -- What has run out stays so: its places may be sold by now.
  update pool_claims c
  set expires_at = new.ends_at
  where c.promo_code_id = new.id
    and c.released_at is null
    and (c.expires_at is null or c.expires_at > v_now);
  return null;
end
$body$;
alter function es.follow_code() owner to es_system;
revoke execute on function es.follow_code() from public;
create trigger follow_code after update of ends_at, active, max_uses, counted_by on promo_codes
  for each row execute function es.follow_code();
";

const DOWN: &str = "
drop trigger follow_code on promo_codes;
drop function es.follow_code();
revoke delete on pool_claims from es_verbs;
drop index pool_claims_due_idx;
alter table pool_claims
  drop constraint pool_claims_code_fk,
  drop constraint pool_claims_offer_fk,
  drop constraint pool_claims_hold_fk;
drop table waitlist_offers;
drop table waitlist_secrets;
drop table waitlist_lines;
drop table waitlist_entries;
drop table hold_secrets;
drop table stock_holds;
alter table events
  drop column waitlist_offer_seconds,
  drop column waitlist;
";
