//! Money: accounts at payment providers, payments and refunds, and the ledger that says what moved.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000028_payments", up(), DOWN.to_owned());

const OF_VISIBLE_REGISTRATION: &str =
    "registration_id = any (array(select r.id from registrations r))";

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("payment_accounts")
            .verbs("select, insert, update")
            .member_reads("payment_accounts:read")
            .touched()
            .up(),
        Fence::tenant("payment_account_secrets")
            .verbs("select, insert, update")
            .up(),
        Fence::tenant("payments")
            .verbs("select, insert, update")
            .member_reads("payments:read")
            .attendees_see(OF_VISIBLE_REGISTRATION)
            .touched()
            .up(),
        Fence::tenant("refunds")
            .verbs("select, insert, update")
            .member_reads("payments:read")
            .attendees_see(OF_VISIBLE_REGISTRATION)
            .touched()
            .up(),
        // What was booked stays booked: not even es_system holds the privilege to change it.
        Fence::tenant("ledger_entries")
            .verbs("select, insert")
            .member_reads("payments:read")
            .also("revoke update, delete on ledger_entries from es_system")
            .up(),
        APPEND_ONLY.to_owned(),
    ]
    .concat()
}

const TABLES: &str = r#"
alter table events
  add column revives_late_payments boolean not null default true,
  add column refunds_late_payments boolean not null default true,
  add column last_payment_at timestamptz;

create table payment_accounts (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  provider text collate "C" not null,
  name text collate "C" not null,
  active boolean not null default true,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint payment_accounts_name_key unique (org_id, name),
  constraint payment_accounts_name_length check (char_length(name) between 1 and 100),
  constraint payment_accounts_provider_shape check (provider ~ '^[a-z][a-z0-9_]{1,30}$')
);
create index payment_accounts_created_idx on payment_accounts (org_id, created_at, id);

create table payment_account_secrets (
  account_id uuid primary key,
  org_id uuid not null,
  sealed bytea not null,
  foreign key (org_id, account_id) references payment_accounts (org_id, id) on delete cascade
);

create table payments (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  registration_id uuid not null,
  account_id uuid not null,
  provider text collate "C" not null,
  status text collate "C" not null default 'created'
    constraint payments_status check (status in ('created', 'pending', 'succeeded', 'failed', 'cancelled')),
  amount_minor bigint not null,
  captured_minor bigint not null default 0,
  currency text not null,
  provider_reference text collate "C",
  checkout_url text,
  return_url text,
  failure text,
  owed_back text,
  check_at timestamptz,
  checked_at timestamptz,
  checks integer not null default 0,
  succeeded_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, registration_id, id),
  constraint payments_registration_fk foreign key (org_id, event_id, registration_id)
    references registrations (org_id, event_id, id),
  constraint payments_account_fk foreign key (org_id, account_id) references payment_accounts (org_id, id),
  constraint payments_amount_range check (amount_minor > 0),
  constraint payments_captured_range check (captured_minor >= 0),
  constraint payments_captured_by_status check ((status = 'succeeded') = (captured_minor > 0)),
  constraint payments_succeeded_by_status check ((status = 'succeeded') = (succeeded_at is not null)),
  constraint payments_currency_shape check (currency ~ '^[A-Z]{3}$')
);
create unique index payments_reference_key on payments (org_id, account_id, provider_reference);
create index payments_registration_idx on payments (registration_id, created_at, id);
create index payments_event_idx on payments (event_id, created_at, id);
create index payments_created_idx on payments (org_id, created_at, id);
create index payments_status_idx on payments (org_id, status, created_at, id);
create index payments_check_idx on payments (check_at) where check_at is not null;
create index payments_account_idx on payments (account_id);

create table refunds (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  registration_id uuid not null,
  payment_id uuid not null,
  status text collate "C" not null default 'requested'
    constraint refunds_status check (status in ('requested', 'in_transit', 'done', 'failed', 'cancelled', 'external')),
  amount_minor bigint not null,
  currency text not null,
  reason text,
  provider_reference text collate "C",
  failure text,
  check_at timestamptz,
  settled_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint refunds_payment_fk foreign key (org_id, event_id, registration_id, payment_id)
    references payments (org_id, event_id, registration_id, id),
  constraint refunds_registration_fk foreign key (org_id, event_id, registration_id)
    references registrations (org_id, event_id, id),
  constraint refunds_amount_range check (amount_minor > 0),
  constraint refunds_reason_length check (char_length(reason) <= 1000),
  constraint refunds_settled_by_status check (
    (status in ('done', 'failed', 'cancelled', 'external')) = (settled_at is not null)
  )
);
create unique index refunds_reference_key on refunds (org_id, payment_id, provider_reference);
create index refunds_payment_idx on refunds (payment_id, created_at, id);
create index refunds_registration_idx on refunds (registration_id, created_at, id);
create index refunds_event_idx on refunds (event_id, created_at, id);
create index refunds_created_idx on refunds (org_id, created_at, id);
create index refunds_status_idx on refunds (org_id, status, created_at, id);
create index refunds_check_idx on refunds (check_at) where check_at is not null;

create table ledger_entries (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  kind text collate "C" not null
    constraint ledger_entries_kind check (kind in ('capture', 'refund_promised', 'refund_paid', 'refund_returned')),
  debit text collate "C" not null,
  credit text collate "C" not null,
  amount_minor bigint not null,
  currency text not null,
  event_id uuid not null,
  registration_id uuid not null,
  payment_id uuid not null,
  refund_id uuid,
  created_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint ledger_entries_payment_fk foreign key (org_id, event_id, registration_id, payment_id)
    references payments (org_id, event_id, registration_id, id),
  constraint ledger_entries_refund_fk foreign key (org_id, refund_id) references refunds (org_id, id),
  constraint ledger_entries_amount_range check (amount_minor > 0),
  -- An entry names both of its accounts, so the books balance by their shape.
  constraint ledger_entries_accounts check (
    case kind
      when 'capture' then debit = 'provider' and credit = 'buyer' and refund_id is null
      when 'refund_promised' then debit = 'buyer' and credit = 'refunds' and refund_id is not null
      when 'refund_paid' then debit = 'refunds' and credit = 'provider' and refund_id is not null
      when 'refund_returned' then debit = 'refunds' and credit = 'buyer' and refund_id is not null
    end
  )
);
create unique index ledger_entries_capture_key on ledger_entries (payment_id) where kind = 'capture';
create unique index ledger_entries_refund_key on ledger_entries (refund_id, kind) where refund_id is not null;
create unique index ledger_entries_settled_key on ledger_entries (refund_id)
  where kind in ('refund_paid', 'refund_returned');
create index ledger_entries_registration_idx on ledger_entries (registration_id, created_at, id);
create index ledger_entries_payment_idx on ledger_entries (payment_id, created_at, id);
create index ledger_entries_created_idx on ledger_entries (org_id, created_at, id);
"#;

const APPEND_ONLY: &str = "
create function es.refuse_change()
returns trigger
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  raise exception 'the ledger is written once: book the opposite instead' using errcode = 'ES403';
end
$body$;
revoke execute on function es.refuse_change() from public;
create trigger append_only before update or delete on ledger_entries
  for each row execute function es.refuse_change();
create trigger never_emptied before truncate on ledger_entries
  for each statement execute function es.refuse_change();
";

const DOWN: &str = "
drop table ledger_entries;
drop function es.refuse_change();
drop table refunds;
drop table payments;
drop table payment_account_secrets;
drop table payment_accounts;
alter table events
  drop column last_payment_at,
  drop column refunds_late_payments,
  drop column revives_late_payments;
";
