-- Money that no provider tells of: members say what came in by bank transfer or in cash, and what they sent back.
-- receive_payment: {payment_id, amount_minor?, currency? (what was asked for when left out), idempotency_key?,
--   argument_hash? (hex)}. Notes what came in. It is booked right after, the way that all payments go.
--   Outcomes: received (payment_id), payment_not_found, not_by_hand (its provider tells of it), already_received,
--   invalid (field, message).
-- mark_refund_sent: {refund_id, idempotency_key?, argument_hash? (hex)}. Ends a refund: its money has left.
--   Outcomes: sent (refund_id, payment_id), refund_not_found, not_by_hand, refund_over (status).
-- Who may: members with payments:write.
-- Called from: the verbs markPaymentReceived, markRefundSent. Locks: registration, payment, refund.
-- Raises: ES403; ES400 and ES409 as es.idempotency_begin; 22P02.
-- after: refund_settle

create or replace function es.try_to_receive_payment(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found constant payments := es.lock_payment((p_request ->> 'payment_id')::uuid);
  v_amount bigint;
begin
  if v_found.id is null then
    return jsonb_build_object('outcome', 'payment_not_found');
  end if;
  if v_found.provider <> 'offline' then
    return jsonb_build_object('outcome', 'not_by_hand');
  end if;
  if v_found.received_minor is not null then
    return jsonb_build_object('outcome', 'already_received');
  end if;
  v_amount := coalesce((p_request ->> 'amount_minor')::bigint, v_found.amount_minor);
  if v_amount < 1 or coalesce(p_request ->> 'currency', v_found.currency) <> v_found.currency then
    return jsonb_build_object(
      'outcome', 'invalid', 'field', 'amount',
      'message', format('the amount is at least 1 minor unit of %s', v_found.currency)
    );
  end if;
  update payments p
  set
    received_minor = v_amount,
    received_at = es.clock(),
    -- Whoever is interrupted before it is booked: the clock does it.
    check_at = es.clock()
  where p.id = v_found.id;
  perform record_audit(
    v_found.org_id, 'payment.received', 'payment', v_found.id, null,
    jsonb_build_object('amount_minor', v_amount, 'currency', v_found.currency)
  );
  return jsonb_build_object('outcome', 'received', 'payment_id', v_found.id);
end
$body$;

create or replace function public.receive_payment(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  perform es.demand_permission('payments:write');
  v_told := es.told_before('receive_payment', p_request);
  return coalesce(v_told, es.tell('receive_payment', p_request, es.try_to_receive_payment(p_request)));
end
$body$;

create or replace function es.try_to_mark_refund_sent(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found constant refunds := es.lock_refund((p_request ->> 'refund_id')::uuid, null);
  v_provider text;
begin
  if v_found.id is null then
    return jsonb_build_object('outcome', 'refund_not_found');
  end if;
  select p.provider into v_provider from payments p where p.id = v_found.payment_id;
  if v_provider <> 'offline' then
    return jsonb_build_object('outcome', 'not_by_hand');
  end if;
  if v_found.status not in ('requested', 'in_transit') then
    return jsonb_build_object('outcome', 'refund_over', 'status', v_found.status);
  end if;
  perform es.end_refund(v_found, 'done', '{}');
  return jsonb_build_object('outcome', 'sent', 'refund_id', v_found.id, 'payment_id', v_found.payment_id);
end
$body$;

create or replace function public.mark_refund_sent(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  perform es.demand_permission('payments:write');
  v_told := es.told_before('mark_refund_sent', p_request);
  return coalesce(v_told, es.tell('mark_refund_sent', p_request, es.try_to_mark_refund_sent(p_request)));
end
$body$;

alter function es.try_to_receive_payment(jsonb) owner to es_verbs;
alter function public.receive_payment(jsonb) owner to es_verbs;
alter function es.try_to_mark_refund_sent(jsonb) owner to es_verbs;
alter function public.mark_refund_sent(jsonb) owner to es_verbs;
revoke execute on function es.try_to_receive_payment(jsonb) from public;
revoke execute on function public.receive_payment(jsonb) from public;
revoke execute on function es.try_to_mark_refund_sent(jsonb) from public;
revoke execute on function public.mark_refund_sent(jsonb) from public;
grant execute on function public.receive_payment(jsonb) to es_member;
grant execute on function public.mark_refund_sent(jsonb) to es_member;
