//! Outbound webhooks: where events are sent, and what came of each sending.
//!
//! What was rendered is shown to those only who hold all permissions that it was rendered with: `scopes` of a delivery and
//! of its attempts, for an answer may repeat what was sent.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000025_webhooks", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("webhook_endpoints")
            .verbs("select, insert, update, delete")
            .member_reads("webhooks:read")
            .touched()
            .up(),
        Fence::tenant("webhook_endpoint_secrets")
            .verbs("select, insert, update, delete")
            .up(),
        Fence::tenant("webhook_deliveries")
            .verbs("select, insert, update, delete")
            .member_reads("webhooks:read")
            .also(&no_more_than_held("webhook_deliveries"))
            .touched()
            .up(),
        Fence::tenant("webhook_attempts")
            .verbs("select, delete")
            .member_reads("webhooks:read")
            .also(&no_more_than_held("webhook_attempts"))
            .touched()
            .up(),
    ]
    .concat()
}

fn no_more_than_held(table: &str) -> String {
    format!(
        "create policy no_more_than_held on {table} as restrictive for select to es_member \
         using (scopes <@ (select es.held_permissions()))"
    )
}

/// An event is delivered to an endpoint once, whatever dies between: `webhook_deliveries_message_key`.
const TABLES: &str = r#"
create function es.held_permissions()
returns text[]
stable
parallel safe
return string_to_array(coalesce(current_setting('es.permissions', true), ''), ',');

comment on function es.held_permissions() is 'What the actor of this transaction holds.';
revoke execute on function es.held_permissions() from public;
grant execute on function es.held_permissions() to es_member, es_verbs;

create table webhook_endpoints (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  url text not null,
  description text not null default '',
  event_types text[] not null default '{}',
  api_version text collate "C" not null,
  document text,
  scopes text[] not null default '{}',
  status text collate "C" not null default 'active'
    constraint webhook_endpoints_status check (status in ('active', 'paused', 'gone')),
  failures integer not null default 0,
  rests_until timestamptz,
  told_dead_at timestamptz,
  created_by uuid references users (id),
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint webhook_endpoints_url_length check (octet_length(url) between 1 and 2000),
  constraint webhook_endpoints_description_length check (char_length(description) <= 200),
  constraint webhook_endpoints_document_length check (octet_length(document) between 1 and 65536),
  constraint webhook_endpoints_failures check (failures >= 0)
);
create index webhook_endpoints_created_idx on webhook_endpoints (org_id, created_at, id);
create index webhook_endpoints_status_idx on webhook_endpoints (org_id, status, created_at, id);

create table webhook_endpoint_secrets (
  endpoint_id uuid primary key,
  org_id uuid not null,
  sealed bytea not null,
  previous_sealed bytea,
  previous_until timestamptz,
  foreign key (org_id, endpoint_id) references webhook_endpoints (org_id, id) on delete cascade,
  constraint webhook_endpoint_secrets_previous check ((previous_sealed is null) = (previous_until is null))
);

create table webhook_deliveries (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  endpoint_id uuid not null,
  message_id text collate "C" not null,
  event_type text collate "C" not null,
  event_version integer not null,
  object_type text collate "C" not null,
  object_id uuid not null,
  sequence bigint not null,
  data jsonb not null default '{}',
  occurred_at timestamptz not null,
  status text collate "C" not null default 'pending'
    constraint webhook_deliveries_status check (status in ('pending', 'delivered', 'dead')),
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  last_attempt_at timestamptz,
  finished_at timestamptz,
  api_version text collate "C",
  scopes text[] not null default '{}',
  body text,
  response_status integer,
  failure text,
  took_ms integer,
  pruned_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint webhook_deliveries_endpoint
    foreign key (org_id, endpoint_id) references webhook_endpoints (org_id, id) on delete cascade,
  constraint webhook_deliveries_message_key unique (endpoint_id, message_id),
  constraint webhook_deliveries_finished check ((status = 'pending') = (finished_at is null)),
  constraint webhook_deliveries_attempts check (attempts >= 0)
);
create table webhook_attempts (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  delivery_id uuid not null,
  number integer not null,
  started_at timestamptz not null,
  took_ms integer not null,
  response_status integer,
  response_body text,
  failure text,
  scopes text[] not null default '{}',
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint webhook_attempts_delivery
    foreign key (org_id, delivery_id) references webhook_deliveries (org_id, id) on delete cascade,
  constraint webhook_attempts_number_key unique (delivery_id, number),
  constraint webhook_attempts_number check (number > 0),
  constraint webhook_attempts_took check (took_ms >= 0),
  constraint webhook_attempts_response_length check (octet_length(response_body) <= 16384)
);
create index webhook_attempts_delivery_idx on webhook_attempts (delivery_id, created_at, id);

create index webhook_deliveries_created_idx on webhook_deliveries (org_id, created_at, id);
create index webhook_deliveries_status_idx on webhook_deliveries (org_id, status, created_at, id);
create index webhook_deliveries_endpoint_idx on webhook_deliveries (org_id, endpoint_id, created_at, id);
create index webhook_deliveries_message_idx on webhook_deliveries (org_id, message_id);
create index webhook_deliveries_finished_idx on webhook_deliveries (finished_at) where finished_at is not null;
create index webhook_deliveries_bodies_idx on webhook_deliveries (finished_at) where finished_at is not null and pruned_at is null;
"#;

const DOWN: &str = "
drop table webhook_attempts;
drop table webhook_deliveries;
drop table webhook_endpoint_secrets;
drop table webhook_endpoints;
drop function es.held_permissions();
";
