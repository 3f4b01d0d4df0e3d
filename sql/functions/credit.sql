-- Placing with stock that was set aside: a hold of staff, an offer to somebody who waited, a code that reserves (R9). What
-- was set aside is converted, under the locks of its pools, into the claims of the registration; only what it lacks is
-- public stock.
-- Called from: place_registration, in this order: open_credit before the pools are locked (it locks the hold; the entry
--   of an offer is locked by accept_waitlist_offer), weigh_credit under the locks, spend_credit before writing.
-- Raises: nothing.
-- after: price_codes
-- Of the request: hold_id (members with registrations:write), hold_key_hash (hex; whoever was given the key), or
--   waitlist_offer_id (accept_waitlist_offer alone).
-- Lines between lock:begin and lock:end keep a hold from being sold twice, with those of place_registration; a test takes
-- them out and watches.

-- Which hold or offer is meant. The kind is null when there is none; pools are those that it and the code claim now.
create or replace function es.open_credit(
  p_request jsonb,
  p_event uuid,
  p_code promo_codes,
  out problem jsonb,
  out kind text,
  out id uuid,
  out pools uuid[]
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_hold stock_holds;
begin
  pools := array(
    select c.pool_id
    from pool_claims c
    where c.promo_code_id = p_code.id
      and c.released_at is null
  );
  if p_request ->> 'waitlist_offer_id' is not null then
    kind := 'offer';
    id := (p_request ->> 'waitlist_offer_id')::uuid;
    pools := pools || array(
      select c.pool_id
      from pool_claims c
      where c.waitlist_offer_id = open_credit.id
        and c.released_at is null
    );
    return;
  end if;
  if p_request ->> 'hold_id' is null and p_request ->> 'hold_key_hash' is null then
    return;
  end if;

  select h.*
  into v_hold
  from stock_holds h
  left join hold_secrets s on s.hold_id = h.id
  where h.event_id = p_event
    and case
      when p_request ->> 'hold_id' is not null
        then h.id = (p_request ->> 'hold_id')::uuid and es.has_permission('registrations:write')
      else s.secret_hash = decode(p_request ->> 'hold_key_hash', 'hex')
    end
  -- lock:begin
  for no key update of h
  -- lock:end
  ;
  if not found then
    problem := jsonb_build_object('outcome', 'hold_not_found');
  elsif v_hold.status <> 'active' then
    problem := jsonb_build_object('outcome', 'hold_ended', 'hold_id', v_hold.id);
  else
    kind := 'hold';
    id := v_hold.id;
    pools := pools || array(
      select c.pool_id
      from pool_claims c
      where c.hold_id = v_hold.id
        and c.released_at is null
    );
  end if;
end
$body$;

-- Units that are sold from a hold by this placing: of its ticket type, or of its pool.
create or replace function es.units_from_hold(
  p_hold stock_holds,
  p_occurrence uuid,
  p_types uuid[],
  p_quantities integer[],
  p_pools uuid[],
  p_needs integer[]
)
returns integer
language sql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select case
    when p_hold.occurrence_id is not null and p_hold.occurrence_id <> p_occurrence then 0
    when p_hold.pool_id is null then coalesce(p_quantities[array_position(p_types, p_hold.ticket_type_id)], 0)
    else coalesce(p_needs[array_position(p_pools, p_hold.pool_id)], 0)
  end
$body$;

-- What is needed beyond what the code reserves, pool by pool as p_needs.
create or replace function es.beyond_code(
  p_code promo_codes,
  p_occurrence uuid,
  p_types uuid[],
  p_quantities integer[],
  p_pools uuid[],
  p_needs integer[],
  p_now timestamptz
)
returns integer[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_types constant uuid[] := coalesce(es.types_of_code(p_code, p_code.event_id), p_types);
  v_for_code record;
begin
  select array_agg(w.id) as types, array_agg(w.quantity) as quantities
  into v_for_code
  from unnest(p_types, p_quantities) as w (id, quantity)
  where w.id = any (v_types);
  v_for_code := es.pool_demand(p_occurrence, v_for_code.types, v_for_code.quantities);
  return (
    select array_agg(d.need - coalesce(least(c.quantity, f.need), 0) order by d.place)
    from unnest(p_pools, p_needs) with ordinality as d (pool_id, need, place)
    left join (
      unnest(v_for_code.pools, v_for_code.needs) as f (pool_id, need)
      join pool_claims c
        on c.pool_id = f.pool_id
        and c.promo_code_id = p_code.id
        and c.released_at is null
        and (c.expires_at is null or c.expires_at > p_now)
    ) on f.pool_id = d.pool_id
  );
end
$body$;

-- What is needed beyond the code, the hold or the offer, pool by pool as p_needs; the units that a hold gives, and the
-- uses that are made of a code that reserves.
create or replace function es.weigh_credit(
  p_kind text,
  p_id uuid,
  p_code promo_codes,
  p_occurrence uuid,
  p_types uuid[],
  p_quantities integer[],
  p_pools uuid[],
  p_needs integer[],
  p_now timestamptz,
  out problem jsonb,
  out units integer,
  out code_units integer,
  out needs integer[]
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_hold stock_holds;
begin
  needs := p_needs;
  if exists (select from pool_claims c where c.promo_code_id = p_code.id and c.released_at is null) then
    code_units := es.code_uses(p_code, p_code.event_id, p_types, p_quantities);
    needs := es.beyond_code(p_code, p_occurrence, p_types, p_quantities, p_pools, p_needs, p_now);
  end if;
  if p_kind is null then
    return;
  end if;
  if p_kind = 'offer' then
    if not exists (
      select from waitlist_offers o where o.id = p_id and o.status = 'offered' and o.expires_at > p_now
    ) then
      problem := jsonb_build_object('outcome', 'offer_expired', 'offer_id', p_id);
    end if;
  else
    select h.* into v_hold from stock_holds h where h.id = p_id;
    units := es.units_from_hold(v_hold, p_occurrence, p_types, p_quantities, p_pools, p_needs);
    if v_hold.expires_at <= p_now then
      problem := jsonb_build_object('outcome', 'hold_ended', 'hold_id', p_id);
    elsif units = 0 then
      problem := jsonb_build_object('outcome', 'hold_keeps_others', 'hold_id', p_id);
    elsif units > v_hold.quantity - v_hold.sold then
      problem := jsonb_build_object('outcome', 'hold_used_up', 'hold_id', p_id, 'left', v_hold.quantity - v_hold.sold);
    end if;
  end if;
  if problem is not null then
    return;
  end if;

  select array_agg(
    case
      when c.id is null then d.need
      else d.need - least(c.quantity, d.need, coalesce(units, d.need))
    end
    order by d.place
  )
  into needs
  from unnest(p_pools, needs) with ordinality as d (pool_id, need, place)
  left join pool_claims c
    on c.pool_id = d.pool_id
    and c.released_at is null
    and case p_kind when 'offer' then c.waitlist_offer_id = p_id else c.hold_id = p_id end;
end
$body$;

-- Takes the units out of the hold, or ends the claims of the offer, and takes the uses out of what the code reserves; every
-- pool that they claim is locked.
create or replace function es.spend_credit(
  p_kind text,
  p_id uuid,
  p_units integer,
  p_code promo_codes,
  p_code_units integer,
  p_now timestamptz
)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_sold integer;
begin
  if p_code_units > 0 then
    perform es.shrink_code_claims(p_code.id, p_code_units, p_now);
  end if;
  if p_kind = 'offer' then
    perform es.give_back(
      array(select c.id from pool_claims c where c.waitlist_offer_id = p_id and c.released_at is null),
      p_now
    );
  elsif p_kind = 'hold' then
    update stock_holds h
    set sold = h.sold + p_units
    where h.id = p_id
    returning h.sold into v_sold;
    perform es.set_hold_claims(p_id, p_now);
    perform record_audit(
      es.current_org(), 'hold.sold', 'hold', p_id,
      jsonb_build_object('sold', v_sold - p_units), jsonb_build_object('sold', v_sold)
    );
  end if;
end
$body$;

-- Takes so many units out of each claim of a code; all their pools are locked.
create or replace function es.shrink_code_claims(p_code uuid, p_units integer, p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform es.give_back(
    array(
      select c.id
      from pool_claims c
      where c.promo_code_id = p_code
        and c.released_at is null
        and c.quantity <= p_units
    ),
    p_now
  );
  with shrunk as (
    update pool_claims c
    set quantity = c.quantity - p_units
    where c.promo_code_id = p_code
      and c.released_at is null
    returning c.pool_id
  )
  update capacity_pools p
  set claimed = p.claimed - p_units
  from shrunk
  where p.id = shrunk.pool_id;
end
$body$;

-- Brings the claims of a locked hold in line with what it still keeps: in each of the pools that it claims, the units
-- that are not sold yet, until its expiry. All these pools are locked, and what is added was found free.
create or replace function es.set_hold_claims(p_hold uuid, p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_hold stock_holds;
begin
  select h.* into v_hold from stock_holds h where h.id = p_hold;
  if v_hold.sold = v_hold.quantity or v_hold.status <> 'active' then
    perform es.give_back(array(select c.id from pool_claims c where c.hold_id = p_hold and c.released_at is null), p_now);
    return;
  end if;
  update capacity_pools p
  set claimed = p.claimed + v_hold.quantity - v_hold.sold - c.quantity
  from pool_claims c
  where c.hold_id = p_hold
    and c.released_at is null
    and p.id = c.pool_id;
  update pool_claims c
  set
    quantity = v_hold.quantity - v_hold.sold,
    expires_at = v_hold.expires_at
  where c.hold_id = p_hold
    and c.released_at is null;
end
$body$;

alter function es.open_credit(jsonb, uuid, promo_codes) owner to es_verbs;
alter function es.units_from_hold(stock_holds, uuid, uuid[], integer[], uuid[], integer[]) owner to es_verbs;
alter function es.beyond_code(promo_codes, uuid, uuid[], integer[], uuid[], integer[], timestamptz) owner to es_verbs;
alter function es.weigh_credit(text, uuid, promo_codes, uuid, uuid[], integer[], uuid[], integer[], timestamptz) owner to es_verbs;
alter function es.spend_credit(text, uuid, integer, promo_codes, integer, timestamptz) owner to es_verbs;
alter function es.shrink_code_claims(uuid, integer, timestamptz) owner to es_verbs;
alter function es.set_hold_claims(uuid, timestamptz) owner to es_verbs;
revoke execute on function es.open_credit(jsonb, uuid, promo_codes) from public;
revoke execute on function es.units_from_hold(stock_holds, uuid, uuid[], integer[], uuid[], integer[]) from public;
revoke execute on function es.beyond_code(promo_codes, uuid, uuid[], integer[], uuid[], integer[], timestamptz) from public;
revoke execute on function es.weigh_credit(text, uuid, promo_codes, uuid, uuid[], integer[], uuid[], integer[], timestamptz) from public;
revoke execute on function es.spend_credit(text, uuid, integer, promo_codes, integer, timestamptz) from public;
revoke execute on function es.shrink_code_claims(uuid, integer, timestamptz) from public;
revoke execute on function es.set_hold_claims(uuid, timestamptz) from public;
grant execute on function es.shrink_code_claims(uuid, integer, timestamptz) to es_system;
