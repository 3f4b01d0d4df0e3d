-- What discounts take off: the automatic one first, then the promo code from what is left. Neither touches donations,
-- and no price falls below zero.
-- Called from: price_cart.
-- Raises: nothing.

-- What one discount takes off each unit, in the order of the units: 0 where it does not apply (p_types: null for all).
-- Amounts for the whole registration are shared out in proportion to the prices. Of X bought and Y got, the cheapest
-- ones are got; places that cost nothing neither count nor are counted.
create or replace function es.discount_units(
  p_units es.cart_unit[],
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
      u.price_minor,
      not u.donated and u.price_minor > 0 and (p_types is null or u.ticket_type_id = any (p_types)) as meant
    from unnest(p_units) as u
  ),
  counted as (
    select
      count(*) as units,
      coalesce(sum(price_minor), 0)::bigint as sum_minor,
      array_agg(unit order by unit) as numbers,
      array_agg(price_minor order by unit) as prices
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
      and p_kind in ('percent', 'amount_per_ticket')

    union all
    select s.unit, s.minor
    from counted c
    cross join unnest(c.numbers, es.allot(least(c.sum_minor, p_amount), c.prices)) as s (unit, minor)
    where p_kind = 'amount_per_registration'
      and c.units > 0

    union all
    select ranked.unit, es.round_div(ranked.price_minor::numeric * p_rate, 1000000)
    from (
      select u.unit, u.price_minor, row_number() over (order by u.price_minor, u.unit desc) as turn
      from units u
      where u.meant
    ) ranked
    cross join counted c
    where p_kind = 'buy_x_get_y'
      and ranked.turn <= c.units / (p_buy + p_get) * p_get + greatest(0, c.units % (p_buy + p_get) - p_buy)
  )
  select array_agg(coalesce(o.minor, 0) order by u.unit)
  from units u
  left join off o on o.unit = u.unit
$body$;

-- Takes the best automatic discount off: the one that saves the buyer most, the first among equals. p_rule: which.
create or replace function es.discount_automatically(
  p_event events,
  inout p_units es.cart_unit[],
  p_now timestamptz,
  out p_rule uuid
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_units constant es.cart_unit[] := p_units;
  v_off bigint[];
begin
  select r.id, r.off
  into p_rule, v_off
  from (
    select
      d.id,
      d.position,
      es.discount_units(
        v_units, case when d.ticket_type_id is not null then array[d.ticket_type_id] end,
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
  p_units := es.take_off(v_units, v_off, false);
end
$body$;

-- The units with these amounts off, noted as the code's or the automatic discount's.
create or replace function es.take_off(p_units es.cart_unit[], p_off bigint[], p_by_code boolean)
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
      u.price_minor - o.minor, u.fee_minor, u.tax_minor, u.added_minor
    )::es.cart_unit
    order by u.unit
  )
  from unnest(p_units) as u
  join unnest(p_off) with ordinality as o (minor, unit) on o.unit = u.unit
$body$;

alter function es.discount_units(es.cart_unit[], uuid[], text, integer, bigint, integer, integer) owner to es_verbs;
alter function es.discount_automatically(events, es.cart_unit[], timestamptz) owner to es_verbs;
alter function es.take_off(es.cart_unit[], bigint[], boolean) owner to es_verbs;
revoke execute on function es.discount_units(es.cart_unit[], uuid[], text, integer, bigint, integer, integer) from public;
revoke execute on function es.discount_automatically(events, es.cart_unit[], timestamptz) from public;
revoke execute on function es.take_off(es.cart_unit[], bigint[], boolean) from public;
