-- Deliveries that members ask for: a test, and what was sent before once more.
-- Who may: webhooks:write.
-- Called from: the verbs of the same names.
-- Raises: ES403 without webhooks:write; 22P02 when an id is no UUID.
-- after: webhook_fan_out

-- Request: {id}. Outcomes: sent (delivery_id), not_active, not_found.
create or replace function public.send_test_event(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_endpoint webhook_endpoints;
  v_delivery uuid;
begin
  perform es.demand_permission('webhooks:write');
  select e.* into v_endpoint
  from webhook_endpoints e
  where e.org_id = es.current_org()
    and e.id = (p_request ->> 'id')::uuid
  for no key update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if v_endpoint.status <> 'active' then
    return jsonb_build_object('outcome', 'not_active');
  end if;
  -- Whoever asks for a test thinks that it works now.
  update webhook_endpoints e set rests_until = null where e.id = v_endpoint.id and e.rests_until is not null;
  insert into webhook_deliveries (
    org_id, endpoint_id, message_id, event_type, event_version, object_type, object_id, sequence, data, occurred_at
  )
  values (
    v_endpoint.org_id, v_endpoint.id, 'evt_' || replace(es.new_id()::text, '-', ''), 'webhook.test', 1,
    'webhook_endpoint', v_endpoint.id, 0, '{}', es.clock()
  )
  returning id into v_delivery;
  perform es.enqueue_webhook_deliveries(array[v_delivery]);
  return jsonb_build_object('outcome', 'sent', 'delivery_id', v_delivery);
end
$body$;

-- Sends deliveries again, with the same id and the same bytes: those named, or those of an endpoint that were made in a
-- span of time. Named ones all or none; of a span, those that are dead or, with `delivered`, have arrived, and whose
-- body is still kept, at most 1000. What was made with scopes that one does not hold is not there for oneself: the endpoint
-- may have lost those scopes since, and got another address.
-- Request: {ids} or {endpoint_id, from, until?, delivered}.
-- Outcomes: replayed (ids, more: whether some of the span are left), not_found, not_finished, body_gone, not_active.
create or replace function public.replay_webhook_deliveries(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_most constant integer := 1000;
  v_named constant uuid[] := array(select distinct id::uuid from jsonb_array_elements_text(p_request -> 'ids') as id);
  v_endpoint constant uuid := (p_request ->> 'endpoint_id')::uuid;
  v_ids uuid[];
  v_found record;
  v_more boolean := false;
begin
  perform es.demand_permission('webhooks:write');
  if v_endpoint is null then
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
        and d.id = any (v_named)
        and d.scopes <@ es.held_permissions()
      order by d.id
      for no key update of d
    ) d;
    if v_found.found < cardinality(v_named) then
      return jsonb_build_object('outcome', 'not_found');
    end if;
    v_ids := v_named;
  else
    select e.status = 'active' as active, true as finished, true as kept
    into v_found
    from webhook_endpoints e
    where e.org_id = es.current_org()
      and e.id = v_endpoint;
    if not found then
      return jsonb_build_object('outcome', 'not_found');
    end if;
    select coalesce(array_agg(d.id), '{}') into v_ids
    from (
      select d.id
      from webhook_deliveries d
      where d.org_id = es.current_org()
        and d.endpoint_id = v_endpoint
        and d.created_at >= (p_request ->> 'from')::timestamptz
        and (p_request ->> 'until' is null or d.created_at < (p_request ->> 'until')::timestamptz)
        and (d.status = 'dead' or d.status = 'delivered' and (p_request ->> 'delivered')::boolean)
        and d.pruned_at is null
        and d.scopes <@ es.held_permissions()
      order by d.created_at, d.id
      limit v_most + 1
      for no key update
    ) d;
    v_more := cardinality(v_ids) > v_most;
    v_ids := v_ids[:v_most];
  end if;
  if not v_found.finished then
    return jsonb_build_object('outcome', 'not_finished');
  elsif not v_found.kept then
    return jsonb_build_object('outcome', 'body_gone');
  elsif not v_found.active then
    return jsonb_build_object('outcome', 'not_active');
  end if;

  update webhook_deliveries d
  set
    status = 'pending',
    attempts = 0,
    finished_at = null,
    next_attempt_at = null,
    failure = null
  where d.id = any (v_ids);
  update webhook_endpoints e
  set rests_until = null
  where e.rests_until is not null
    and e.id in (select d.endpoint_id from webhook_deliveries d where d.id = any (v_ids));
  perform es.enqueue_webhook_deliveries(v_ids);
  return jsonb_build_object('outcome', 'replayed', 'ids', to_jsonb(v_ids), 'more', v_more);
end
$body$;

-- Removes what is no longer kept: bodies and answers 30 days after the end, deliveries with their attempts after 90. Request: {limit}. Answer: {pruned,
-- removed}: fewer than `limit` of each means that none is left. Called from: the scheduled job webhooks.prune, as es_system.
create or replace function public.prune_webhook_deliveries(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_limit constant integer := (p_request ->> 'limit')::integer;
  v_pruned integer;
  v_removed integer;
begin
  delete from webhook_deliveries d
  where d.id in (
    select old.id
    from webhook_deliveries old
    where old.finished_at < v_now - interval '90 days'
    order by old.finished_at
    limit v_limit
    for update skip locked
  );
  get diagnostics v_removed = row_count;
  with pruned as (
    update webhook_deliveries d
    set
      body = null,
      data = '{}',
      pruned_at = v_now
    where d.id in (
      select old.id
      from webhook_deliveries old
      where old.finished_at < v_now - interval '30 days'
        and old.pruned_at is null
      order by old.finished_at
      limit v_limit
      for no key update skip locked
    )
    returning d.id
  ), answers as (
    update webhook_attempts a
    set response_body = null
    from pruned p
    where a.delivery_id = p.id
      and a.response_body is not null
  )
  select count(*)
  into v_pruned
  from pruned;
  return jsonb_build_object('pruned', v_pruned, 'removed', v_removed);
end
$body$;

alter function public.send_test_event(jsonb) owner to es_verbs;
alter function public.replay_webhook_deliveries(jsonb) owner to es_verbs;
alter function public.prune_webhook_deliveries(jsonb) owner to es_system;
revoke execute on function public.send_test_event(jsonb) from public;
revoke execute on function public.replay_webhook_deliveries(jsonb) from public;
revoke execute on function public.prune_webhook_deliveries(jsonb) from public;
grant execute on function public.send_test_event(jsonb) to es_member;
grant execute on function public.replay_webhook_deliveries(jsonb) to es_member;
