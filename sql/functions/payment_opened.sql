-- Notes what the provider answered when it was told of a payment: its own reference and the page where buyers pay.
-- Request: {payment_id, provider_reference, checkout_url?}.
-- Outcomes: opened, settled (it was settled meanwhile; the reference is kept), payment_not_found.
-- Called from: createPayment, after the call to the provider, as es_system in the payment's organization.
-- Raises: 23505 when the provider gave one reference to two payments; 22P02.

create or replace function public.payment_opened(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found payments;
begin
  select p.* into v_found from payments p where p.id = (p_request ->> 'payment_id')::uuid for no key update;
  if not found then
    return jsonb_build_object('outcome', 'payment_not_found');
  end if;
  update payments p
  set
    status = case when p.status = 'created' then 'pending' else p.status end,
    provider_reference = coalesce(p.provider_reference, p_request ->> 'provider_reference'),
    checkout_url = coalesce(p.checkout_url, p_request ->> 'checkout_url')
  where p.id = v_found.id;
  return jsonb_build_object('outcome', case when v_found.status in ('created', 'pending') then 'opened' else 'settled' end);
end
$body$;

alter function public.payment_opened(jsonb) owner to es_verbs;
revoke execute on function public.payment_opened(jsonb) from public;
grant execute on function public.payment_opened(jsonb) to es_system;
