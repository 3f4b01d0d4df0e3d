//! Background work that failed for good half-way, so that every field of it says something.

use super::people::Founder;

/// Written behind the fence: what is asked here is who sees jobs, not how they fail.
const DEAD: &str = "
insert into jobs (
  org_id, kind, queue, priority, lane, status, attempts, max_attempts, run_at, progress_done, progress_total, failure,
  started_at, finished_at
)
select
  $1, 'mail.deliver', 'mail', 0, $1, 'dead', 12, 12, clock_timestamp(), 2, 5, $2 || ' server ' || n || ' did not answer',
  clock_timestamp(), clock_timestamp()
from generate_series(1, 12) as n";

/// Lets work fail.
pub async fn fill(founder: &Founder<'_>) {
    let admin = founder.app.database.admin().await;
    admin
        .execute(DEAD, &[&founder.org, &founder.tag])
        .await
        .expect("dead jobs");
}
