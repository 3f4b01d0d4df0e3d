-- What one unit of each ticket type costs at that instant, in the order of the types.
-- The one place where verbs that change a registration learn a price.
-- It knows listed prices alone; es.priced_otherwise refuses what has others.
-- Called from: extend_registration, change_registration, when a unit is priced again or comes in anew; the refusals also
--   from cancel_registration (of single units) and approve_registrations (whose stock was given back).
-- Raises: nothing. A type that does not exist has no price (null).

create or replace function es.unit_prices(p_event events, p_types uuid[], p_now timestamptz)
returns bigint[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select array_agg(t.price_minor order by w.place)
    from unnest(p_types) with ordinality as w (id, place)
    left join ticket_types t on t.id = w.id and t.event_id = p_event.id
  );
end
$body$;

-- Whether a registration has a price, or is at an event, that the verbs which change registrations cannot reckon: tiers,
-- discounts, codes, add-ons, chosen prices, fees or taxes. Null when all is plain, else the outcome priced_otherwise.
create or replace function es.priced_otherwise(p_registration registrations)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_registration.promo_code_id is null
    and es.has_plain_prices(p_registration.event_id)
    and not exists (
      select
      from registration_items i
      where i.registration_id = p_registration.id
        and i.cancelled_at is null
        and (
          i.tier_id is not null
          or (i.tier_minor, i.discount_minor, i.fee_minor, i.tax_minor, i.added_minor) <> (0, 0, 0, 0, 0)
        )
    )
  then
    return null;
  end if;
  return jsonb_build_object('outcome', 'priced_otherwise', 'registration_id', p_registration.id);
end
$body$;

-- Whether a registration draws from other pools than those of its ticket types: of tiers, or of a code. What was given
-- back of these is not taken again. Null when it does not, else the outcome priced_otherwise.
create or replace function es.drawn_otherwise(p_registration registrations)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_registration.promo_code_id is null
    and not exists (
      select
      from registration_items i
      where i.registration_id = p_registration.id
        and i.cancelled_at is null
        and i.tier_id is not null
    )
  then
    return null;
  end if;
  return jsonb_build_object('outcome', 'priced_otherwise', 'registration_id', p_registration.id);
end
$body$;

alter function es.priced_otherwise(registrations) owner to es_verbs;
revoke execute on function es.priced_otherwise(registrations) from public;
alter function es.drawn_otherwise(registrations) owner to es_verbs;
revoke execute on function es.drawn_otherwise(registrations) from public;
alter function es.unit_prices(events, uuid[], timestamptz) owner to es_verbs;
revoke execute on function es.unit_prices(events, uuid[], timestamptz) from public;
