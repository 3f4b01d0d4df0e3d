-- What people are shown of prices: the current price of a ticket type with its tier, and for members how much of a tier
-- or a code is used. All speak only of what the actor may see; of anything else they say nothing.
-- Called from: fields of TicketType, PriceTier, PromoCode.
-- Raises: nothing.
-- after: price_units

-- The tier that the next unit of a visible ticket type falls in; a row of nulls when it costs what is listed.
create or replace function es.current_tier(p_ticket_type uuid)
returns price_tiers
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_tier price_tiers;
begin
  select t.*
  into v_tier
  from es.open_tiers(array[p_ticket_type], es.clock(), false) o
  join price_tiers t on t.id = o.tier_id
  join ticket_types y on y.id = p_ticket_type and y.price_kind = 'fixed'
  where o.units_left > 0
    and (es.event_of_visible_type(p_ticket_type)).id is not null
  order by o.place
  limit 1;
  return v_tier;
end
$body$;

create or replace function public.ticket_type_current_price(p_ticket_type uuid)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_tier constant price_tiers := es.current_tier(p_ticket_type);
begin
  if v_tier.id is not null then
    return v_tier.price_minor;
  end if;
  return (
    select t.price_minor
    from ticket_types t
    where t.id = p_ticket_type
      and (es.event_of_visible_type(p_ticket_type)).id is not null
  );
end
$body$;

create or replace function public.ticket_type_current_tier_name(p_ticket_type uuid)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (es.current_tier(p_ticket_type)).name;
end
$body$;

create or replace function public.ticket_type_current_tier_ends_at(p_ticket_type uuid)
returns timestamptz
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (es.current_tier(p_ticket_type)).ends_at;
end
$body$;

create or replace function public.price_tier_claimed(p_tier uuid)
returns integer
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select p.claimed
    from price_tiers t
    join capacity_pools p on p.id = t.pool_id
    where t.id = p_tier
      and t.org_id = es.current_org()
      and es.has_permission('events:read')
  );
end
$body$;

create or replace function public.promo_code_uses(p_code uuid)
returns integer
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select p.claimed
    from promo_codes c
    join capacity_pools p on p.id = c.pool_id
    where c.id = p_code
      and c.org_id = es.current_org()
      and es.has_permission('promo_codes:read')
  );
end
$body$;

alter function es.current_tier(uuid) owner to es_system;
alter function public.ticket_type_current_price(uuid) owner to es_system;
alter function public.ticket_type_current_tier_name(uuid) owner to es_system;
alter function public.ticket_type_current_tier_ends_at(uuid) owner to es_system;
alter function public.price_tier_claimed(uuid) owner to es_verbs;
alter function public.promo_code_uses(uuid) owner to es_verbs;
revoke execute on function es.current_tier(uuid) from public;
revoke execute on function public.ticket_type_current_price(uuid) from public;
revoke execute on function public.ticket_type_current_tier_name(uuid) from public;
revoke execute on function public.ticket_type_current_tier_ends_at(uuid) from public;
revoke execute on function public.price_tier_claimed(uuid) from public;
revoke execute on function public.promo_code_uses(uuid) from public;
grant execute on function public.ticket_type_current_price(uuid) to es_public, es_attendee, es_member;
grant execute on function public.ticket_type_current_tier_name(uuid) to es_public, es_attendee, es_member;
grant execute on function public.ticket_type_current_tier_ends_at(uuid) to es_public, es_attendee, es_member;
grant execute on function public.price_tier_claimed(uuid) to es_member;
grant execute on function public.promo_code_uses(uuid) to es_member;
