-- Notes what the provider answered when it was told of a payment: its own reference, the page where buyers pay or how they
-- pay without one, and until when the money is waited for. A registration that waits for such money waits as long, but
-- never beyond the event's last date for payments or the beginning of its date.
-- Request: {payment_id, provider_reference, checkout_url?, instructions?, due_at?}.
-- Outcomes: opened, settled (it was settled meanwhile; the reference is kept), payment_not_found.
-- payment_waits: the same of what the buyer chose later, such as a virtual account. Request: {payment_id, due_at,
--   instructions}. Outcomes: waiting, settled, payment_not_found.
-- Called from: createPayment, after the call to the provider, and what providers say later, as es_system in the payment's
--   organization. Locks: registration, payment.
-- Raises: 23505 when the provider gave one reference to two payments; 22P02.

create or replace function es.wait_for_money(p_registration uuid, p_due timestamptz)
returns timestamptz
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_due timestamptz;
begin
  select least(p_due, e.last_payment_at, o.starts_at)
  into v_due
  from registrations r
  join events e on e.id = r.event_id
  join occurrences o on o.id = r.occurrence_id
  where r.id = p_registration;
  update registrations r
  set expires_at = v_due
  where r.id = p_registration
    and r.status = 'pending_payment'
    and r.expires_at < v_due;
  return v_due;
end
$body$;

create or replace function public.payment_opened(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found constant payments := es.lock_payment((p_request ->> 'payment_id')::uuid);
  v_due timestamptz;
begin
  if v_found.id is null then
    return jsonb_build_object('outcome', 'payment_not_found');
  end if;
  if p_request ->> 'due_at' is not null and v_found.status = 'created' then
    v_due := es.wait_for_money(v_found.registration_id, (p_request ->> 'due_at')::timestamptz);
  end if;
  update payments p
  set
    status = case when p.status = 'created' then 'pending' else p.status end,
    provider_reference = coalesce(p.provider_reference, p_request ->> 'provider_reference'),
    checkout_url = coalesce(p.checkout_url, p_request ->> 'checkout_url'),
    instructions = coalesce(p.instructions, p_request ->> 'instructions'),
    due_at = coalesce(p.due_at, v_due)
  where p.id = v_found.id;
  return jsonb_build_object('outcome', case when v_found.status in ('created', 'pending') then 'opened' else 'settled' end);
end
$body$;

create or replace function public.payment_waits(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found constant payments := es.lock_payment((p_request ->> 'payment_id')::uuid);
  v_due timestamptz;
begin
  if v_found.id is null then
    return jsonb_build_object('outcome', 'payment_not_found');
  end if;
  if v_found.status not in ('created', 'pending') then
    return jsonb_build_object('outcome', 'settled');
  end if;
  if v_found.due_at is null then
    v_due := es.wait_for_money(v_found.registration_id, (p_request ->> 'due_at')::timestamptz);
    update payments p
    set
      instructions = left(p_request ->> 'instructions', 3000),
      due_at = v_due
    where p.id = v_found.id;
  end if;
  return jsonb_build_object('outcome', 'waiting');
end
$body$;

alter function es.wait_for_money(uuid, timestamptz) owner to es_verbs;
alter function public.payment_waits(jsonb) owner to es_verbs;
alter function public.payment_opened(jsonb) owner to es_verbs;
revoke execute on function es.wait_for_money(uuid, timestamptz) from public;
revoke execute on function public.payment_opened(jsonb) from public;
revoke execute on function public.payment_waits(jsonb) from public;
grant execute on function public.payment_waits(jsonb) to es_system;
grant execute on function public.payment_opened(jsonb) to es_system;
