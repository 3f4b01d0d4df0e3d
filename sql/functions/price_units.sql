-- A cart unit by unit, each with its listed price and the tier that it falls in.
-- A unit takes the first tier of its type, by position, that is open at that instant and has one left; when no tier
-- takes it, it costs what the type lists. So the units of one cart may fall into several tiers.
-- Items: [{ticket_type_id, quantity, price_minor?, item_id?}]; price_minor is what the buyer of a donation gives, item_id
-- the item that the one unit of a line is to be.
-- Called from: price_cart; price_pools also from place_registration and the verbs that change registrations.
-- Raises: 22P02 when an id is no UUID.
-- after: stock

-- Tiers open at this instant with the units left in each, before expired holds are given back or, under the lock and
-- after that, as the counters say. Unlimited ones have as many as no cart can take.
create or replace function es.open_tiers(p_types uuid[], p_now timestamptz, p_locked boolean)
returns table (ticket_type_id uuid, tier_id uuid, pool_id uuid, price_minor bigint, place bigint, units_left bigint)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
#variable_conflict use_column
begin
  return query
  select
    t.ticket_type_id,
    t.id,
    t.pool_id,
    t.price_minor,
    row_number() over (partition by t.ticket_type_id order by t.position, t.id),
    case
      when p.capacity is null then 1000
      else greatest(0, p.capacity - p.claimed + case when p_locked then 0 else es.pool_expired(p.id, p_now) end)
    end::bigint
  from price_tiers t
  join capacity_pools p on p.id = t.pool_id
  where t.ticket_type_id = any (p_types)
    and (t.starts_at is null or t.starts_at <= p_now)
    and (t.ends_at is null or t.ends_at > p_now);
end
$body$;

-- Units are numbered behind the first p_before. p_freed: the tiers that units fall out of by the same change, a place
-- for each.
create or replace function es.price_units(
  p_items jsonb,
  p_before integer,
  p_freed uuid[],
  p_now timestamptz,
  p_locked boolean
)
returns es.cart_unit[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_units es.cart_unit[];
  v_types uuid[];
begin
  select array_agg(distinct (item ->> 'ticket_type_id')::uuid)
  into v_types
  from jsonb_array_elements(p_items) as item;

  with wished as (
    select
      p_before + row_number() over (order by i.line, u.number) as unit,
      row_number() over (partition by t.id order by i.line, u.number) as nth,
      i.line,
      t.id as ticket_type_id,
      t.price_kind = 'donation' as donated,
      (i.item ->> 'item_id')::uuid as item_id,
      case t.price_kind
        when 'donation' then coalesce((i.item ->> 'price_minor')::bigint, t.price_minor)
        else t.price_minor
      end as list_minor
    from jsonb_array_elements(p_items) with ordinality as i (item, line)
    join ticket_types t on t.id = (i.item ->> 'ticket_type_id')::uuid
    cross join generate_series(1, (i.item ->> 'quantity')::numeric::integer) as u (number)
  ),
  tiers as (
    select
      o.ticket_type_id,
      o.tier_id,
      o.price_minor,
      f.units_left,
      sum(f.units_left) over (partition by o.ticket_type_id order by o.place) as up_to
    from es.open_tiers(v_types, p_now, p_locked) o
    cross join lateral (
      select o.units_left + count(*) filter (where freed.tier_id = o.tier_id) as units_left
      from unnest(p_freed) as freed (tier_id)
    ) f
  )
  select
    array_agg(
      row(
        w.unit, w.line, w.ticket_type_id, w.donated, t.tier_id, w.list_minor, coalesce(t.price_minor, w.list_minor),
        0, 0, coalesce(t.price_minor, w.list_minor), 0, 0, 0, w.item_id, false, null
      )::es.cart_unit
      order by w.unit
    )
  into v_units
  from wished w
  left join tiers t on t.ticket_type_id = w.ticket_type_id
    and not w.donated
    and w.nth > t.up_to - t.units_left
    and w.nth <= t.up_to;
  return coalesce(v_units, '{}');
end
$body$;

-- The pools of tiers that units of the cart may fall in, and of the code, with the most that could be drawn from each:
-- what has to be locked before the price is known.
create or replace function es.price_pools(
  p_types uuid[],
  p_quantities integer[],
  p_code promo_codes,
  p_now timestamptz,
  out pools uuid[],
  out needs integer[]
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  select array_agg(found.pool_id), array_agg(found.need)
  into pools, needs
  from (
    select t.pool_id, w.quantity as need
    from unnest(p_types, p_quantities) as w (id, quantity)
    join price_tiers t on t.ticket_type_id = w.id
    -- One that opens while we wait for the lock may be drawn from as well.
    where t.ends_at is null or t.ends_at > p_now
    union all
    select p_code.pool_id, case p_code.counted_by when 'registration' then 1 else w.total end
    from (select sum(quantity)::integer as total from unnest(p_quantities) as w (quantity)) w
    where p_code.id is not null
  ) found;
end
$body$;

alter function es.open_tiers(uuid[], timestamptz, boolean) owner to es_verbs;
alter function es.price_units(jsonb, integer, uuid[], timestamptz, boolean) owner to es_verbs;
alter function es.price_pools(uuid[], integer[], promo_codes, timestamptz) owner to es_verbs;
revoke execute on function es.open_tiers(uuid[], timestamptz, boolean) from public;
revoke execute on function es.price_units(jsonb, integer, uuid[], timestamptz, boolean) from public;
revoke execute on function es.price_pools(uuid[], integer[], promo_codes, timestamptz) from public;
grant execute on function es.open_tiers(uuid[], timestamptz, boolean) to es_system;
