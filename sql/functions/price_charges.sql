-- What comes on top of prices or is contained in them: fees, then taxes of tickets and of fees.
-- Called from: price_cart.
-- Raises: nothing.

-- What taxes make of the entries (a ticket or a fee of one unit each), by the event's rounding:
--   per_unit      each entry is rounded by itself
--   document_net  net prices are rounded by entry, each tax once over the whole; a price with its tax included may
--                 move by a cent for that
--   keep_gross    prices with tax included stay as they are; their tax is rounded once over the whole and cents move
--                 between net and tax. Taxes on top are rounded once over the whole, too
-- One row for each tax of an entry, its turn as in the entry; where an entry has several, each says the entry's whole added_minor: what the
-- entry costs beyond its amount.
create or replace function es.tax_entries(p_entries es.taxable[], p_rounding text)
returns table (
  entry integer,
  unit integer,
  fee boolean,
  name text,
  rate_millionths integer,
  inclusive boolean,
  tax_minor bigint,
  added_minor bigint,
  turn bigint
)
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
#variable_conflict use_column
begin
  return query
  with entries as (
    select
      e.entry,
      e.unit,
      e.fee,
      e.amount_minor,
      e.tax_names,
      e.rates,
      e.inclusive,
      i.rates as inside_rates,
      i.rate as inside
    from unnest(p_entries) as e
    cross join lateral (
      select
        array_agg(r.rate * r.inside::integer::bigint order by r.place) as rates,
        sum(r.rate * r.inside::integer) as rate
      from unnest(e.rates, e.inclusive) with ordinality as r (rate, inside, place)
    ) i
  ),
  -- The tax contained in the amount of each entry, all rates together.
  contained as (
    select
      e.entry,
      e.amount_minor - es.round_div(e.amount_minor::numeric * 1000000, 1000000 + e.inside) as minor
    from entries e
    where p_rounding <> 'keep_gross'

    union all
    select shares.entry, shares.minor
    from (
      select
        array_agg(e.entry order by e.entry) as members,
        array_agg(e.amount_minor order by e.entry) as amounts,
        sum(e.amount_minor)::bigint as sum_minor,
        e.inside
      from entries e
      where p_rounding = 'keep_gross'
      group by e.tax_names, e.rates, e.inclusive, e.inside
    ) g
    cross join unnest(
      g.members,
      es.allot(g.sum_minor - es.round_div(g.sum_minor::numeric * 1000000, 1000000 + g.inside), g.amounts)
    ) as shares (entry, minor)
  ),
  taxes as (
    select
      e.entry,
      t.place,
      t.name,
      t.rate,
      t.inside,
      e.amount_minor - c.minor as net_minor,
      case
        when t.inside then (es.allot(c.minor, e.inside_rates))[t.place]
        else es.round_div((e.amount_minor - c.minor)::numeric * t.rate, 1000000)
      end as own_minor
    from entries e
    join contained c on c.entry = e.entry
    cross join unnest(e.tax_names, e.rates, e.inclusive) with ordinality as t (name, rate, inside, place)
  ),
  -- The same tax over the whole document, where it is rounded there.
  whole as (
    select shares.entry, shares.place, shares.minor
    from (
      select
        array_agg(t.entry order by t.entry, t.place) as members,
        array_agg(t.place order by t.entry, t.place) as places,
        array_agg(t.net_minor order by t.entry, t.place) as nets,
        es.round_div(sum(t.net_minor) * t.rate, 1000000) as sum_minor
      from taxes t
      where p_rounding = 'document_net' or (p_rounding = 'keep_gross' and not t.inside)
      group by t.name, t.rate
    ) g
    cross join unnest(g.members, g.places, es.allot(g.sum_minor, g.nets)) as shares (entry, place, minor)
  )
  select
    e.entry,
    e.unit,
    e.fee,
    t.name,
    t.rate,
    t.inside,
    coalesce(w.minor, t.own_minor),
    (t.net_minor + sum(coalesce(w.minor, t.own_minor)) over (partition by e.entry) - e.amount_minor)::bigint,
    t.place
  from taxes t
  join entries e on e.entry = t.entry
  left join whole w on w.entry = t.entry and w.place = t.place;
end
$body$;

