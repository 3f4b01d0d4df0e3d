-- Writes the attempt to pay something of what a registration still owes. It is committed before the provider hears of
-- it, and its key is what the provider knows it by (R19): however often the call is repeated, there is one payment.
-- Request: {registration_id, account_id?, amount_minor?, currency? (what is due when left out), return_url?, return_origin?,
--   return_home? (true: it leads to a page of ours), idempotency_key?, argument_hash? (hex)}.
-- Outcomes: started (payment_id, registration_id, account_id, provider, amount_minor, currency, description),
--   registration_not_found, registration_expired, not_payable (status: it is to be confirmed or approved first, R14, or is
--   over), nothing_due, no_payment_account, return_not_allowed (origin: the account sends nobody there), invalid (field,
--   message), too_many_payments.
-- Who may: the buyer (user or guest secret), members with registrations:write. Others are told registration_not_found.
-- Called from: the verb createPayment.
-- Raises: ES400 and ES409 as es.idempotency_begin; 22P02 when an id is no UUID.

-- Why the registration takes no payment now; null when it does.
create or replace function es.payment_problem(p_found registrations, p_due bigint, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return case
    when p_found.status = 'expired' or (p_found.status = 'pending_payment' and p_found.expires_at <= p_now)
      then jsonb_build_object('outcome', 'registration_expired')
    when p_found.status not in ('pending_payment', 'confirmed')
      then jsonb_build_object('outcome', 'not_payable', 'status', p_found.status)
    when p_due <= 0
      then jsonb_build_object('outcome', 'nothing_due')
    -- Each open attempt is one that somebody may still pay.
    when 10 <= (
      select count(*)
      from payments p
      where p.registration_id = p_found.id
        and p.status in ('created', 'pending')
    )
      then jsonb_build_object('outcome', 'too_many_payments')
  end;
end
$body$;

-- The account asked for, or the one that has been in use for longest.
create or replace function es.choose_payment_account(p_account uuid)
returns payment_accounts
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found payment_accounts;
begin
  select a.*
  into v_found
  from payment_accounts a
  where a.org_id = es.current_org()
    and a.active
    and (p_account is null or a.id = p_account)
  order by a.created_at, a.id
  limit 1;
  return v_found;
end
$body$;

create or replace function es.try_to_start_payment(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found registrations;
  v_account payment_accounts;
  v_now timestamptz;
  v_due bigint;
  v_amount bigint;
  v_problem jsonb;
  v_made payments;
begin
  v_found := es.lock_registration((p_request ->> 'registration_id')::uuid);
  if v_found.id is null then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  v_now := es.clock();
  v_due := v_found.total_minor - es.paid_minor(v_found.id);
  v_problem := es.payment_problem(v_found, v_due, v_now);
  if v_problem is not null then
    return v_problem;
  end if;
  v_account := es.choose_payment_account((p_request ->> 'account_id')::uuid);
  if v_account.id is null then
    return jsonb_build_object('outcome', 'no_payment_account');
  end if;
  -- Whoever starts a payment says where its page sends the buyer; only where the organization does.
  if p_request ->> 'return_url' is not null
    and p_request ->> 'return_home' is distinct from 'true'
    and (p_request ->> 'return_origin' = any (v_account.return_origins)) is distinct from true
  then
    return jsonb_build_object('outcome', 'return_not_allowed', 'origin', p_request ->> 'return_origin');
  end if;
  v_amount := coalesce((p_request ->> 'amount_minor')::bigint, v_due);
  if v_amount not between 1 and v_due or coalesce(p_request ->> 'currency', v_found.currency) <> v_found.currency then
    return jsonb_build_object(
      'outcome', 'invalid', 'field', 'amount',
      'message', format('the amount is at least 1 and at most what is due: %s minor units of %s', v_due, v_found.currency)
    );
  end if;

  insert into payments (
    org_id, event_id, registration_id, account_id, provider, amount_minor, currency, return_url, check_at, created_at
  )
  values (
    v_found.org_id, v_found.event_id, v_found.id, v_account.id, v_account.provider, v_amount, v_found.currency,
    p_request ->> 'return_url', v_now + interval '20 seconds', v_now
  )
  returning * into v_made;
  perform record_audit(
    v_made.org_id, 'payment.started', 'payment', v_made.id, null,
    jsonb_build_object('registration_id', v_found.id, 'amount_minor', v_amount, 'currency', v_found.currency)
  );
  return jsonb_build_object(
    'outcome', 'started', 'payment_id', v_made.id, 'registration_id', v_found.id, 'account_id', v_account.id,
    'provider', v_account.provider, 'amount_minor', v_amount, 'currency', v_found.currency,
    'description', v_found.confirmation_number
  );
end
$body$;

create or replace function public.start_payment(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  if es.current_org() is null then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  v_told := es.told_before('start_payment', p_request);
  return coalesce(v_told, es.tell('start_payment', p_request, es.try_to_start_payment(p_request)));
end
$body$;

alter function es.payment_problem(registrations, bigint, timestamptz) owner to es_verbs;
alter function es.choose_payment_account(uuid) owner to es_verbs;
alter function es.try_to_start_payment(jsonb) owner to es_verbs;
alter function public.start_payment(jsonb) owner to es_verbs;
revoke execute on function es.payment_problem(registrations, bigint, timestamptz) from public;
revoke execute on function es.choose_payment_account(uuid) from public;
revoke execute on function es.try_to_start_payment(jsonb) from public;
revoke execute on function public.start_payment(jsonb) from public;
grant execute on function public.start_payment(jsonb) to es_attendee, es_member;
