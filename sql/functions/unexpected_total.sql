-- Whether it costs something else than the caller has seen: the outcome price_changed (total_minor, currency, unit: one minor
-- unit as a decimal number, by which the decimals are known), or null. Request: {expected_total_minor?, expected_currency?}.
-- Called from: place_registration, change_stock; before anything is taken.
-- Raises: nothing of its own.

create or replace function es.unexpected_total(p_request jsonb, p_total bigint, p_currency text)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if (p_request ->> 'expected_total_minor')::bigint <> p_total
    or p_request ->> 'expected_currency' <> p_currency
  then
    return jsonb_build_object(
      'outcome', 'price_changed', 'total_minor', p_total, 'currency', p_currency, 'unit', es.money_text(1, p_currency)
    );
  end if;
  return null;
end
$body$;

alter function es.unexpected_total(jsonb, bigint, text) owner to es_verbs;
revoke execute on function es.unexpected_total(jsonb, bigint, text) from public;
