//! Our books held against what payment providers say.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000040_reconciliations", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("reconciliations")
            .verbs("select, insert, update")
            .member_reads("payments:read")
            .touched()
            .up(),
        Fence::tenant("reconciliation_differences")
            .verbs("select, insert")
            .member_reads("payments:read")
            .up(),
    ]
    .concat()
}

const TABLES: &str = r#"
create table reconciliations (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  account_id uuid not null,
  status text collate "C" not null default 'running'
    constraint reconciliations_status check (status in ('running', 'done', 'failed')),
  from_at timestamptz not null,
  to_at timestamptz not null,
  whole boolean not null default false,
  compared integer not null default 0,
  differing integer not null default 0,
  failure text,
  finished_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint reconciliations_account_fk foreign key (org_id, account_id) references payment_accounts (org_id, id),
  constraint reconciliations_window check (from_at < to_at and to_at - from_at <= interval '92 days'),
  constraint reconciliations_finished_by_status check ((status = 'running') = (finished_at is null))
);
create index reconciliations_account_idx on reconciliations (account_id, created_at, id);
create index reconciliations_status_idx on reconciliations (org_id, status, created_at, id);
create index reconciliations_created_idx on reconciliations (org_id, created_at, id);

create table reconciliation_differences (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  reconciliation_id uuid not null,
  kind text collate "C" not null
    constraint reconciliation_differences_kind check (
      kind in ('unknown_here', 'unknown_there', 'captured', 'refunded', 'disputed', 'currency')
    ),
  payment_id uuid,
  provider_reference text collate "C",
  ours_minor bigint not null,
  theirs_minor bigint not null,
  currency text not null,
  created_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint reconciliation_differences_reconciliation_fk foreign key (org_id, reconciliation_id)
    references reconciliations (org_id, id),
  constraint reconciliation_differences_payment_fk foreign key (org_id, payment_id) references payments (org_id, id)
);
create index reconciliation_differences_of_idx on reconciliation_differences (reconciliation_id, created_at, id);
create index reconciliation_differences_payment_idx on reconciliation_differences (payment_id);
"#;

const DOWN: &str = "
drop table reconciliation_differences;
drop table reconciliations;
";
