//! What happened and what must still happen: audit log, outbox, idempotency keys.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000007_journal", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        // Nobody updates or deletes an entry: not even es_system holds the privilege.
        Fence::tenant("audit_log")
            .verbs("select, insert")
            .member_reads("audit:read")
            .also("revoke update, delete on audit_log from es_system")
            .up(),
        Fence::tenant("outbox").verbs("select, insert").up(),
        Fence::tenant("outbox_sequences")
            .verbs("select, insert, update")
            .up(),
        Fence::tenant("idempotency_keys")
            .verbs("select, insert, update")
            .up(),
    ]
    .concat()
}

const TABLES: &str = r#"
create table audit_log (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  actor text collate "C" not null,
  action text not null,
  object_type text collate "C" not null,
  object_id uuid not null,
  before jsonb,
  after jsonb,
  created_at timestamptz not null default es.clock(),
  unique (org_id, id)
);
create index audit_log_created_idx on audit_log (org_id, created_at, id);
create index audit_log_object_idx on audit_log (org_id, object_type, object_id, created_at, id);
create index audit_log_actor_idx on audit_log (org_id, actor, created_at, id);

create table outbox (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  type text not null,
  version integer not null default 1,
  object_type text not null,
  object_id uuid not null,
  sequence bigint not null,
  payload jsonb not null default '{}',
  created_at timestamptz not null default es.clock(),
  sent_at timestamptz,
  unique (org_id, id),
  unique (org_id, object_type, object_id, sequence)
);
create index outbox_unsent_idx on outbox (created_at, id) where sent_at is null;

create table outbox_sequences (
  org_id uuid not null references organizations (id),
  object_type text not null,
  object_id uuid not null,
  last_sequence bigint not null,
  primary key (org_id, object_type, object_id)
);

create table idempotency_keys (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  actor text not null,
  operation text not null,
  key text not null,
  argument_hash bytea not null,
  outcome jsonb,
  created_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint idempotency_keys_key unique (org_id, actor, operation, key),
  constraint idempotency_keys_length check (char_length(key) between 8 and 200)
);
create index idempotency_keys_created_idx on idempotency_keys (created_at);
"#;

const DOWN: &str = "
drop table idempotency_keys;
drop table outbox_sequences;
drop table outbox;
drop table audit_log;
";
