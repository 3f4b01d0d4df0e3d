-- What discounts take off: the automatic one first, then the promo code from what is left. Neither touches donations,
-- and no price falls below zero.
-- Called from: price_cart.
-- Raises: nothing.

-- Of so many places, how many are got by who buys X and gets Y.
create or replace function es.got_of(p_units bigint, p_buy integer, p_get integer)
returns bigint
language sql
immutable
parallel safe
return p_units / (p_buy + p_get) * p_get + greatest(0, p_units % (p_buy + p_get) - p_buy);

-- The price of a unit before the automatic discount, or before the code's.
create or replace function es.discounted_from(p_unit es.cart_unit, p_by_code boolean)
returns bigint
language sql
immutable
parallel safe
return case when p_by_code then (p_unit).price_minor + (p_unit).code_minor else (p_unit).tier_minor end;

-- What one discount takes off each unit, in the order of the units: 0 where it does not apply (p_types: null for all), and
-- 0 for units that are not fresh: those have their price already. They are counted, and what they were given by such a
-- discount (the code's, or the automatic one) is given: a registration gets no more in several steps than in one.
-- Amounts for the whole registration are shared out in proportion to the prices. Of X bought and Y got, the cheapest
-- ones are got; places that cost nothing neither count nor are counted.
create or replace function es.discount_units(
  p_units es.cart_unit[],
  p_fresh integer[],
  p_by_code boolean,
  p_types uuid[],
  p_kind text,
  p_rate integer,
  p_amount bigint,
  p_buy integer,
  p_get integer
)
returns bigint[]
language sql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  with units as (
    select
      u.unit,
      u.unit = any (p_fresh) as fresh,
      es.discounted_from(u, p_by_code) as price_minor,
      case when p_by_code then u.code_minor else u.discount_minor end as given_minor,
      not u.donated and es.discounted_from(u, p_by_code) > 0 and (p_types is null or u.ticket_type_id = any (p_types)) as meant
    from unnest(p_units) as u
  ),
  counted as (
    select
      count(*) as units,
      count(*) filter (where given_minor > 0) as given_units,
      coalesce(sum(price_minor) filter (where fresh), 0)::bigint as sum_minor,
      greatest(0, p_amount - coalesce(sum(given_minor), 0))::bigint as left_minor,
      array_agg(unit order by unit) filter (where fresh) as numbers,
      array_agg(price_minor order by unit) filter (where fresh) as prices
    from units
    where meant
  ),
  off as (
    select
      u.unit,
      case p_kind
        when 'percent' then es.round_div(u.price_minor::numeric * p_rate, 1000000)
        when 'amount_per_ticket' then least(u.price_minor, p_amount)
      end as minor
    from units u
    where u.meant
      and u.fresh
      and p_kind in ('percent', 'amount_per_ticket')

    union all
    select s.unit, s.minor
    from counted c
    cross join unnest(c.numbers, es.allot(least(c.sum_minor, c.left_minor), c.prices)) as s (unit, minor)
    where p_kind = 'amount_per_registration'
      and c.numbers is not null

    union all
    select got.unit, es.round_div(got.price_minor::numeric * p_rate, 1000000)
    from (
      select ranked.*, row_number() over (order by ranked.turn) as nth
      from (
        select u.*, row_number() over (order by u.price_minor, u.given_minor > 0 desc, u.unit desc) as turn
        from units u
        where u.meant
      ) ranked
      cross join counted c
      where ranked.fresh
        and ranked.turn <= es.got_of(c.units, p_buy, p_get)
    ) got
    cross join counted c
    where p_kind = 'buy_x_get_y'
      and got.nth <= es.got_of(c.units, p_buy, p_get) - c.given_units
  )
  select array_agg(coalesce(o.minor, 0) order by u.unit)
  from units u
  left join off o on o.unit = u.unit
$body$;

-- Takes the best automatic discount off the fresh units: the one that saves the buyer most, the first among equals.
-- p_rule: which.
create or replace function es.discount_automatically(
  p_event events,
  inout p_units es.cart_unit[],
  p_fresh integer[],
  p_now timestamptz,
  out p_rule uuid
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_units constant es.cart_unit[] := p_units;
  v_rule discount_rules;
  v_off bigint[];
begin
  select r.id, r.off
  into p_rule, v_off
  from (
    select
      d.id,
      d.position,
      es.discount_units(
        v_units, p_fresh, false, case when d.ticket_type_id is not null then array[d.ticket_type_id] end,
        d.kind, d.rate_millionths, d.amount_minor, d.buy_quantity, d.get_quantity
      ) as off
    from discount_rules d
    where d.event_id = p_event.id
      and d.active
      and (d.starts_at is null or d.starts_at <= p_now)
      and (d.ends_at is null or d.ends_at > p_now)
      and d.min_tickets <= (
        select count(*)
        from unnest(v_units) as u
        where not u.donated
          and (d.ticket_type_id is null or u.ticket_type_id = d.ticket_type_id)
      )
  ) r
  order by (select sum(o) from unnest(r.off) as o) desc, r.position, r.id
  limit 1;
  if not coalesce((select sum(o) from unnest(v_off) as o) > 0, false) then
    p_rule := null;
    return;
  end if;
  select d.* into v_rule from discount_rules d where d.id = p_rule;
  p_units := es.take_off(
    v_units, v_off, false,
    es.discount_terms(
      v_rule.kind, case when v_rule.ticket_type_id is not null then array[v_rule.ticket_type_id] end,
      v_rule.buy_quantity, v_rule.get_quantity, v_rule.min_tickets
    )
  );
end
$body$;

-- Prices the fresh units with the code: each that it is for uses it, whatever it takes off.
create or replace function es.discount_by_code(
  p_event events,
  p_units es.cart_unit[],
  p_fresh integer[],
  p_code promo_codes
)
returns es.cart_unit[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_types constant uuid[] := es.types_of_code(p_code, p_event.id);
  v_units es.cart_unit[];
begin
  select array_agg(
    row(
      u.unit, u.line, u.ticket_type_id, u.donated, u.tier_id, u.list_minor, u.tier_minor, u.discount_minor,
      u.code_minor, u.price_minor, u.fee_minor, u.tax_minor, u.added_minor, u.item_id,
      u.coded or (u.unit = any (p_fresh) and not u.donated and (v_types is null or u.ticket_type_id = any (v_types))),
      u.terms
    )::es.cart_unit
    order by u.unit
  )
  into v_units
  from unnest(p_units) as u;
  if p_code.kind = 'none' then
    return v_units;
  end if;
  return es.take_off(
    v_units,
    es.discount_units(
      v_units, p_fresh, true, v_types, p_code.kind, p_code.rate_millionths,
      case when p_code.currency = p_event.currency then p_code.amount_minor else 0 end,
      p_code.buy_quantity, p_code.get_quantity
    ),
    true,
    es.discount_terms(p_code.kind, v_types, p_code.buy_quantity, p_code.get_quantity, 1)
  );
end
$body$;

-- The units with these amounts off, noted as the code's or the automatic discount's, with the terms that they depend on.
create or replace function es.take_off(p_units es.cart_unit[], p_off bigint[], p_by_code boolean, p_terms jsonb)
returns es.cart_unit[]
language sql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select array_agg(
    row(
      u.unit, u.line, u.ticket_type_id, u.donated, u.tier_id, u.list_minor, u.tier_minor,
      u.discount_minor + case when p_by_code then 0 else o.minor end,
      u.code_minor + case when p_by_code then o.minor else 0 end,
      u.price_minor - o.minor, u.fee_minor, u.tax_minor, u.added_minor, u.item_id, u.coded,
      case
        when o.minor > 0 and p_terms is not null
          then coalesce(u.terms, '{}') || jsonb_build_object(case when p_by_code then 'code' else 'automatic' end, p_terms)
        else u.terms
      end
    )::es.cart_unit
    order by u.unit
  )
  from unnest(p_units) as u
  join unnest(p_off) with ordinality as o (minor, unit) on o.unit = u.unit
$body$;

alter function es.discount_units(es.cart_unit[], integer[], boolean, uuid[], text, integer, bigint, integer, integer) owner to es_verbs;
alter function es.got_of(bigint, integer, integer) owner to es_verbs;
alter function es.discounted_from(es.cart_unit, boolean) owner to es_verbs;
alter function es.discount_automatically(events, es.cart_unit[], integer[], timestamptz) owner to es_verbs;
alter function es.discount_by_code(events, es.cart_unit[], integer[], promo_codes) owner to es_verbs;
alter function es.take_off(es.cart_unit[], bigint[], boolean, jsonb) owner to es_verbs;
revoke execute on function es.discount_units(es.cart_unit[], integer[], boolean, uuid[], text, integer, bigint, integer, integer) from public;
revoke execute on function es.got_of(bigint, integer, integer) from public;
revoke execute on function es.discounted_from(es.cart_unit, boolean) from public;
revoke execute on function es.discount_automatically(events, es.cart_unit[], integer[], timestamptz) from public;
revoke execute on function es.discount_by_code(events, es.cart_unit[], integer[], promo_codes) from public;
revoke execute on function es.take_off(es.cart_unit[], bigint[], boolean, jsonb) from public;
