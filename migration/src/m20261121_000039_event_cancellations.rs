//! Events that were called off: what is kept of what was paid, and how far the work is.

use crate::{fence::Fence, sql_migration};

sql_migration!(
    "m20261121_000039_event_cancellations",
    up(),
    DOWN.to_owned()
);

fn up() -> String {
    [
        TABLE.to_owned(),
        Fence::tenant("event_cancellations")
            .verbs("select, insert, update")
            .member_reads("events:read")
            .touched()
            .up(),
    ]
    .concat()
}

const TABLE: &str = r#"
create table event_cancellations (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  kept_fixed_minor bigint not null default 0,
  kept_per_ticket_minor bigint not null default 0,
  kept_rate_millionths integer not null default 0,
  currency text not null,
  registrations integer not null,
  finished_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  -- Nobody calls an event off twice.
  constraint event_cancellations_event_key unique (org_id, event_id),
  constraint event_cancellations_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint event_cancellations_kept_range check (
    kept_fixed_minor >= 0 and kept_per_ticket_minor >= 0 and kept_rate_millionths between 0 and 1000000
  ),
  constraint event_cancellations_registrations_range check (registrations >= 0)
);
create index event_cancellations_created_idx on event_cancellations (org_id, created_at, id);
create index event_cancellations_event_idx on event_cancellations (event_id);
"#;

const DOWN: &str = "
drop table event_cancellations;
";
