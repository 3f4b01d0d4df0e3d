-- A delivery that members ask for to see whether it arrives, and the end of those that are old.
-- Who may: webhooks:write.
-- Called from: the verb sendTestEvent; prune_webhook_deliveries by the scheduled job webhooks.prune, as es_system.
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

-- Removes what is no longer kept: bodies and answers 30 days after the end, deliveries with their attempts after 90. What
-- waited for 30 days for an endpoint that somebody had turned off is given up.
-- Request: {limit}. Answer: {pruned, removed, given_up}: fewer than `limit` of each means that none is left.
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
  v_given_up integer;
begin
  update webhook_deliveries d
  set
    status = 'dead',
    failure = 'the endpoint was turned off for 30 days',
    next_attempt_at = null,
    finished_at = v_now
  where d.id in (
    select old.id
    from webhook_deliveries old
    join webhook_endpoints e on e.id = old.endpoint_id
    where old.status = 'pending'
      and e.status = 'paused'
      and old.created_at < v_now - interval '30 days'
    order by old.created_at
    limit v_limit
    for no key update of old skip locked
  );
  get diagnostics v_given_up = row_count;
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
  return jsonb_build_object('pruned', v_pruned, 'removed', v_removed, 'given_up', v_given_up);
end
$body$;

alter function public.send_test_event(jsonb) owner to es_verbs;
alter function public.prune_webhook_deliveries(jsonb) owner to es_system;
revoke execute on function public.send_test_event(jsonb) from public;
revoke execute on function public.prune_webhook_deliveries(jsonb) from public;
grant execute on function public.send_test_event(jsonb) to es_member;
