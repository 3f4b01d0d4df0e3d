-- Makes the deliveries of an event: one for each endpoint of its organization that wants its type, with a job each. Those
-- of an endpoint that somebody has turned off wait without a job (resume_webhook_endpoint); one that answered 410 gets
-- none. Run twice it makes nothing new.
-- Request: the event, as a job is told of it (see relay_outbox).
-- Answer: {deliveries: how many are on their way}.
-- Called from: the job webhooks.fan_out, as es_system in the organization of the event.
-- Raises: nothing of its own.
-- after: enqueue_jobs

-- Writes the jobs of deliveries, each in the lane of its endpoint: what one endpoint has heaped up delays no other. A
-- delivery has one job at a time.
create or replace function es.enqueue_webhook_deliveries(p_deliveries uuid[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform es.enqueue_jobs(
    (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'kind', 'webhooks.deliver', 'org_id', d.org_id, 'lane', d.endpoint_id, 'key', d.id, 'key_until', 'ended',
            'payload', jsonb_build_object('delivery_id', d.id, 'endpoint_id', d.endpoint_id)
          )
        ),
        '[]'
      )
      from webhook_deliveries d
      where d.id = any (p_deliveries)
    )
  );
end
$body$;

create or replace function public.webhook_fan_out(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_type constant text := p_request ->> 'type';
  v_made uuid[];
begin
  -- Whoever turns an endpoint on waits, and then finds what is made here; or is waited for, and is seen below.
  perform
  from webhook_endpoints e
  where e.org_id = es.current_org()
    and e.status <> 'gone'
    and (e.event_types = '{}' or v_type = any (e.event_types))
  order by e.id
  for key share;
  with made as (
    insert into webhook_deliveries (
      org_id, endpoint_id, message_id, event_type, event_version, object_type, object_id, sequence, data, occurred_at
    )
    select
      e.org_id, e.id, 'evt_' || replace(p_request ->> 'event_id', '-', ''), v_type, (p_request ->> 'version')::integer,
      p_request ->> 'object_type', (p_request ->> 'object_id')::uuid, (p_request ->> 'sequence')::bigint,
      p_request -> 'data', (p_request ->> 'occurred_at')::timestamptz
    from webhook_endpoints e
    where e.org_id = es.current_org()
      and e.status <> 'gone'
      and (e.event_types = '{}' or v_type = any (e.event_types))
    on conflict (endpoint_id, message_id) do nothing
    returning id, endpoint_id
  )
  select array_agg(m.id)
  into v_made
  from made m
  join webhook_endpoints e on e.id = m.endpoint_id
  where e.status = 'active';
  if v_made is not null then
    perform es.enqueue_webhook_deliveries(v_made);
  end if;
  return jsonb_build_object('deliveries', coalesce(cardinality(v_made), 0));
end
$body$;

alter function es.enqueue_webhook_deliveries(uuid[]) owner to es_verbs;
alter function public.webhook_fan_out(jsonb) owner to es_system;
revoke execute on function es.enqueue_webhook_deliveries(uuid[]) from public;
revoke execute on function public.webhook_fan_out(jsonb) from public;
grant execute on function es.enqueue_webhook_deliveries(uuid[]) to es_system;
