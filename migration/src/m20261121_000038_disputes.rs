//! Disputes, what the platform takes, and the movements of money that come of both.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000038_disputes", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("disputes")
            .verbs("select, insert, update")
            .member_reads("payments:read")
            .touched()
            .up(),
        Fence::tenant("platform_fee_terms")
            .verbs("select")
            .member_reads("payments:read")
            .touched()
            .up(),
        Fence::tenant("sandbox_disputes").up(),
        ENTRIES.to_owned(),
    ]
    .concat()
}

const TABLES: &str = r#"
create table disputes (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  registration_id uuid not null,
  payment_id uuid not null,
  status text collate "C" not null default 'open'
    constraint disputes_status check (status in ('open', 'won', 'lost')),
  provider_reference text collate "C" not null,
  amount_minor bigint not null,
  fee_minor bigint not null default 0,
  currency text not null,
  reason text,
  withdrawn_at timestamptz,
  settled_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint disputes_payment_fk foreign key (org_id, event_id, registration_id, payment_id)
    references payments (org_id, event_id, registration_id, id),
  constraint disputes_registration_fk foreign key (org_id, event_id, registration_id)
    references registrations (org_id, event_id, id),
  constraint disputes_amount_range check (amount_minor > 0 and fee_minor >= 0),
  constraint disputes_settled_by_status check ((status = 'open') = (settled_at is null)),
  constraint disputes_lost_is_withdrawn check (status <> 'lost' or withdrawn_at is not null)
);
create unique index disputes_reference_key on disputes (org_id, payment_id, provider_reference);
create index disputes_payment_idx on disputes (payment_id, created_at, id);
create index disputes_registration_idx on disputes (registration_id, created_at, id);
create index disputes_event_idx on disputes (event_id, created_at, id);
create index disputes_created_idx on disputes (org_id, created_at, id);
create index disputes_status_idx on disputes (org_id, status, created_at, id);

-- What the platform takes of an organization's payments, by currency: the operator says it.
create table platform_fee_terms (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  currency text collate "C" not null,
  rate_millionths integer not null,
  fixed_minor bigint not null,
  returned_on_refund boolean not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint platform_fee_terms_currency_key unique (org_id, currency),
  constraint platform_fee_terms_rate_range check (rate_millionths between 0 and 1000000),
  constraint platform_fee_terms_fixed_range check (fixed_minor >= 0),
  constraint platform_fee_terms_currency_shape check (currency ~ '^[A-Z]{3}$')
);
create index platform_fee_terms_created_idx on platform_fee_terms (org_id, created_at, id);

create table sandbox_disputes (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  payment_id uuid not null,
  status text collate "C" not null default 'open'
    constraint sandbox_disputes_status check (status in ('open', 'won', 'lost')),
  amount_minor bigint not null,
  fee_minor bigint not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  -- A payment is disputed once.
  constraint sandbox_disputes_payment_key unique (org_id, payment_id),
  constraint sandbox_disputes_payment_fk foreign key (org_id, payment_id) references sandbox_payments (org_id, id),
  constraint sandbox_disputes_amount_range check (amount_minor > 0 and fee_minor >= 0)
);
"#;

/// `disputes`: money that a provider has taken back until a dispute is decided. `fees`: what was given to others.
/// `platform`: what the platform has to get.
const ENTRIES: &str = "
alter table ledger_entries
  add column dispute_id uuid,
  add column base_minor bigint,
  drop constraint ledger_entries_kind,
  drop constraint ledger_entries_accounts,
  add constraint ledger_entries_kind check (
    kind in (
      'capture', 'refund_promised', 'refund_paid', 'refund_returned', 'dispute_withdrawn', 'dispute_returned',
      'dispute_lost', 'dispute_fee', 'platform_fee', 'platform_fee_returned'
    )
  ),
  add constraint ledger_entries_accounts check (
    case kind
      when 'capture' then debit = 'provider' and credit = 'buyer'
      when 'refund_promised' then debit = 'buyer' and credit = 'refunds'
      when 'refund_paid' then debit = 'refunds' and credit = 'provider'
      when 'refund_returned' then debit = 'refunds' and credit = 'buyer'
      when 'dispute_withdrawn' then debit = 'disputes' and credit = 'provider'
      when 'dispute_returned' then debit = 'provider' and credit = 'disputes'
      when 'dispute_lost' then debit = 'buyer' and credit = 'disputes'
      when 'dispute_fee' then debit = 'fees' and credit = 'provider'
      when 'platform_fee' then debit = 'fees' and credit = 'platform'
      when 'platform_fee_returned' then debit = 'platform' and credit = 'fees'
    end
  ),
  add constraint ledger_entries_parents check (
    case kind
      when 'capture' then refund_id is null and dispute_id is null
      when 'platform_fee' then refund_id is null and dispute_id is null
      when 'platform_fee_returned' then num_nonnulls(refund_id, dispute_id) = 1
      else case when kind ^@ 'refund_' then refund_id is not null and dispute_id is null
        else dispute_id is not null and refund_id is null end
    end
  ),
  add constraint ledger_entries_base_by_kind check (base_minor is null or (kind = 'platform_fee' and base_minor > 0)),
  add constraint ledger_entries_dispute_fk foreign key (org_id, dispute_id) references disputes (org_id, id);
create unique index ledger_entries_dispute_key on ledger_entries (dispute_id, kind) where dispute_id is not null;
create unique index ledger_entries_platform_fee_key on ledger_entries (payment_id) where kind = 'platform_fee';
";

const DOWN: &str = "
drop index ledger_entries_platform_fee_key;
drop index ledger_entries_dispute_key;
alter table ledger_entries disable trigger append_only;
delete from ledger_entries where kind not in ('capture', 'refund_promised', 'refund_paid', 'refund_returned');
alter table ledger_entries enable trigger append_only;
alter table ledger_entries
  drop constraint ledger_entries_kind,
  drop constraint ledger_entries_accounts,
  drop constraint ledger_entries_parents,
  drop column dispute_id,
  drop column base_minor,
  add constraint ledger_entries_kind check (kind in ('capture', 'refund_promised', 'refund_paid', 'refund_returned')),
  add constraint ledger_entries_accounts check (
    case kind
      when 'capture' then debit = 'provider' and credit = 'buyer' and refund_id is null
      when 'refund_promised' then debit = 'buyer' and credit = 'refunds' and refund_id is not null
      when 'refund_paid' then debit = 'refunds' and credit = 'provider' and refund_id is not null
      when 'refund_returned' then debit = 'refunds' and credit = 'buyer' and refund_id is not null
    end
  );
drop table sandbox_disputes;
drop table platform_fee_terms;
drop table disputes;
";
