-- Writes a registration that was found possible: the hold itself, one item per unit with its price, claims, counters,
-- secret, events and audit. Everything is decided; nothing is judged here but the counters' own constraint.
-- Called from: place_registration, with the pools locked.
-- Raises: 23514 capacity_pools_never_oversold, should the judgement ever be wrong.

-- What an attendee is found by: the address and the name. An address alone would give all tickets of a family one
-- name, and show a stranger who knows the address the name that somebody else gave.
create or replace function es.attendee_key(p_person jsonb)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $body$
  -- An address has no blank in it, so the two cannot run into each other.
  select lower(btrim(p_person ->> 'email')) || ' ' || btrim(p_person ->> 'name')
$body$;

-- The proved address of the signed-in person, so that a ticket for oneself belongs to one's account.
-- Crosses tenants: people belong to none, and the owner of the verbs reads no account.
create or replace function es.own_address()
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select u.email from users u where u.id = es.current_user_id() and u.email_verified_at is not null
  );
end
$body$;

-- Attendees, created where new; the ids by es.attendee_key. In one order, so that two buyers who name the same people
-- do not wait for each other in a circle.
create or replace function es.upsert_attendees(p_people jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_ids jsonb;
  v_own constant text := es.own_address();
begin
  insert into attendees (org_id, email, name)
  select distinct es.current_org(), lower(btrim(person ->> 'email')) as email, btrim(person ->> 'name') as name
  from jsonb_array_elements(p_people) as person
  where jsonb_typeof(person) = 'object'
  order by 2, 3
  on conflict on constraint attendees_person_key do nothing;

  if v_own is not null then
    update attendees a
    set user_id = es.current_user_id()
    where a.org_id = es.current_org()
      and a.email = v_own
      and a.user_id is null
      and exists (
        select
        from jsonb_array_elements(p_people) as person
        where jsonb_typeof(person) = 'object'
          and es.attendee_key(person) = a.email || ' ' || a.name
      );
  end if;

  select jsonb_object_agg(a.email || ' ' || a.name, a.id)
  into v_ids
  from attendees a
  join (
    select distinct lower(btrim(person ->> 'email')) as email, btrim(person ->> 'name') as name
    from jsonb_array_elements(p_people) as person
    where jsonb_typeof(person) = 'object'
  ) p on p.email = a.email and p.name = a.name
  where a.org_id = es.current_org();
  return coalesce(v_ids, '{}');
end
$body$;

-- The row of the registration itself; another number is drawn when one exists already.
create or replace function es.insert_hold(
  p_event events,
  p_occurrence uuid,
  p_buyer jsonb,
  p_cart es.priced_cart,
  p_code uuid,
  p_now timestamptz,
  p_source uuid
)
returns registrations
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_sums constant record := es.cart_sums(p_cart);
  v_made registrations;
begin
  for v_try in 1 .. 10 loop
    insert into registrations (
      org_id, event_id, occurrence_id, user_id, confirmation_number, status,
      buyer_name, buyer_email, promo_code_id, currency, discount_minor, fee_minor, tax_minor, added_minor, total_minor,
      placed_at, expires_at, source_id
    )
    values (
      p_event.org_id, p_event.id, p_occurrence, es.current_user_id(), new_confirmation_number(p_event.org_id), 'held',
      btrim(p_buyer ->> 'name'), lower(btrim(p_buyer ->> 'email')), p_code, p_event.currency,
      v_sums.discount_minor, v_sums.fee_minor, v_sums.tax_minor, v_sums.added_minor, v_sums.total_minor,
      p_now, p_now + make_interval(secs => p_event.hold_seconds), p_source
    )
    on conflict on constraint registrations_number_key do nothing
    returning * into v_made;
    if found then
      return v_made;
    end if;
  end loop;
  raise exception 'no free confirmation number in ten draws' using errcode = 'ES500';
end
$body$;

-- One item per unit with everything it was charged, in the order of the cart, and a row for each fee and tax.
create or replace function es.write_items(
  p_made registrations,
  p_items jsonb,
  p_cart es.priced_cart,
  p_attendees jsonb
)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  insert into registration_items (
    org_id, event_id, registration_id, ticket_type_id, attendee_id, position, price_minor, currency,
    tier_id, tier_minor, discount_minor, code_discount_minor, fee_minor, tax_minor, added_minor, coded, discount_terms
  )
  select
    p_made.org_id,
    p_made.event_id,
    p_made.id,
    u.ticket_type_id,
    (p_attendees ->> es.attendee_key(p_items -> (u.line - 1) -> 'attendees' -> (u.nth - 1)::integer))::uuid,
    u.unit,
    u.price_minor,
    p_made.currency,
    u.tier_id,
    u.list_minor - u.tier_minor,
    u.discount_minor + u.code_minor,
    u.code_minor,
    u.fee_minor,
    u.tax_minor,
    u.added_minor,
    u.coded,
    u.terms
  from (
    select x.*, row_number() over (partition by x.line order by x.unit) as nth
    from unnest(p_cart.units) as x
  ) u;

  perform es.write_charges(p_made, p_cart, array(select i.id from registration_items i where i.registration_id = p_made.id));
end
$body$;

-- A row for each fee and tax of these items, which have none. Units of the cart are items by their key; in a cart that was
-- just placed, where they have none, by their place.
create or replace function es.write_charges(p_made registrations, p_cart es.priced_cart, p_items uuid[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if cardinality(p_cart.charges) = 0 then
    return;
  end if;
  insert into registration_item_charges (
    org_id, event_id, registration_id, item_id, kind, fee_kind, name, rate_millionths, inclusive, amount_minor, base_minor,
    currency, position
  )
  select
    p_made.org_id, p_made.event_id, p_made.id, i.id, c.kind, c.fee_kind, c.name, c.rate_millionths, c.inclusive,
    c.amount_minor, c.base_minor, p_made.currency, row_number() over (partition by c.unit order by c.place)
  from unnest(p_cart.charges) with ordinality as c
    (unit, kind, fee_kind, name, rate_millionths, inclusive, amount_minor, base_minor, place)
  join unnest(p_cart.units) as u on u.unit = c.unit
  join registration_items i
    on i.registration_id = p_made.id
    and (i.id = u.item_id or (u.item_id is null and i.position = u.unit))
  where i.id = any (p_items)
  order by c.place;
end
$body$;

create or replace function es.write_registration(
  p_request jsonb,
  p_event events,
  p_occurrence uuid,
  p_cart es.priced_cart,
  p_code promo_codes,
  p_pools uuid[],
  p_needs integer[],
  p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_made registrations;
  v_attendees jsonb := '{}';
begin
  v_made := es.insert_hold(
    p_event, p_occurrence, p_request -> 'buyer', p_cart, p_code.id, p_now, es.source_id(p_request -> 'source')
  );

  if jsonb_path_exists(p_request, '$.items[*].attendees[*]') then
    v_attendees := es.upsert_attendees(jsonb_path_query_array(p_request, '$.items[*].attendees[*]'));
  end if;

  perform es.write_items(v_made, p_request -> 'items', p_cart, v_attendees);

  insert into pool_claims (org_id, event_id, pool_id, registration_id, quantity, expires_at)
  select v_made.org_id, v_made.event_id, d.pool_id, v_made.id, d.need, v_made.expires_at
  from unnest(p_pools, p_needs) as d (pool_id, need);

  update capacity_pools p
  set claimed = p.claimed + d.need
  from unnest(p_pools, p_needs) as d (pool_id, need)
  where p.id = d.pool_id;

  if p_request ->> 'guest_secret_hash' is not null then
    insert into registration_secrets (registration_id, org_id, secret_hash)
    values (v_made.id, v_made.org_id, decode(p_request ->> 'guest_secret_hash', 'hex'));
  end if;

  perform emit_event(
    v_made.org_id, 'registration.held', 'registration', v_made.id,
    jsonb_build_object('event_id', v_made.event_id, 'expires_at', v_made.expires_at)
  );
  perform record_audit(
    v_made.org_id, 'registration.placed', 'registration', v_made.id, null,
    jsonb_build_object('status', v_made.status, 'event_id', v_made.event_id, 'total_minor', v_made.total_minor, 'currency', v_made.currency)
  );
  return jsonb_build_object(
    'outcome', 'placed',
    'registration_id', v_made.id,
    'confirmation_number', v_made.confirmation_number,
    'status', v_made.status,
    'expires_at', v_made.expires_at,
    'total_minor', v_made.total_minor,
    'currency', v_made.currency
  );
end
$body$;

alter function es.own_address() owner to es_system;
revoke execute on function es.own_address() from public;
grant execute on function es.own_address() to es_verbs;
alter function es.attendee_key(jsonb) owner to es_verbs;
revoke execute on function es.attendee_key(jsonb) from public;
alter function es.upsert_attendees(jsonb) owner to es_verbs;
alter function es.insert_hold(events, uuid, jsonb, es.priced_cart, uuid, timestamptz, uuid) owner to es_verbs;
alter function es.write_items(registrations, jsonb, es.priced_cart, jsonb) owner to es_verbs;
alter function es.write_charges(registrations, es.priced_cart, uuid[]) owner to es_verbs;
alter function es.write_registration(jsonb, events, uuid, es.priced_cart, promo_codes, uuid[], integer[], timestamptz) owner to es_verbs;
revoke execute on function es.upsert_attendees(jsonb) from public;
revoke execute on function es.insert_hold(events, uuid, jsonb, es.priced_cart, uuid, timestamptz, uuid) from public;
revoke execute on function es.write_items(registrations, jsonb, es.priced_cart, jsonb) from public;
revoke execute on function es.write_charges(registrations, es.priced_cart, uuid[]) from public;
revoke execute on function es.write_registration(jsonb, events, uuid, es.priced_cart, promo_codes, uuid[], integer[], timestamptz) from public;
