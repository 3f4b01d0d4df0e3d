//! Where events are sent, and what came of it: endpoints with everything that can be said of them, deliveries in every
//! state. Written behind the fence: what is asked here is who sees them.

use super::people::Founder;

const ENDPOINTS: &str = "
with made as (
  insert into webhook_endpoints (
    org_id, url, description, event_types, api_version, document, scopes, failures, rests_until, told_dead_at, created_by
  )
  select
    $1, 'https://' || $2 || '.example/hooks', $2 || name, array['event.updated'], '2026-11-21', '# ' || $2,
    array['events:read'], 3, now() + interval '1 minute', now(), (select m.user_id from members m where m.org_id = $1 limit 1)
  from unnest(array[' hooks', ' spare hooks']) as name
  returning id
)
insert into webhook_endpoint_secrets (endpoint_id, org_id, sealed)
select id, $1, 'sealed'
from made";

const DELIVERIES: &str = "
insert into webhook_deliveries (
  org_id, endpoint_id, message_id, event_type, event_version, object_type, object_id, sequence, data, occurred_at,
  status, attempts, next_attempt_at, last_attempt_at, finished_at, api_version, scopes, body, response_status, failure,
  took_ms, pruned_at
)
select
  $1, e.id, 'evt_' || $2 || state || n, 'event.updated', 1, 'event', e.id, 1, '{}', now(), state, 1,
  case when state = 'pending' then now() + interval '1 hour' end, now(),
  case when state <> 'pending' then now() end, '2026-11-21', array['events:read'], '\"' || $2 || '\"', 503,
  $2 || ' answered 503', 12,
  case when state = 'delivered' then now() end
from webhook_endpoints e
cross join unnest(array['pending', 'delivered', 'dead']) as state
cross join generate_series(1, 4) as n
where e.org_id = $1
  and e.description = $2 || ' hooks'";

const ATTEMPTS: &str = "
insert into webhook_attempts (
  org_id, delivery_id, number, started_at, took_ms, response_status, response_body, failure, scopes
)
select $1, d.id, n, now(), 12, 503, $2 || ' is busy', $2 || ' answered 503', d.scopes
from webhook_deliveries d
cross join generate_series(1, 2) as n
where d.org_id = $1";

/// Two endpoints, and twelve deliveries of the first, tried twice each.
pub async fn fill(founder: &Founder<'_>) {
    let admin = founder.app.database.admin().await;
    for sql in [ENDPOINTS, DELIVERIES, ATTEMPTS] {
        admin
            .execute(sql, &[&founder.org, &founder.tag])
            .await
            .expect("webhooks");
    }
}
