//! Jobs are taken with one index less to write, and told as rows.

use crate::sql_migration;

sql_migration!(
    "m20261121_000041_leaner_jobs",
    UP.to_owned(),
    DOWN.to_owned()
);

/// A job changes its status when it is taken, and wrote an entry for whoever lists the jobs of a status. Those that run are
/// few, and `jobs_worker_idx` has them. The function gives another type now, so it is made anew.
const UP: &str = "
drop index jobs_status_idx;
create index jobs_status_idx on jobs (org_id, status, created_at, id) where status <> 'running';
drop function if exists public.job_turn(jsonb);
";

const DOWN: &str = "
drop function if exists public.job_turn(jsonb);
drop index jobs_status_idx;
create index jobs_status_idx on jobs (org_id, status, created_at, id);
";
