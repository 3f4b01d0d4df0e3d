-- Deliveries that wait: hurried by members, and taken up again when their endpoint is turned on.
-- Who may: webhooks:write.
-- Called from: the verb retryWebhookDeliveries; hurry_webhook_deliveries and resume_webhook_endpoint by the jobs
--   webhooks.hurry and webhooks.resume, as es_system in the organization.
-- Raises: ES403 without webhooks:write; 22P02 when an id is no UUID.
-- after: webhook_fan_out, webhook_replay

-- Lets the jobs of deliveries run that wait for their time, if they were not begun since `p_asked_at`; how many are running
-- that were begun before: whoever runs them has not said yet that they wait again.
create or replace function es.hurry_webhook_jobs(p_deliveries uuid[], p_asked_at timestamptz)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update jobs j
  set
    status = 'ready',
    run_at = p_asked_at,
    updated_at = es.clock()
  where j.kind = 'webhooks.deliver'
    and j.key = any (p_deliveries::text[])
    and j.status = 'scheduled'
    and (j.started_at is null or j.started_at <= p_asked_at);
  return (
    select count(*)
    from jobs j
    where j.kind = 'webhooks.deliver'
      and j.key = any (p_deliveries::text[])
      and j.status = 'running'
      and j.started_at <= p_asked_at
  );
end
$body$;

-- The rest of a wish to hurry. Request: {ids, asked_at}. Answer: {running: how many are to be looked after once more}.
create or replace function public.hurry_webhook_deliveries(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return jsonb_build_object(
    'running',
    es.hurry_webhook_jobs(
      array(select id::uuid from jsonb_array_elements_text(p_request -> 'ids') as id),
      (p_request ->> 'asked_at')::timestamptz
    )
  );
end
$body$;

-- The next attempt is made now: neither the pause after the last one nor the rest of the endpoint is waited for. What is
-- being tried at this moment is tried once more if it fails. Request: {ids}. All of them or none.
-- Outcomes: hurried, not_found, not_waiting (one has ended), not_active.
create or replace function public.retry_webhook_deliveries(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_ids constant uuid[] := array(select distinct id::uuid from jsonb_array_elements_text(p_request -> 'ids') as id);
  v_now timestamptz;
  v_found record;
begin
  perform es.demand_permission('webhooks:write');
  perform es.lock_endpoints_of(v_ids);
  select
    count(*) as found,
    bool_and(d.status = 'pending') as waiting,
    bool_and(d.active) as active
  into v_found
  from (
    select d.status, e.status = 'active' as active
    from webhook_deliveries d
    join webhook_endpoints e on e.id = d.endpoint_id
    where d.org_id = es.current_org()
      and d.id = any (v_ids)
      and d.scopes <@ es.held_permissions()
    order by d.id
    for no key update of d
  ) d;
  if v_found.found < cardinality(v_ids) then
    return jsonb_build_object('outcome', 'not_found');
  elsif not v_found.waiting then
    return jsonb_build_object('outcome', 'not_waiting');
  elsif not v_found.active then
    return jsonb_build_object('outcome', 'not_active');
  end if;
  v_now := es.clock();
  update webhook_deliveries d set next_attempt_at = v_now where d.id = any (v_ids);
  perform es.end_rests_of(v_ids);
  if es.hurry_webhook_jobs(v_ids, v_now) > 0 then
    perform es.enqueue_job('webhooks.hurry', jsonb_build_object('ids', to_jsonb(v_ids), 'asked_at', v_now));
  end if;
  -- Should one have lost its job, it gets another.
  perform es.enqueue_webhook_deliveries(v_ids);
  return jsonb_build_object('outcome', 'hurried');
end
$body$;

-- The next that waited while their endpoint was turned off get their jobs, oldest first.
-- Request: {endpoint_id, limit, count: whether to count them}. Answer: {done: how many this step did; total: how many there
-- were before, if that was asked}. May be run again at any time: a delivery has one job.
create or replace function public.resume_webhook_endpoint(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_endpoint webhook_endpoints;
  v_ids uuid[];
  v_total bigint;
begin
  -- Whoever turns it off again waits, and then what has its job puts itself aside.
  select e.* into v_endpoint
  from webhook_endpoints e
  where e.org_id = es.current_org()
    and e.id = (p_request ->> 'endpoint_id')::uuid
  for key share;
  if not found or v_endpoint.status <> 'active' then
    return jsonb_build_object('done', 0);
  end if;
  if (p_request ->> 'count')::boolean then
    select count(*) into v_total
    from webhook_deliveries d
    where d.endpoint_id = v_endpoint.id
      and d.status = 'pending'
      and not es.has_webhook_job(d.id);
  end if;
  select coalesce(array_agg(d.id), '{}') into v_ids
  from (
    select d.id
    from webhook_deliveries d
    where d.endpoint_id = v_endpoint.id
      and d.status = 'pending'
      and not es.has_webhook_job(d.id)
    order by d.created_at, d.id
    limit (p_request ->> 'limit')::integer
  ) d;
  perform es.enqueue_webhook_deliveries(v_ids);
  return jsonb_build_object('done', cardinality(v_ids), 'total', v_total);
end
$body$;

-- Bound early, so that it becomes part of its statements.
create or replace function es.has_webhook_job(p_delivery uuid)
returns boolean
stable
return exists (select from public.jobs j where j.kind = 'webhooks.deliver' and j.key = p_delivery::text);

alter function es.hurry_webhook_jobs(uuid[], timestamptz) owner to es_verbs;
alter function public.hurry_webhook_deliveries(jsonb) owner to es_system;
alter function public.retry_webhook_deliveries(jsonb) owner to es_verbs;
alter function public.resume_webhook_endpoint(jsonb) owner to es_system;
alter function es.has_webhook_job(uuid) owner to es_system;
revoke execute on function es.hurry_webhook_jobs(uuid[], timestamptz) from public;
revoke execute on function public.hurry_webhook_deliveries(jsonb) from public;
revoke execute on function public.retry_webhook_deliveries(jsonb) from public;
revoke execute on function public.resume_webhook_endpoint(jsonb) from public;
revoke execute on function es.has_webhook_job(uuid) from public;
grant execute on function es.hurry_webhook_jobs(uuid[], timestamptz) to es_system;
grant execute on function public.retry_webhook_deliveries(jsonb) to es_member;
