-- What a cart costs: the one place where prices are made. Given the event, the items, the code and the instant, and the
-- counters of tiers as they stand (under the lock, or with expired holds counted as free), it gives every unit with all
-- its parts. Order: listed price, tier, automatic discount, promo code, fees, tax.
-- Each unit, and with it the whole, adds up cent for cent:
--   price = tier (or listed) price - discount - code, never below 0
--   total = price + fees + added, where added is what taxes on top (and the document's rounding) add
--   total = net + tax
-- Called from: place_registration, extend_registration, change_registration and cancel_registration under their locks;
--   price_checkout without one.
-- Raises: nothing of its own. What may not be bought is judged before (judge_wishes, price_codes).

create or replace function es.price_cart(
  p_event events,
  p_items jsonb,
  p_code promo_codes,
  p_now timestamptz,
  p_locked boolean
)
returns es.priced_cart
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return es.price_cart(p_event, null, '{}', p_items, p_code, p_now, p_locked);
end
$body$;

-- The same with units that are there already (price_kept tells what they keep): they come first and are counted, but only
-- those that come are priced, and those that lost a discount by what left. p_left: the tiers of the units that left, a
-- place for each; null when none did.
create or replace function es.price_cart(
  p_event events,
  p_kept es.priced_cart,
  p_left uuid[],
  p_items jsonb,
  p_code promo_codes,
  p_now timestamptz,
  p_locked boolean
)
returns es.priced_cart
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_before constant integer := coalesce(cardinality(p_kept.units), 0);
  v_cart es.priced_cart;
  v_units es.cart_unit[];
  v_charges es.cart_charge[];
  v_fresh integer[];
  v_lost integer[] := '{}';
  v_rule uuid;
begin
  v_units := coalesce(p_kept.units, '{}') || es.price_units(p_items, v_before, coalesce(p_left, '{}'), p_now, p_locked);
  if v_before > 0 and p_left is not null then
    select k.units, k.lost into v_units, v_lost from es.keep_earned(v_units) k;
  end if;
  v_fresh := v_lost || array(select generate_series(v_before + 1, cardinality(v_units)));
  if v_fresh <> '{}' then
    select d.p_units, d.p_rule
    into v_units, v_rule
    from es.discount_automatically(p_event, v_units, v_fresh, p_now) d;
    if p_code.id is not null then
      v_units := es.discount_by_code(p_event, v_units, v_fresh, p_code);
    end if;
  end if;
  select c.p_units, c.p_charges
  into v_units, v_charges
  from es.charge_units(
    p_event, v_units, v_fresh, array(select k from unnest(p_kept.charges) as k where k.unit <> all (v_lost))
  ) c;
  v_cart.units := v_units;
  v_cart.charges := coalesce(v_charges, '{}');
  v_cart.discount_rule_id := v_rule;
  return v_cart;
end
$body$;

-- The cart in sums; what a registration keeps of it.
create or replace function es.cart_sums(
  p_cart es.priced_cart,
  out subtotal_minor bigint,
  out discount_minor bigint,
  out code_minor bigint,
  out fee_minor bigint,
  out tax_minor bigint,
  out added_minor bigint,
  out total_minor bigint
)
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  select
    sum(u.tier_minor)::bigint,
    sum(u.discount_minor + u.code_minor)::bigint,
    sum(u.code_minor)::bigint,
    sum(u.fee_minor)::bigint,
    sum(u.tax_minor)::bigint,
    sum(u.added_minor)::bigint,
    sum(u.price_minor + u.fee_minor + u.added_minor)::bigint
  into subtotal_minor, discount_minor, code_minor, fee_minor, tax_minor, added_minor, total_minor
  from unnest(p_cart.units) as u;
end
$body$;

-- Whether everything sold at the event costs what it lists: no tier, no discount, no chosen price, no add-on, no tax,
-- no fee.
create or replace function es.has_plain_prices(p_event uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return not exists (select from price_tiers t where t.event_id = p_event)
    and not exists (select from ticket_types t where t.event_id = p_event and t.price_kind <> 'fixed')
    and not exists (select from ticket_type_add_ons a where a.event_id = p_event)
    and not exists (select from discount_rules d where d.event_id = p_event)
    and not exists (
      select
      from events e
      join tax_rules r on r.org_id = e.org_id and (r.event_id is null or r.event_id = e.id)
      where e.id = p_event
    )
    and not exists (
      select
      from events e
      join fee_rules r on r.org_id = e.org_id and (r.event_id is null or r.event_id = e.id)
      where e.id = p_event
    );
end
$body$;

-- Whether prices at the event are plain, nobody waits for places there (R11), and addresses may have as many registrations
-- as they like. A cart at such an event whose request says no code, no hold, no price and no expected total is plain.
create or replace function es.is_plain_sale(p_event uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return es.has_plain_prices(p_event)
    and not exists (select from waitlist_entries w where w.event_id = p_event and w.status = 'waiting')
    and not exists (select from events e where e.id = p_event and e.one_per_person);
end
$body$;

-- Whether a request to place asks for nothing that needs a price of its own, nor for places that were set aside. Without
-- settings, so that it is inlined.
create or replace function es.is_plain_request(p_request jsonb)
returns boolean
language sql
immutable
parallel safe
return p_request ->> 'code' is null
  and p_request ->> 'hold_id' is null
  and p_request ->> 'hold_key_hash' is null
  and p_request ->> 'expected_total_minor' is null
  and not jsonb_path_exists(p_request, '$.items[*].price_minor ? (@ != null)');

alter function es.price_cart(events, jsonb, promo_codes, timestamptz, boolean) owner to es_verbs;
alter function es.price_cart(events, es.priced_cart, uuid[], jsonb, promo_codes, timestamptz, boolean) owner to es_verbs;
alter function es.cart_sums(es.priced_cart) owner to es_verbs;
alter function es.has_plain_prices(uuid) owner to es_verbs;
alter function es.is_plain_sale(uuid) owner to es_verbs;
alter function es.is_plain_request(jsonb) owner to es_verbs;
revoke execute on function es.price_cart(events, jsonb, promo_codes, timestamptz, boolean) from public;
revoke execute on function es.price_cart(events, es.priced_cart, uuid[], jsonb, promo_codes, timestamptz, boolean) from public;
revoke execute on function es.cart_sums(es.priced_cart) from public;
revoke execute on function es.has_plain_prices(uuid) from public;
revoke execute on function es.is_plain_sale(uuid) from public;
revoke execute on function es.is_plain_request(jsonb) from public;
