-- What the platform takes of an organization's payments in a currency, from now on: said by the platform's operator alone.
-- set_platform_fee: {slug, currency, rate_millionths?, fixed_minor?, kept?: true when the fee stays whatever goes back, none?:
--   true to take nothing any more}.
--   Outcomes: set, removed, organization_not_found, invalid (message).
-- Called from: `eventsphere admin platform-fee`, as es_system: an operator is no member of anything.
-- Raises: nothing of its own.

create or replace function public.set_platform_fee(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org uuid;
  v_before platform_fee_terms;
  v_after platform_fee_terms;
begin
  select o.id into v_org from organizations o where o.slug = p_request ->> 'slug' for no key update;
  if not found then
    return jsonb_build_object('outcome', 'organization_not_found');
  end if;
  select t.* into v_before
  from platform_fee_terms t
  where t.org_id = v_org
    and t.currency = p_request ->> 'currency';
  if p_request ->> 'none' = 'true' then
    delete from platform_fee_terms t where t.id = v_before.id;
  else
    insert into platform_fee_terms as known (org_id, currency, rate_millionths, fixed_minor, returned_on_refund)
    values (
      v_org, p_request ->> 'currency', coalesce((p_request ->> 'rate_millionths')::integer, 0),
      coalesce((p_request ->> 'fixed_minor')::bigint, 0), coalesce(p_request ->> 'kept', 'false') <> 'true'
    )
    on conflict on constraint platform_fee_terms_currency_key do update
    set
      rate_millionths = excluded.rate_millionths,
      fixed_minor = excluded.fixed_minor,
      returned_on_refund = excluded.returned_on_refund
    returning * into v_after;
  end if;
  perform record_audit(
    v_org, 'platform_fee.changed', 'organization', v_org, coalesce(to_jsonb(v_before), '{}'), coalesce(to_jsonb(v_after), '{}')
  );
  return jsonb_build_object('outcome', case when v_after.id is null then 'removed' else 'set' end);
exception
  when check_violation then
    return jsonb_build_object(
      'outcome', 'invalid', 'message', 'a currency is three capital letters, a share 0 to 1000000 millionths, an amount not negative'
    );
end
$body$;

alter function public.set_platform_fee(jsonb) owner to es_system;
revoke execute on function public.set_platform_fee(jsonb) from public;
