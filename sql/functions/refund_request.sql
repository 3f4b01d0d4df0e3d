-- Promises a buyer money back, part of a payment or all that is left of it (R15: refunds of a payment are never more than
-- was captured; judged under lock). The provider is told by a job, after the commit. Tickets stay as they are.
-- Request: {payment_id, amount_minor?, currency? (all that is left when left out), reason?, idempotency_key?,
--   argument_hash? (hex)}.
-- Outcomes: requested (refund_id, payment_id), payment_not_found, nothing_to_refund, invalid (field, message).
-- Who may: members with payments:write.
-- Called from: the verb refundPayment; es.promise_refund also from settle_payment (late payments).
-- Raises: ES403; ES400 and ES409 as es.idempotency_begin; 22P02.

-- Writes and books a refund of a locked payment.
create or replace function es.promise_refund(p_payment payments, p_amount bigint, p_reason text, p_now timestamptz)
returns uuid
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_made refunds;
begin
  insert into refunds (
    org_id, event_id, registration_id, payment_id, amount_minor, currency, reason, check_at, created_at
  )
  values (
    p_payment.org_id, p_payment.event_id, p_payment.registration_id, p_payment.id, p_amount, p_payment.currency, p_reason,
    p_now + interval '60 seconds', p_now
  )
  returning * into v_made;
  perform es.book_refund(v_made, 'refund_promised');
  perform es.enqueue_job('payments.refund', jsonb_build_object('refund_id', v_made.id), v_made.id::text, 'ended');
  perform record_audit(
    v_made.org_id, 'refund.requested', 'refund', v_made.id, null,
    jsonb_build_object(
      'payment_id', v_made.payment_id, 'amount_minor', v_made.amount_minor, 'currency', v_made.currency, 'reason', p_reason
    )
  );
  return v_made.id;
end
$body$;

create or replace function es.try_to_request_refund(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_reason constant text := nullif(btrim(p_request ->> 'reason'), '');
  v_payment payments;
  v_left bigint;
  v_amount bigint;
begin
  if char_length(v_reason) > 1000 then
    return jsonb_build_object('outcome', 'invalid', 'field', 'reason', 'message', 'a reason has at most 1000 characters');
  end if;
  perform r.id
  from registrations r
  where r.id = (select p.registration_id from payments p where p.id = (p_request ->> 'payment_id')::uuid)
  for no key update;
  select p.*
  into v_payment
  from payments p
  where p.id = (p_request ->> 'payment_id')::uuid
    and p.org_id = es.current_org()
  for no key update;
  if not found then
    return jsonb_build_object('outcome', 'payment_not_found');
  end if;
  v_left := es.refundable_minor(v_payment.id);
  if v_left <= 0 then
    return jsonb_build_object('outcome', 'nothing_to_refund');
  end if;
  v_amount := coalesce((p_request ->> 'amount_minor')::bigint, v_left);
  if v_amount not between 1 and v_left or coalesce(p_request ->> 'currency', v_payment.currency) <> v_payment.currency then
    return jsonb_build_object(
      'outcome', 'invalid', 'field', 'amount',
      'message', format('the amount is at least 1 and at most what is left: %s minor units of %s', v_left, v_payment.currency)
    );
  end if;
  return jsonb_build_object(
    'outcome', 'requested', 'payment_id', v_payment.id,
    'refund_id', es.promise_refund(v_payment, v_amount, v_reason, es.clock())
  );
end
$body$;

create or replace function public.request_refund(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  perform es.demand_permission('payments:write');
  v_told := es.told_before('request_refund', p_request);
  return coalesce(v_told, es.tell('request_refund', p_request, es.try_to_request_refund(p_request)));
end
$body$;

alter function es.promise_refund(payments, bigint, text, timestamptz) owner to es_verbs;
alter function es.try_to_request_refund(jsonb) owner to es_verbs;
alter function public.request_refund(jsonb) owner to es_verbs;
revoke execute on function es.promise_refund(payments, bigint, text, timestamptz) from public;
revoke execute on function es.try_to_request_refund(jsonb) from public;
revoke execute on function public.request_refund(jsonb) from public;
grant execute on function public.request_refund(jsonb) to es_member;
