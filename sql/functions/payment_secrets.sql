-- What the program needs of an account before it speaks with a provider or believes one.
-- payment_account_of: {account_id}, over all tenants: a webhook names its account before any tenant is known. Answers
--   {org_id, account_id, provider, sealed (hex)}, or null.
-- payment_to_check: {payment_id}: in the organization of the transaction. Answers {payment_id, account_id, provider, status,
--   provider_reference, amount_minor, received_minor, currency, return_url, return_origins, description, buyer_name,
--   buyer_email, age_seconds, checkout_url, instructions, event_title, organizer}, or null.
-- payment_to_try_keys: {account_id}: one by which keys are tried, in the organization of the transaction: the newest that came
--   in, or else the newest that is open. Answers its key, or null.
-- organization_of_payment: {payment_id}, over all tenants: a buyer's browser names a payment before any tenant is known.
--   Answers its organization's key, or null.
-- Called from: the program, as es_system.
-- Raises: 22P02.

create or replace function public.payment_account_of(p_request jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select jsonb_build_object(
      'org_id', a.org_id, 'account_id', a.id, 'provider', a.provider, 'sealed', encode(s.sealed, 'hex')
    )
    from payment_accounts a
    join payment_account_secrets s on s.account_id = a.id
    where a.id = (p_request ->> 'account_id')::uuid
  );
end
$body$;

create or replace function public.payment_to_check(p_request jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select jsonb_build_object(
      'payment_id', p.id, 'account_id', p.account_id, 'provider', p.provider, 'status', p.status,
      'provider_reference', p.provider_reference, 'amount_minor', p.amount_minor, 'received_minor', p.received_minor,
      'currency', p.currency, 'return_url', p.return_url, 'return_origins', a.return_origins,
      'description', r.confirmation_number,
      'buyer_name', r.buyer_name, 'buyer_email', r.buyer_email,
      'age_seconds', extract(epoch from es.clock() - p.created_at)::bigint,
      'checkout_url', p.checkout_url, 'instructions', p.instructions,
      'event_title', e.title, 'organizer', o.name
    )
    from payments p
    join registrations r on r.id = p.registration_id
    join events e on e.id = r.event_id
    join organizations o on o.id = p.org_id
    join payment_accounts a on a.id = p.account_id
    where p.id = (p_request ->> 'payment_id')::uuid
      and p.org_id = es.current_org()
  );
end
$body$;

create or replace function public.organization_of_payment(p_request jsonb)
returns jsonb
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select to_jsonb(p.org_id)
  from payments p
  where p.id = (p_request ->> 'payment_id')::uuid
$body$;

create or replace function public.payment_to_try_keys(p_request jsonb)
returns jsonb
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select to_jsonb(p.id)
  from payments p
  where p.account_id = (p_request ->> 'account_id')::uuid
    and p.org_id = es.current_org()
    and p.provider_reference is not null
    and p.status in ('succeeded', 'pending')
  order by p.status desc, p.created_at desc
  limit 1
$body$;

alter function public.payment_to_try_keys(jsonb) owner to es_system;
revoke execute on function public.payment_to_try_keys(jsonb) from public;
alter function public.payment_account_of(jsonb) owner to es_system;
alter function public.payment_to_check(jsonb) owner to es_system;
alter function public.organization_of_payment(jsonb) owner to es_system;
revoke execute on function public.payment_account_of(jsonb) from public;
revoke execute on function public.organization_of_payment(jsonb) from public;
revoke execute on function public.payment_to_check(jsonb) from public;
