-- Sends deliveries again, with the same id and the same bytes: those that are named, or those of an endpoint that were made
-- in a span of time and ended before somebody asked. What was made with scopes that one does not hold is not there for
-- oneself: the endpoint may have lost those scopes since, and got another address.
-- All of them lock the endpoint, then deliveries, then look. A delivery ends together with its job, in one transaction, so
-- whoever finds it ended here finds no job of it either, and writes the next.
-- Who may: webhooks:write.
-- Called from: the verbs replayWebhookDeliveries and replayWebhookEndpoint; replay_webhook_step by the job webhooks.replay,
--   as es_system in the organization.
-- Raises: ES403 without webhooks:write; 22P02 when an id is no UUID.
-- after: webhook_fan_out

-- Locks the endpoints of deliveries, so that none is turned off or led elsewhere meanwhile.
create or replace function es.lock_endpoints_of(p_deliveries uuid[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform
  from webhook_endpoints e
  where e.org_id = es.current_org()
    and e.id in (select d.endpoint_id from webhook_deliveries d where d.id = any (p_deliveries))
  order by e.id
  for no key update;
end
$body$;

-- The endpoints of these deliveries rest no longer after failures.
create or replace function es.end_rests_of(p_deliveries uuid[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update webhook_endpoints e
  set rests_until = null
  where e.rests_until is not null
    and e.id in (select d.endpoint_id from webhook_deliveries d where d.id = any (p_deliveries));
end
$body$;

-- Deliveries that the caller has locked and found ended begin anew.
create or replace function es.begin_webhooks_anew(p_deliveries uuid[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update webhook_deliveries d
  set
    status = 'pending',
    attempts = 0,
    finished_at = null,
    next_attempt_at = null,
    failure = null
  where d.id = any (p_deliveries);
  perform es.end_rests_of(p_deliveries);
  perform es.enqueue_webhook_deliveries(p_deliveries);
end
$body$;

-- Request: {ids}. All of them or none. Outcomes: replayed, not_found, not_finished, body_gone, not_active.
create or replace function public.replay_webhook_deliveries(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_ids constant uuid[] := array(select distinct id::uuid from jsonb_array_elements_text(p_request -> 'ids') as id);
  v_found record;
begin
  perform es.demand_permission('webhooks:write');
  perform es.lock_endpoints_of(v_ids);
  select
    count(*) as found,
    bool_and(d.status <> 'pending') as finished,
    bool_and(d.pruned_at is null) as kept,
    bool_and(d.active) as active
  into v_found
  from (
    select d.status, d.pruned_at, e.status = 'active' as active
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
  elsif not v_found.finished then
    return jsonb_build_object('outcome', 'not_finished');
  elsif not v_found.kept then
    return jsonb_build_object('outcome', 'body_gone');
  elsif not v_found.active then
    return jsonb_build_object('outcome', 'not_active');
  end if;
  perform es.begin_webhooks_anew(v_ids);
  return jsonb_build_object('outcome', 'replayed');
end
$body$;

-- Of a span there may be many, so a job does it, for what its asker holds now.
-- Request: {endpoint_id, from, until?, delivered}. Outcomes: begun (job_id), not_found, not_active.
create or replace function public.replay_webhook_endpoint(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_job constant uuid := es.new_id();
  v_endpoint webhook_endpoints;
begin
  perform es.demand_permission('webhooks:write');
  select e.* into v_endpoint
  from webhook_endpoints e
  where e.org_id = es.current_org()
    and e.id = (p_request ->> 'endpoint_id')::uuid
  for key share;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if v_endpoint.status <> 'active' then
    return jsonb_build_object('outcome', 'not_active');
  end if;
  perform es.enqueue_jobs(
    jsonb_build_array(
      jsonb_build_object(
        'id', v_job, 'kind', 'webhooks.replay',
        'payload', jsonb_build_object(
          'endpoint_id', v_endpoint.id, 'from', p_request ->> 'from', 'until', p_request ->> 'until',
          'delivered', (p_request ->> 'delivered')::boolean, 'held', to_jsonb(es.held_permissions()),
          'asked_at', es.clock()
        )
      )
    )
  );
  return jsonb_build_object('outcome', 'begun', 'job_id', v_job);
end
$body$;

-- The next of a span: those that are dead or, with `delivered`, have arrived, whose body is still kept. What was sent again
-- has ended later than it was asked for, if at all, so that no step takes it twice, whatever dies between.
-- Request: {endpoint_id, from, until?, delivered, held, asked_at, limit, count: whether to count them}.
-- Answer: {done: how many this step did; total: how many there were before, if that was asked}, or {refused: reason}.
create or replace function public.replay_webhook_step(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_held constant text[] := array(select jsonb_array_elements_text(p_request -> 'held'));
  v_endpoint webhook_endpoints;
  v_ids uuid[];
  v_total bigint;
begin
  select e.* into v_endpoint
  from webhook_endpoints e
  where e.org_id = es.current_org()
    and e.id = (p_request ->> 'endpoint_id')::uuid
  for no key update;
  if not found or v_endpoint.status <> 'active' then
    return jsonb_build_object('refused', 'the endpoint is turned off');
  end if;
  if (p_request ->> 'count')::boolean then
    select count(*) into v_total
    from webhook_deliveries d
    where d.org_id = v_endpoint.org_id
      and d.endpoint_id = v_endpoint.id
      and es.is_to_be_replayed(d, p_request, v_held);
  end if;
  select coalesce(array_agg(d.id), '{}') into v_ids
  from (
    select d.id
    from webhook_deliveries d
    where d.org_id = v_endpoint.org_id
      and d.endpoint_id = v_endpoint.id
      and es.is_to_be_replayed(d, p_request, v_held)
    order by d.created_at, d.id
    limit (p_request ->> 'limit')::integer
    for no key update
  ) d;
  perform es.begin_webhooks_anew(v_ids);
  return jsonb_build_object('done', cardinality(v_ids), 'total', v_total);
end
$body$;

-- Bound early, so that it becomes part of its statements.
create or replace function es.is_to_be_replayed(p_delivery public.webhook_deliveries, p_request jsonb, p_held text[])
returns boolean
stable
return p_delivery.created_at >= (p_request ->> 'from')::timestamptz
    and (p_request ->> 'until' is null or p_delivery.created_at < (p_request ->> 'until')::timestamptz)
    and (p_delivery.status = 'dead' or p_delivery.status = 'delivered' and (p_request ->> 'delivered')::boolean)
    and p_delivery.finished_at <= (p_request ->> 'asked_at')::timestamptz
    and p_delivery.pruned_at is null
    and p_delivery.scopes <@ p_held;

alter function es.lock_endpoints_of(uuid[]) owner to es_verbs;
alter function es.end_rests_of(uuid[]) owner to es_verbs;
alter function es.begin_webhooks_anew(uuid[]) owner to es_verbs;
alter function public.replay_webhook_deliveries(jsonb) owner to es_verbs;
alter function public.replay_webhook_endpoint(jsonb) owner to es_verbs;
alter function public.replay_webhook_step(jsonb) owner to es_system;
alter function es.is_to_be_replayed(webhook_deliveries, jsonb, text[]) owner to es_system;
revoke execute on function es.lock_endpoints_of(uuid[]) from public;
revoke execute on function es.end_rests_of(uuid[]) from public;
revoke execute on function es.begin_webhooks_anew(uuid[]) from public;
revoke execute on function public.replay_webhook_deliveries(jsonb) from public;
revoke execute on function public.replay_webhook_endpoint(jsonb) from public;
revoke execute on function public.replay_webhook_step(jsonb) from public;
revoke execute on function es.is_to_be_replayed(webhook_deliveries, jsonb, text[]) from public;
grant execute on function es.end_rests_of(uuid[]) to es_system;
grant execute on function es.begin_webhooks_anew(uuid[]) to es_system;
grant execute on function public.replay_webhook_deliveries(jsonb) to es_member;
grant execute on function public.replay_webhook_endpoint(jsonb) to es_member;
