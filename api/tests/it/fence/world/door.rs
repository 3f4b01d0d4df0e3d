//! Who came: scans of every ticket, let in once and refused once, and a code that belongs to no ticket.

use super::people::Founder;

/// Written behind the fence: what is asked here is who sees scans, not who may scan.
const SCANS: &str = "
insert into check_ins (org_id, event_id, list_id, ticket_id, direction, outcome, scanned_at, scanned_by, nonce)
select
  l.org_id, l.event_id, l.id, scan.ticket_id, 'entry', scan.outcome, clock_timestamp(),
  (select m.user_id from members m where m.org_id = l.org_id limit 1), 'scan-' || gen_random_uuid()
from check_in_lists l
cross join lateral (
  select t.id as ticket_id, outcome
  from tickets t, unnest(array['admitted', 'already_in']) as outcome
  where t.event_id = l.event_id
    -- Who came in can neither be changed nor hand the ticket on; some are still to.
    and not t.received
    and not exists (select from ticket_transfers f where f.ticket_id = t.id and f.status = 'offered')
  union all
  select null, 'unknown'
  where exists (select from tickets t where t.event_id = l.event_id)
) scan
where l.org_id = $1
  and l.name like '% door'
  and l.name not like '% spare door'";

/// Scans what was sold.
pub async fn fill(founder: &Founder<'_>) {
    let admin = founder.app.database.admin().await;
    let scans = admin
        .execute(SCANS, &[&founder.org])
        .await
        .expect("the scans");
    assert!(scans > 10, "only {scans} scans");
}
