//! What payment providers told us (the inbox), and what the sandbox, a provider inside the program, remembers.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000029_payment_events", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("payment_events")
            .verbs("select, insert, update")
            .touched()
            .up(),
        Fence::tenant("sandbox_payments").up(),
        Fence::tenant("sandbox_refunds").up(),
    ]
    .concat()
}

/// The sandbox stands outside of all tenants, as any provider does: only `es_system` reads what it knows. Its rows name
/// accounts and our keys of payments as a provider would, without a key to them.
const TABLES: &str = r#"
create table payment_events (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  account_id uuid not null,
  event_key text collate "C" not null,
  status text collate "C" not null default 'waiting'
    constraint payment_events_status check (status in ('waiting', 'applied', 'ignored', 'unmatched')),
  body bytea not null,
  told integer not null default 1,
  detail text,
  applied_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint payment_events_account_fk foreign key (org_id, account_id) references payment_accounts (org_id, id),
  constraint payment_events_key unique (org_id, account_id, event_key),
  constraint payment_events_key_length check (char_length(event_key) between 1 and 200)
);
create index payment_events_waiting_idx on payment_events (created_at) where status = 'waiting';

create table sandbox_payments (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  account_id uuid not null,
  reference uuid not null,
  status text collate "C" not null default 'open'
    constraint sandbox_payments_status check (status in ('open', 'challenge', 'succeeded', 'failed', 'cancelled')),
  amount_minor bigint not null,
  currency text not null,
  description text not null,
  return_url text,
  failure text,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint sandbox_payments_reference_key unique (org_id, account_id, reference),
  constraint sandbox_payments_amount_range check (amount_minor > 0)
);

create table sandbox_refunds (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  payment_id uuid not null,
  reference uuid,
  status text collate "C" not null
    constraint sandbox_refunds_status check (status in ('pending', 'succeeded', 'failed')),
  amount_minor bigint not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint sandbox_refunds_payment_fk foreign key (org_id, payment_id) references sandbox_payments (org_id, id),
  constraint sandbox_refunds_reference_key unique (org_id, payment_id, reference),
  constraint sandbox_refunds_amount_range check (amount_minor > 0)
);
"#;

const DOWN: &str = "
drop table sandbox_refunds;
drop table sandbox_payments;
drop table payment_events;
";
