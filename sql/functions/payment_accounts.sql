-- Accounts at payment providers: where money of buyers goes. Their keys come sealed; no weak role reads them.
-- create_payment_account: {account_id, provider, name, live, return_origins?, sealed (hex)}.
--   Outcomes: created (payment_account_id), name_taken, invalid (message).
-- update_payment_account: {account_id, name?, active?, live?, return_origins?, sealed? (hex)}; what is absent stays.
--   Outcomes: updated (payment_account_id), payment_account_not_found, name_taken, mode_fixed (there are payments by it, and
--   what was test money is none that is real, nor the other way round), invalid (message).
-- Called from: the verbs createPaymentAccount, updatePaymentAccount.
-- Raises: ES403 without payment_accounts:write; 22P02.

create or replace function public.create_payment_account(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_made payment_accounts;
  v_constraint text;
begin
  perform es.demand_permission('payment_accounts:write');
  insert into payment_accounts (id, org_id, provider, name, live, return_origins)
  values (
    (p_request ->> 'account_id')::uuid, es.current_org(), p_request ->> 'provider', btrim(p_request ->> 'name'),
    coalesce((p_request ->> 'live')::boolean, false),
    array(select jsonb_array_elements_text(coalesce(nullif(p_request -> 'return_origins', 'null'), '[]')))
  )
  returning * into v_made;
  insert into payment_account_secrets (account_id, org_id, sealed)
  values (v_made.id, v_made.org_id, decode(p_request ->> 'sealed', 'hex'));
  perform record_audit(
    v_made.org_id, 'payment_account.created', 'payment_account', v_made.id, null, to_jsonb(v_made)
  );
  return jsonb_build_object('outcome', 'created', 'payment_account_id', v_made.id);
exception
  when unique_violation then
    get stacked diagnostics v_constraint = constraint_name;
    if v_constraint <> 'payment_accounts_name_key' then
      raise;
    end if;
    return jsonb_build_object('outcome', 'name_taken');
  when check_violation then
    return jsonb_build_object('outcome', 'invalid', 'message', 'a name has 1 to 100 characters');
end
$body$;

create or replace function public.update_payment_account(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_before payment_accounts;
  v_after payment_accounts;
begin
  perform es.demand_permission('payment_accounts:write');
  select a.*
  into v_before
  from payment_accounts a
  where a.id = (p_request ->> 'account_id')::uuid
    and a.org_id = es.current_org()
  -- Nobody starts a payment by it meanwhile: that takes a key share lock.
  for update;
  if not found then
    return jsonb_build_object('outcome', 'payment_account_not_found');
  end if;
  if (p_request ->> 'live')::boolean <> v_before.live
    and exists (select from payments p where p.account_id = v_before.id)
  then
    return jsonb_build_object('outcome', 'mode_fixed');
  end if;
  update payment_accounts a
  set
    name = coalesce(btrim(p_request ->> 'name'), a.name),
    active = coalesce((p_request ->> 'active')::boolean, a.active),
    live = coalesce((p_request ->> 'live')::boolean, a.live),
    return_origins = case
      when p_request -> 'return_origins' is null or p_request -> 'return_origins' = 'null' then a.return_origins
      else array(select jsonb_array_elements_text(p_request -> 'return_origins'))
    end
  where a.id = v_before.id
  returning * into v_after;
  if p_request ->> 'sealed' is not null then
    update payment_account_secrets s
    set sealed = decode(p_request ->> 'sealed', 'hex')
    where s.account_id = v_after.id;
  end if;
  perform record_audit(
    v_after.org_id, 'payment_account.updated', 'payment_account', v_after.id,
    to_jsonb(v_before) || jsonb_build_object('keys', 'old'),
    to_jsonb(v_after) || jsonb_build_object('keys', case when p_request ->> 'sealed' is null then 'old' else 'new' end)
  );
  return jsonb_build_object('outcome', 'updated', 'payment_account_id', v_after.id);
exception
  when unique_violation then
    return jsonb_build_object('outcome', 'name_taken');
  when check_violation then
    return jsonb_build_object('outcome', 'invalid', 'message', 'a name has 1 to 100 characters');
end
$body$;

alter function public.create_payment_account(jsonb) owner to es_verbs;
alter function public.update_payment_account(jsonb) owner to es_verbs;
revoke execute on function public.create_payment_account(jsonb) from public;
revoke execute on function public.update_payment_account(jsonb) from public;
grant execute on function public.create_payment_account(jsonb) to es_member;
grant execute on function public.update_payment_account(jsonb) to es_member;
