-- The inbox of payment providers (R18). What was verified is stored raw, once: the provider's key of the event (or the
-- hash of what it sent) decides. A job applies it in a transaction of its own, and ends it there.
-- take_payment_event: {account_id, event_key, body (hex)}. Outcomes: taken (inbox_id), duplicate (inbox_id).
-- payment_event_to_apply: {inbox_id}. Outcomes: waiting (account_id, body (hex)), ended, not_found.
-- ignore_payment_event: {inbox_id, detail}. What says nothing of payments and refunds. Outcomes: ignored.
-- Called from: the route of webhooks and its job, as es_system in the account's organization.
-- Raises: 22P02.

create or replace function public.take_payment_event(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_id uuid;
begin
  insert into payment_events (org_id, account_id, event_key, body)
  values (
    es.current_org(), (p_request ->> 'account_id')::uuid, p_request ->> 'event_key', decode(p_request ->> 'body', 'hex')
  )
  on conflict on constraint payment_events_key do nothing
  returning id into v_id;
  if v_id is not null then
    perform es.enqueue_job('payments.apply', jsonb_build_object('inbox_id', v_id), v_id::text);
    return jsonb_build_object('outcome', 'taken', 'inbox_id', v_id);
  end if;
  update payment_events e
  set told = e.told + 1
  where e.org_id = es.current_org()
    and e.account_id = (p_request ->> 'account_id')::uuid
    and e.event_key = p_request ->> 'event_key'
  returning id into v_id;
  return jsonb_build_object('outcome', 'duplicate', 'inbox_id', v_id);
end
$body$;

create or replace function public.payment_event_to_apply(p_request jsonb)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found payment_events;
begin
  select e.* into v_found from payment_events e where e.id = (p_request ->> 'inbox_id')::uuid;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if v_found.status in ('applied', 'ignored') then
    return jsonb_build_object('outcome', 'ended');
  end if;
  return jsonb_build_object(
    'outcome', 'waiting', 'account_id', v_found.account_id, 'body', encode(v_found.body, 'hex')
  );
end
$body$;

-- Notes what came of an event, in the transaction of its effect. What matches nothing yet is looked at again.
create or replace function es.end_payment_event(p_inbox uuid, p_outcome jsonb)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update payment_events e
  set
    status = case
      when p_outcome ->> 'outcome' in ('payment_not_found', 'payment_not_settled', 'refund_not_found', 'differs')
        then 'unmatched'
      else 'applied'
    end,
    detail = p_outcome ->> 'message',
    applied_at = es.clock()
  where e.id = p_inbox
    and e.status <> 'applied';
end
$body$;

create or replace function public.ignore_payment_event(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update payment_events e
  set
    status = 'ignored',
    detail = left(p_request ->> 'detail', 200)
  where e.id = (p_request ->> 'inbox_id')::uuid
    and e.status <> 'applied';
  return jsonb_build_object('outcome', 'ignored');
end
$body$;

alter function public.take_payment_event(jsonb) owner to es_verbs;
alter function public.payment_event_to_apply(jsonb) owner to es_verbs;
alter function es.end_payment_event(uuid, jsonb) owner to es_verbs;
alter function public.ignore_payment_event(jsonb) owner to es_verbs;
revoke execute on function public.take_payment_event(jsonb) from public;
revoke execute on function public.payment_event_to_apply(jsonb) from public;
revoke execute on function es.end_payment_event(uuid, jsonb) from public;
revoke execute on function public.ignore_payment_event(jsonb) from public;
grant execute on function public.take_payment_event(jsonb) to es_system;
grant execute on function public.payment_event_to_apply(jsonb) to es_system;
grant execute on function public.ignore_payment_event(jsonb) to es_system;