-- The tax rules of each ticket type: its own, else those of its event, else those of the organization.
create or replace function es.taxes_of_types(p_event events, p_types uuid[])
returns table (ticket_type_id uuid, tax_names text[], rates integer[], inclusive boolean[])
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
#variable_conflict use_column
begin
  return query
  select
    r.type_id,
    array_agg(r.name order by r.position, r.id),
    array_agg(r.rate_millionths order by r.position, r.id),
    array_agg(r.inclusive order by r.position, r.id)
  from (
    select
      w.type_id,
      x.id,
      x.name,
      x.rate_millionths,
      x.inclusive,
      x.position,
      rank() over (
        partition by w.type_id
        order by x.ticket_type_id is null, x.event_id is null
      ) as level
    from unnest(p_types) as w (type_id)
    join tax_rules x on x.org_id = p_event.org_id
      and (x.event_id is null or x.event_id = p_event.id)
      and (x.ticket_type_id is null or x.ticket_type_id = w.type_id)
  ) r
  where r.level = 1
    and r.rate_millionths > 0
  group by r.type_id;
end
$body$;

-- What each fee comes to at each fresh unit. Fees of the organization and of the event add up. A place that costs nothing
-- bears no fee; an amount in another currency than the event's does not apply. One for the whole registration is
-- shared out in proportion to the prices; of its fixed amount only what other units do not bear already.
create or replace function es.fees_of_units(
  p_event events,
  p_units es.cart_unit[],
  p_fresh integer[],
  p_kept es.cart_charge[]
)
returns table (rule fee_rules, unit integer, minor bigint)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
#variable_conflict use_column
begin
  return query
  with paid as (
    select u.unit, u.price_minor
    from unnest(p_units) as u
    where u.price_minor > 0
      and u.unit = any (p_fresh)
  ),
  counted as (
    select array_agg(unit order by unit) as units, array_agg(price_minor order by unit) as prices, sum(price_minor) as sum_minor
    from paid
  ),
  rules as (
    select r, case when r.currency = p_event.currency then r.amount_minor else 0 end as fixed_minor
    from fee_rules r
    where r.org_id = p_event.org_id
      and (r.event_id is null or r.event_id = p_event.id)
      and r.active
  )
  select f.r, f.unit, f.minor
  from (
    select x.r, p.unit, x.fixed_minor + es.round_div(p.price_minor::numeric * (x.r).rate_millionths, 1000000) as minor
    from rules x
    cross join paid p
    where (x.r).basis = 'ticket'

    union all
    select x.r, s.unit, s.minor
    from rules x
    cross join counted c
    cross join lateral (
      select coalesce(
        sum(k.amount_minor) - es.round_div(sum(k.base_minor::numeric * k.rate_millionths), 1000000), 0
      )::bigint as fixed_minor
      from unnest(p_kept) as k
      where k.kind = 'fee'
        and k.fee_kind = (x.r).kind
        and k.name = (x.r).name
    ) borne
    cross join unnest(
      c.units,
      es.allot(
        greatest(0, x.fixed_minor - greatest(0, borne.fixed_minor))
        + es.round_div(c.sum_minor * (x.r).rate_millionths, 1000000),
        c.prices
      )
    ) as s (unit, minor)
    where (x.r).basis = 'registration'
      and c.units is not null
  ) f
  where f.minor > 0;
end
$body$;

