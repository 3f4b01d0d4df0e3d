-- What a registration keeps of its prices when units leave or come: each unit that stays has the price, the fees and the
-- rates of tax that it was bought with. Shares of what was meant for the whole (an amount off, a fee of the registration)
-- stay with the units that bear them and go with those that go. A discount that was given for company (buy X get Y, a least
-- number of tickets) ends where the company is gone: such a unit is priced anew, at the tier that it has.
-- Called from: price_cart; the verbs that change registrations (kept_cart).
-- Raises: nothing.

-- The units of a registration that count and do not leave, as they are priced, in their order.
create or replace function es.kept_cart(p_registration uuid, p_leaving uuid[])
returns es.priced_cart
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_cart es.priced_cart;
begin
  select array_agg(
    row(
      s.unit, null, s.ticket_type_id, s.donated, s.tier_id, s.list_price_minor, s.list_price_minor - s.tier_minor,
      s.discount_minor - s.code_discount_minor, s.code_discount_minor, s.price_minor, s.fee_minor, s.tax_minor,
      s.added_minor, s.id, s.coded, s.discount_terms
    )::es.cart_unit
    order by s.unit
  )
  into v_cart.units
  from (
    select i.*, t.price_kind = 'donation' as donated, row_number() over (order by i.position) as unit
    from registration_items i
    join ticket_types t on t.id = i.ticket_type_id
    where i.registration_id = p_registration
      and i.cancelled_at is null
      and i.id <> all (p_leaving)
  ) s;

  select array_agg(
    row(u.unit, c.kind, c.fee_kind, c.name, c.rate_millionths, c.inclusive, c.amount_minor, c.base_minor)::es.cart_charge
    order by u.unit, c.position, c.id
  )
  into v_cart.charges
  from unnest(v_cart.units) as u
  join registration_item_charges c on c.item_id = u.item_id;
  v_cart.units := coalesce(v_cart.units, '{}');
  v_cart.charges := coalesce(v_cart.charges, '{}');
  return v_cart;
end
$body$;

-- What has to be remembered of a discount that holds only together with other places; null for the others.
create or replace function es.discount_terms(
  p_kind text,
  p_types uuid[],
  p_buy integer,
  p_get integer,
  p_min_tickets integer
)
returns jsonb
language sql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select case
    when p_kind = 'buy_x_get_y'
      then jsonb_build_object('types', p_types, 'min_tickets', p_min_tickets, 'buy', p_buy, 'get', p_get)
    when p_min_tickets > 1
      then jsonb_build_object('types', p_types, 'min_tickets', p_min_tickets)
  end
$body$;

-- Numbers of the units that have a discount by these terms and have not earned it among all these units: there are fewer
-- tickets than it takes, or a unit that was got has fewer beside it that were bought, for no less, than it takes.
create or replace function es.not_earned(p_units es.cart_unit[], p_terms jsonb, p_by_code boolean)
returns integer[]
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_kind constant text := case when p_by_code then 'code' else 'automatic' end;
  v_types constant uuid[] := case
    when jsonb_typeof(p_terms -> 'types') = 'array'
      then array(select t.id::uuid from jsonb_array_elements_text(p_terms -> 'types') as t (id))
  end;
  v_buy constant integer := (p_terms ->> 'buy')::integer;
  v_get constant integer := (p_terms ->> 'get')::integer;
  v_unit record;
  v_bought bigint[];
  v_got integer := 0;
  v_lost integer[] := '{}';
begin
  if (
    select count(*)
    from unnest(p_units) as u
    where not u.donated
      and (v_types is null or u.ticket_type_id = any (v_types))
  ) < (p_terms ->> 'min_tickets')::integer
  then
    return array(select u.unit from unnest(p_units) as u where u.terms -> v_kind = p_terms);
  end if;
  if v_buy is null then
    return v_lost;
  end if;
  v_bought := array(
    select es.discounted_from(u, p_by_code)
    from unnest(p_units) as u
    where u.terms -> v_kind is distinct from p_terms
      and not u.donated
      and (v_types is null or u.ticket_type_id = any (v_types))
  );
  for v_unit in
    select u.unit, es.discounted_from(u, p_by_code) as price_minor
    from unnest(p_units) as u
    where u.terms -> v_kind = p_terms
    order by 2 desc, 1
  loop
    if (select count(*) from unnest(v_bought) as b (minor) where b.minor >= v_unit.price_minor)
      >= v_buy * ((v_got + v_get) / v_get)
    then
      v_got := v_got + 1;
    else
      v_lost := v_lost || v_unit.unit;
      v_bought := v_bought || v_unit.price_minor;
    end if;
  end loop;
  return v_lost;
end
$body$;

-- The units, first those that stay, then those that come, with what was not earned taken from the former: p_lost says which,
-- and they are at the price of their tier again.
create or replace function es.keep_earned(p_units es.cart_unit[], out units es.cart_unit[], out lost integer[])
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  select coalesce(array_agg(distinct gone.unit), '{}')
  into lost
  from (
    select distinct said.kind, said.terms
    from unnest(p_units) as u
    cross join lateral jsonb_each(u.terms) as said (kind, terms)
  ) given
  cross join lateral unnest(es.not_earned(p_units, given.terms, given.kind = 'code')) as gone (unit);
  units := p_units;
  if lost = '{}' then
    return;
  end if;
  select array_agg(
    case
      when u.unit = any (lost) then row(
        u.unit, u.line, u.ticket_type_id, u.donated, u.tier_id, u.list_minor, u.tier_minor,
        0, 0, u.tier_minor, 0, 0, 0, u.item_id, false, null
      )::es.cart_unit
      else u
    end
    order by u.unit
  )
  into units
  from unnest(p_units) as u;
end
$body$;

alter function es.kept_cart(uuid, uuid[]) owner to es_verbs;
alter function es.discount_terms(text, uuid[], integer, integer, integer) owner to es_verbs;
alter function es.not_earned(es.cart_unit[], jsonb, boolean) owner to es_verbs;
alter function es.keep_earned(es.cart_unit[]) owner to es_verbs;
revoke execute on function es.kept_cart(uuid, uuid[]) from public;
revoke execute on function es.discount_terms(text, uuid[], integer, integer, integer) from public;
revoke execute on function es.not_earned(es.cart_unit[], jsonb, boolean) from public;
revoke execute on function es.keep_earned(es.cart_unit[]) from public;
