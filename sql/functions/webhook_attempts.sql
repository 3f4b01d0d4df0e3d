-- The attempts at a delivery: what is sent, what is kept of it, and what came of it.
-- Called from: the job webhooks.deliver, as es_system in the organization of the delivery.
-- Raises: nothing of its own.
-- after: webhook_endpoints

-- What is needed for an attempt. Request: {id}. Outcomes: send (the delivery, its endpoint and secrets), rest (seconds:
-- the endpoint failed several times in a row and is left alone so long), over (nothing is to be done any more, or not
-- before the endpoint is turned on again: the caller ends its job in this transaction).
create or replace function public.begin_webhook_attempt(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_delivery webhook_deliveries;
  v_endpoint webhook_endpoints;
  v_secret webhook_endpoint_secrets;
begin
  -- The endpoint first, as everybody does. Whoever turns it on waits for this transaction, and then finds the delivery
  -- without a job; or this one waits, and finds the endpoint turned on.
  select e.* into v_endpoint
  from webhook_endpoints e
  join webhook_deliveries d on d.endpoint_id = e.id
  where d.id = (p_request ->> 'id')::uuid
    and d.org_id = es.current_org()
  for key share of e;
  if not found then
    return jsonb_build_object('outcome', 'over');
  end if;
  select d.* into v_delivery
  from webhook_deliveries d
  where d.id = (p_request ->> 'id')::uuid
  for no key update;
  if not found or v_delivery.status <> 'pending' then
    return jsonb_build_object('outcome', 'over');
  end if;
  if v_endpoint.status = 'paused' then
    update webhook_deliveries d set next_attempt_at = null where d.id = v_delivery.id;
    return jsonb_build_object('outcome', 'over');
  end if;
  if v_endpoint.status <> 'active' then
    update webhook_deliveries d
    set
      status = 'dead',
      failure = 'the endpoint is turned off',
      next_attempt_at = null,
      finished_at = v_now
    where d.id = v_delivery.id;
    return jsonb_build_object('outcome', 'over');
  end if;
  if v_endpoint.rests_until > v_now then
    return jsonb_build_object('outcome', 'rest', 'seconds', extract(epoch from v_endpoint.rests_until - v_now));
  end if;
  select s.* into strict v_secret
  from webhook_endpoint_secrets s
  where s.endpoint_id = v_endpoint.id;
  return jsonb_build_object(
    'outcome', 'send',
    'message_id', v_delivery.message_id,
    'event_type', v_delivery.event_type,
    'event_version', v_delivery.event_version,
    'object_type', v_delivery.object_type,
    'object_id', v_delivery.object_id,
    'sequence', v_delivery.sequence,
    'data', v_delivery.data,
    'occurred_at', v_delivery.occurred_at,
    'attempts', v_delivery.attempts,
    'body', v_delivery.body,
    'endpoint_id', v_endpoint.id,
    'url', v_endpoint.url,
    'api_version', v_endpoint.api_version,
    'document', v_endpoint.document,
    'scopes', v_endpoint.scopes,
    'sealed', encode(v_secret.sealed, 'hex'),
    'previous_sealed', case when v_secret.previous_until > v_now then encode(v_secret.previous_sealed, 'hex') end
  );
end
$body$;

-- Keeps what was rendered, once: later attempts send the same bytes. Request: {id, body, api_version, scopes: of the
-- endpoint when it was rendered}. Answer: {body: what is kept}; null when the endpoint has other scopes by now, for then it
-- may have got another address from somebody who must not see what these scopes showed.
create or replace function public.keep_webhook_body(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_endpoint webhook_endpoints;
  v_body text;
begin
  -- Whoever changes the endpoint waits, and then finds this delivery with its scopes.
  select e.* into v_endpoint
  from webhook_endpoints e
  join webhook_deliveries d on d.endpoint_id = e.id
  where d.id = (p_request ->> 'id')::uuid
    and d.org_id = es.current_org()
  for share of e;
  if not found or v_endpoint.scopes <> es.webhook_texts(p_request -> 'scopes') then
    return jsonb_build_object('body', null);
  end if;
  update webhook_deliveries d
  set
    body = coalesce(d.body, p_request ->> 'body'),
    api_version = case when d.body is null then p_request ->> 'api_version' else d.api_version end,
    scopes = case when d.body is null then v_endpoint.scopes else d.scopes end
  where d.id = (p_request ->> 'id')::uuid
  returning d.body into v_body;
  return jsonb_build_object('body', v_body);
end
$body$;

-- Notes how an attempt ended, in the delivery and in its log. Request: {id, ended: delivered, failed (after_seconds: until
-- the next), dead or gone, own: whether it failed before anything was sent, response_status?, response_body?, failure?,
-- took_ms}. Answer: {}.
-- From the third failure in a row on the endpoint rests, twice as long each time, 10 minutes at most: what is slow or
-- dead keeps workers busy for a few attempts only. What failed here is not laid to its charge. Gone turns the endpoint
-- off; owners hear of that, and of deliveries that died once a day for each endpoint.
create or replace function public.note_webhook_attempt(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_ended constant text := p_request ->> 'ended';
  v_took constant integer := (p_request ->> 'took_ms')::integer;
  v_endpoint webhook_endpoints;
  v_delivery webhook_deliveries;
begin
  -- The endpoint first, as fan-out and deletion do.
  select e.* into v_endpoint
  from webhook_endpoints e
  join webhook_deliveries d on d.endpoint_id = e.id
  where d.id = (p_request ->> 'id')::uuid
    and d.org_id = es.current_org()
  for no key update of e;
  if not found then
    return '{}';
  end if;
  update webhook_deliveries d
  set
    status = case v_ended when 'delivered' then 'delivered' when 'failed' then 'pending' else 'dead' end,
    attempts = d.attempts + 1,
    next_attempt_at = case
      when v_ended = 'failed' then v_now + make_interval(secs => (p_request ->> 'after_seconds')::double precision)
    end,
    last_attempt_at = v_now,
    finished_at = case when v_ended <> 'failed' then v_now end,
    response_status = (p_request ->> 'response_status')::integer,
    failure = p_request ->> 'failure',
    took_ms = v_took
  where d.id = (p_request ->> 'id')::uuid
    and d.status = 'pending'
  returning d.* into v_delivery;
  if not found then
    return '{}';
  end if;
  insert into webhook_attempts (
    org_id, delivery_id, number, started_at, took_ms, response_status, response_body, failure, scopes
  )
  select
    v_delivery.org_id, v_delivery.id, 1 + coalesce(max(a.number), 0), v_now - make_interval(secs => v_took / 1000.0),
    v_took, v_delivery.response_status, p_request ->> 'response_body', v_delivery.failure, v_delivery.scopes
  from webhook_attempts a
  where a.delivery_id = v_delivery.id;

  if v_ended = 'delivered' then
    -- Most of the time there is nothing to forgive: then the row is left alone.
    update webhook_endpoints e
    set
      failures = 0,
      rests_until = null
    where e.id = v_endpoint.id
      and e.failures > 0;
    return '{}';
  end if;
  if not coalesce((p_request ->> 'own')::boolean, false) then
    update webhook_endpoints e
    set
      failures = e.failures + 1,
      rests_until = case
        when e.failures + 1 >= 3 then v_now + make_interval(secs => least(600, 15 * power(2, least(e.failures - 2, 10))))
      end,
      status = case when v_ended = 'gone' and e.status = 'active' then 'gone' else e.status end
    where e.id = v_endpoint.id;
  end if;
  if v_ended = 'gone' and v_endpoint.status = 'active' then
    perform record_audit(
      v_endpoint.org_id, 'webhook_endpoint.gone', 'webhook_endpoint', v_endpoint.id,
      jsonb_build_object('status', 'active'), jsonb_build_object('status', 'gone')
    );
    perform es.tell_owners_of_webhook(
      v_endpoint, 'webhook_gone', 'A webhook endpoint was turned off',
      array[
        'answered "410 Gone", which asks us to send nothing more. It was turned off. Deliveries that had not arrived',
        'are kept and can be sent again once you have turned it on (updateWebhookEndpoint, replayWebhookDeliveries).'
      ]
    );
  elsif v_ended = 'dead' and coalesce(v_endpoint.told_dead_at < v_now - interval '1 day', true) then
    update webhook_endpoints e set told_dead_at = v_now where e.id = v_endpoint.id;
    perform es.tell_owners_of_webhook(
      v_endpoint, 'webhook_dead', 'A webhook was given up',
      array[
        format('did not take %s (%s) in %s attempts; at last: %s.', v_delivery.message_id, v_delivery.event_type,
          v_delivery.attempts, coalesce(v_delivery.failure, 'unknown')),
        'It can be sent again for 30 days (replayWebhookDeliveries), and so can others that are given up from now on',
        '(replayWebhookEndpoint): of those of the next 24 hours nobody is told.'
      ]
    );
  end if;
  return '{}';
end
$body$;

-- Owners hear by mail what became of an endpoint. The one place of webhooks that writes to people.
create or replace function es.tell_owners_of_webhook(
  p_endpoint webhook_endpoints,
  p_kind text,
  p_subject text,
  p_lines text[]
)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_owner record;
begin
  for v_owner in
    select u.email
    from members m
    join roles r on r.org_id = m.org_id and r.id = m.role_id
    join users u on u.id = m.user_id
    where m.org_id = p_endpoint.org_id
      and r.key = 'owner'
      and r.built_in
    order by u.email
  loop
    perform es.write_letter(
      p_endpoint.org_id, p_kind, v_owner.email, p_subject,
      array_to_string(array['Your endpoint', '', '  ' || p_endpoint.url, ''] || p_lines, E'\n')
    );
  end loop;
end
$body$;

alter function public.begin_webhook_attempt(jsonb) owner to es_system;
alter function public.keep_webhook_body(jsonb) owner to es_system;
alter function public.note_webhook_attempt(jsonb) owner to es_system;
alter function es.tell_owners_of_webhook(webhook_endpoints, text, text, text[]) owner to es_system;
revoke execute on function public.begin_webhook_attempt(jsonb) from public;
revoke execute on function public.keep_webhook_body(jsonb) from public;
revoke execute on function public.note_webhook_attempt(jsonb) from public;
revoke execute on function es.tell_owners_of_webhook(webhook_endpoints, text, text, text[]) from public;
