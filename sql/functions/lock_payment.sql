-- Locks the registration of a payment of this organization, then the payment; the payment as it is then, null when there is none.
-- Called from: payment_opened, payment_waits, receive_payment.
-- Raises: nothing of its own.

create or replace function es.lock_payment(p_payment uuid)
returns payments
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found payments;
begin
  select p.* into v_found from payments p where p.org_id = es.current_org() and p.id = p_payment;
  perform from registrations r where r.id = v_found.registration_id for no key update;
  select p.* into v_found from payments p where p.id = v_found.id for no key update;
  return v_found;
end
$body$;

alter function es.lock_payment(uuid) owner to es_verbs;
revoke execute on function es.lock_payment(uuid) from public;