-- What is taxed, unit by unit, the ticket before its fees: of fresh units by the rules of now, of others as they were taxed
-- before.
create or replace function es.taxables(
  p_event events,
  p_units es.cart_unit[],
  p_fresh integer[],
  p_fee_taxes es.cart_charge[],
  p_kept es.cart_charge[]
)
returns es.taxable[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
#variable_conflict use_column
begin
  return (
    with entries as (
      select u.unit, false as fee, u.price_minor as minor, t.tax_names, t.rates, t.inclusive, 0 as place
      from unnest(p_units) as u
      join es.taxes_of_types(p_event, (select array_agg(distinct x.ticket_type_id) from unnest(p_units) as x)) t
        on t.ticket_type_id = u.ticket_type_id
      where u.price_minor > 0
        and u.unit = any (p_fresh)

      union all
      select f.unit, true, f.base_minor, array[f.name], array[f.rate_millionths], array[f.inclusive], f.place::integer
      from unnest(p_fee_taxes) with ordinality as f
        (unit, kind, fee_kind, name, rate_millionths, inclusive, amount_minor, base_minor, place)

      union all
      select
        k.unit, false, min(k.base_minor), array_agg(k.name order by k.place), array_agg(k.rate_millionths order by k.place),
        array_agg(k.inclusive order by k.place), 0
      from unnest(p_kept) with ordinality as k
        (unit, kind, fee_kind, name, rate_millionths, inclusive, amount_minor, base_minor, place)
      where k.kind = 'tax'
      group by k.unit

      union all
      select k.unit, true, k.base_minor, array[k.name], array[k.rate_millionths], array[k.inclusive], k.place::integer
      from unnest(p_kept) with ordinality as k
        (unit, kind, fee_kind, name, rate_millionths, inclusive, amount_minor, base_minor, place)
      where k.kind = 'fee_tax'
    )
    select array_agg(row(n.entry, n.unit, n.fee, n.minor, n.tax_names, n.rates, n.inclusive)::es.taxable order by n.entry)
    from (
      select row_number() over (order by e.unit, e.fee, e.place) as entry, e.*
      from entries e
    ) n
  );
end
$body$;

-- Puts fees and taxes on priced units. The taxes of each type are read once; what is charged is told by unit, fees of
-- nothing left out. What units that are not fresh were charged is given (p_kept): their fees stay; their taxes are worked
-- out again by the rates of then, since a document's taxes are rounded over the whole of it.
create or replace function es.charge_units(
  p_event events,
  inout p_units es.cart_unit[],
  p_fresh integer[],
  p_kept es.cart_charge[],
  out p_charges es.cart_charge[]
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_units constant es.cart_unit[] := p_units;
  v_fees es.cart_charge[];
  v_fee_taxes es.cart_charge[];
  v_entries es.taxable[];
begin
  select
    array_agg(
      row(
        f.unit, 'fee', (f.rule).kind, (f.rule).name, (f.rule).rate_millionths, false, f.minor, u.price_minor
      )::es.cart_charge
      order by f.unit, (f.rule).position, (f.rule).id
    ),
    array_agg(
      row(
        f.unit, 'fee_tax', null, (f.rule).tax_name, (f.rule).tax_rate_millionths, (f.rule).tax_inclusive, 0, f.minor
      )::es.cart_charge
      order by f.unit, (f.rule).position, (f.rule).id
    ) filter (where (f.rule).tax_rate_millionths > 0)
  into v_fees, v_fee_taxes
  from es.fees_of_units(p_event, v_units, p_fresh, p_kept) f
  join unnest(v_units) as u on u.unit = f.unit;
  v_fees := coalesce(v_fees, '{}') || array(select k from unnest(p_kept) as k where k.kind = 'fee');
  v_entries := es.taxables(p_event, v_units, p_fresh, v_fee_taxes, p_kept);
  if v_fees = '{}' and v_entries is null then
    return;
  end if;

  with taxes as materialized (
    select t.*, e.amount_minor as base_minor
    from es.tax_entries(v_entries, p_event.tax_rounding) t
    join unnest(v_entries) as e on e.entry = t.entry
  ),
  sums as (
    select u.unit, f.fee_minor, t.tax_minor, a.added_minor
    from unnest(v_units) as u
    left join (select x.unit, sum(x.amount_minor)::bigint as fee_minor from unnest(v_fees) as x group by 1) f on f.unit = u.unit
    left join (select x.unit, sum(x.tax_minor)::bigint as tax_minor from taxes x group by 1) t on t.unit = u.unit
    left join (
      select x.unit, sum(x.added_minor)::bigint as added_minor
      from (select distinct y.entry, y.unit, y.added_minor from taxes y) x
      group by 1
    ) a on a.unit = u.unit
  )
  select
    array_agg(
      row(
        u.unit, u.line, u.ticket_type_id, u.donated, u.tier_id, u.list_minor, u.tier_minor, u.discount_minor,
        u.code_minor, u.price_minor, coalesce(s.fee_minor, 0), coalesce(s.tax_minor, 0), coalesce(s.added_minor, 0),
        u.item_id, u.coded, u.terms
      )::es.cart_unit
      order by u.unit
    ),
    v_fees || (
      select coalesce(
        array_agg(
          row(
            t.unit, case when t.fee then 'fee_tax' else 'tax' end, null, t.name, t.rate_millionths, t.inclusive,
            t.tax_minor, t.base_minor
          )::es.cart_charge
          order by t.entry, t.turn
        ),
        '{}'
      )
      from taxes t
    )
  into p_units, p_charges
  from unnest(v_units) as u
  join sums s on s.unit = u.unit;
end
$body$;

alter function es.tax_entries(es.taxable[], text) owner to es_verbs;
alter function es.taxes_of_types(events, uuid[]) owner to es_verbs;
alter function es.fees_of_units(events, es.cart_unit[], integer[], es.cart_charge[]) owner to es_verbs;
alter function es.taxables(events, es.cart_unit[], integer[], es.cart_charge[], es.cart_charge[]) owner to es_verbs;
alter function es.charge_units(events, es.cart_unit[], integer[], es.cart_charge[]) owner to es_verbs;
revoke execute on function es.tax_entries(es.taxable[], text) from public;
revoke execute on function es.taxes_of_types(events, uuid[]) from public;
revoke execute on function es.fees_of_units(events, es.cart_unit[], integer[], es.cart_charge[]) from public;
revoke execute on function es.taxables(events, es.cart_unit[], integer[], es.cart_charge[], es.cart_charge[]) from public;
revoke execute on function es.charge_units(events, es.cart_unit[], integer[], es.cart_charge[]) from public;
