//! Work that is done after the commit: jobs, who runs them, what runs by the clock, and letters that wait to be
//! delivered.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000023_jobs", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("jobs")
            .verbs("select, update")
            .member_reads("jobs:read")
            .up(),
        Fence::global("job_kinds").up(),
        Fence::global("job_workers").up(),
        Fence::global("job_schedules").up(),
    ]
    .concat()
}

/// `jobs.org_id` has no key to organizations, as the journal has none: whoever writes it names its own organization,
/// and looking that up again for each job would lock the same row for everybody. Nothing points to a job, so there is no
/// key `(org_id, id)` either: each index is written once more when a job is taken.
const TABLES: &str = r#"
create table jobs (
  id uuid primary key default es.new_id(),
  org_id uuid,
  kind text collate "C" not null,
  queue text collate "C" not null,
  priority smallint not null,
  lane uuid not null,
  status text collate "C" not null
    constraint jobs_status check (status in ('scheduled', 'ready', 'running', 'done', 'dead')),
  attempts integer not null default 0,
  max_attempts integer not null,
  run_at timestamptz not null,
  key text collate "C",
  key_until text collate "C" not null default 'gone'
    constraint jobs_key_until check (key_until in ('taken', 'ended', 'gone')),
  keep_seconds integer not null default 0,
  payload jsonb not null default '{}',
  worker_id uuid,
  progress_done bigint not null default 0,
  progress_total bigint,
  failure text,
  started_at timestamptz,
  finished_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  constraint jobs_running check ((status = 'running') = (worker_id is not null)),
  constraint jobs_finished check ((status in ('done', 'dead')) = (finished_at is not null)),
  constraint jobs_attempts check (attempts >= 0 and max_attempts between 1 and 1000),
  constraint jobs_keep check (keep_seconds >= 0),
  constraint jobs_progress check (progress_done >= 0 and (progress_total is null or progress_total >= progress_done)),
  constraint jobs_key_length check (char_length(key) between 1 and 200)
)
-- Rows come and go; what is dead must not lie in the way of the next to be taken.
with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
create index jobs_ready_idx on jobs (queue, priority, lane, run_at, id) where status = 'ready';
create index jobs_scheduled_idx on jobs (run_at) where status = 'scheduled';
create index jobs_worker_idx on jobs (worker_id) where status = 'running';
create index jobs_finished_idx on jobs (finished_at) where finished_at is not null;
create unique index jobs_key on jobs (kind, key) where key is not null;
create index jobs_created_idx on jobs (org_id, created_at, id);
create index jobs_status_idx on jobs (org_id, status, created_at, id);

create table job_kinds (
  kind text collate "C" primary key,
  queue text collate "C" not null,
  priority smallint not null,
  max_attempts integer not null,
  keep_seconds integer not null
);

create table job_workers (
  id uuid primary key,
  started_at timestamptz not null default es.clock(),
  beat_at timestamptz not null default es.clock()
);

create table job_schedules (
  kind text collate "C" primary key,
  last_slot timestamptz not null
);

-- Letters written so far were delivered by lying in the mailbox.
alter table mail_messages add column delivered_at timestamptz;
update mail_messages set delivered_at = created_at;

create index outbox_sent_idx on outbox (sent_at) where sent_at is not null;
"#;

const DOWN: &str = "
drop index outbox_sent_idx;
alter table mail_messages drop column delivered_at;
drop table job_schedules;
drop table job_workers;
drop table job_kinds;
drop table jobs;
";
