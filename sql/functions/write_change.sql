-- Writes a change that was found possible: units, names, tickets, total. Nothing is judged here.
-- Called from: change_registration, with the registration locked and its stock moved; write_units and write_sums from
--   extend_registration and cancel_registration (es.cancel_units) too; the program asks
-- registration_admission beforehand what to sign.
-- Raises: 23505 when a key of an added unit is taken.

-- What codes for a registration are signed with; no row unless it is confirmed, for only then are codes needed.
create or replace function public.registration_admission(p_registration uuid)
returns table (event_id uuid, occurrence_id uuid)
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return query
  select r.event_id, r.occurrence_id
  from registrations r
  where r.id = p_registration
    and r.status = 'confirmed'
    and es.may_act_on(r);
end
$body$;

-- Whether a unit of the request comes without a signed code.
create or replace function es.codes_missing(p_request jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return exists (
    select
    from jsonb_array_elements(
      coalesce(p_request -> 'swaps', '[]') || coalesce(p_request -> 'adds', '[]') || coalesce(p_request -> 'reassigns', '[]')
    ) as one
    where not exists (
      select
      from jsonb_array_elements(coalesce(p_request -> 'tickets', '[]')) as signed
      where signed ->> 'item_id' = one ->> 'item_id'
    )
  );
end
$body$;

-- Gives the items the types and prices of the cart, adds those that it has more behind the last one, and writes the charges
-- of what is priced otherwise than before. Of the units that were there, p_kept stay and p_leaving are priced anew.
create or replace function es.write_units(
  p_found registrations,
  p_leaving uuid[],
  p_kept es.priced_cart,
  p_cart es.priced_cart
)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_last constant integer := (
    select max(i.position) from registration_items i where i.registration_id = p_found.id
  );
  v_changed constant uuid[] := array(
    select u.item_id
    from unnest(p_cart.units) as u
    left join unnest(p_kept.units) as k on k.item_id = u.item_id
    where u is distinct from k
      or array(select c from unnest(p_cart.charges) as c where c.unit = u.unit order by c)
        <> array(select c from unnest(p_kept.charges) as c where c.unit = u.unit order by c)
  );
begin
  update registration_items i
  set
    ticket_type_id = u.ticket_type_id,
    price_minor = u.price_minor,
    tier_id = u.tier_id,
    tier_minor = u.list_minor - u.tier_minor,
    discount_minor = u.discount_minor + u.code_minor,
    code_discount_minor = u.code_minor,
    fee_minor = u.fee_minor,
    tax_minor = u.tax_minor,
    added_minor = u.added_minor,
    coded = u.coded,
    discount_terms = u.terms
  from unnest(p_cart.units) as u
  where i.id = u.item_id
    and i.registration_id = p_found.id
    and i.id = any (v_changed);

  insert into registration_items (
    id, org_id, event_id, registration_id, ticket_type_id, position, price_minor, currency,
    tier_id, tier_minor, discount_minor, code_discount_minor, fee_minor, tax_minor, added_minor, coded, discount_terms
  )
  select
    u.item_id, p_found.org_id, p_found.event_id, p_found.id, u.ticket_type_id,
    v_last + row_number() over (order by u.unit), u.price_minor, p_found.currency,
    u.tier_id, u.list_minor - u.tier_minor, u.discount_minor + u.code_minor, u.code_minor, u.fee_minor, u.tax_minor,
    u.added_minor, u.coded, u.terms
  from unnest(p_cart.units) as u
  where u.item_id <> all (p_leaving)
    and not exists (select from unnest(p_kept.units) as k where k.item_id = u.item_id and k.unit = u.unit);

  delete from registration_item_charges c where c.item_id = any (v_changed) and c.registration_id = p_found.id;
  perform es.write_charges(p_found, p_cart, v_changed);
end
$body$;

-- Brings the sums of a registration in line with this cart. What is confirmed notes the difference: it is still to be paid,
-- or to be given back; and its invoice is corrected.
create or replace function es.write_sums(p_found registrations, p_cart es.priced_cart)
returns bigint
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_sums constant record := es.cart_sums(p_cart);
begin
  update registrations r
  set
    discount_minor = v_sums.discount_minor,
    fee_minor = v_sums.fee_minor,
    tax_minor = v_sums.tax_minor,
    added_minor = v_sums.added_minor,
    total_minor = v_sums.total_minor,
    balance_minor = r.balance_minor + case when r.status = 'confirmed' then v_sums.total_minor - r.total_minor else 0 end
  where r.id = p_found.id;
  if p_found.status = 'confirmed' then
    perform es.correct_invoice(p_found.id);
  end if;
  return v_sums.total_minor;
end
$body$;

create or replace function es.write_names(p_found registrations, p_request jsonb)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_people constant jsonb := jsonb_path_query_array(
    coalesce(p_request -> 'adds', '[]') || coalesce(p_request -> 'reassigns', '[]'),
    '$[*] ? (exists (@.email))'
  );
  v_ids jsonb;
begin
  if v_people = '[]' then
    return;
  end if;
  v_ids := es.upsert_attendees(v_people);
  update registration_items i
  set attendee_id = (v_ids ->> es.attendee_key(given.person))::uuid
  from jsonb_array_elements(v_people) as given (person)
  where i.id = (given.person ->> 'item_id')::uuid
    and i.registration_id = p_found.id;
end
$body$;

-- New tickets for units whose type or attendee is no longer that of their ticket, and for those that have none.
create or replace function es.reissue(p_found registrations, p_tickets jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_item registration_items;
  v_old tickets;
  v_signed jsonb;
begin
  for v_item in
    select i.*
    from registration_items i
    where i.registration_id = p_found.id
      and i.cancelled_at is null
    order by i.position
  loop
    select t.* into v_old from tickets t where t.item_id = v_item.id and t.status in ('valid', 'blocked');
    continue when found
      and v_old.ticket_type_id = v_item.ticket_type_id
      and v_old.attendee_id is not distinct from v_item.attendee_id;
    select signed into v_signed
    from jsonb_array_elements(p_tickets) as signed
    where (signed ->> 'item_id')::uuid = v_item.id
    limit 1;
    -- A unit that this change did not name: its ticket is older than a name that was given in another way.
    continue when v_signed is null;
    if v_old.id is null then
      perform es.issue_ticket(v_item, v_signed, 'valid', false, null, p_now);
    else
      perform es.replace_ticket(v_old, v_item, v_signed, false, null, p_now);
      perform es.withdraw_offers(array[v_old.id], p_now);
    end if;
  end loop;
end
$body$;

-- Tells of a change that was written; p_total is what the registration costs now.
create or replace function es.write_change(p_found registrations, p_total bigint)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform emit_event(
    p_found.org_id, 'registration.changed', 'registration', p_found.id,
    jsonb_build_object('event_id', p_found.event_id, 'total_minor', p_total)
  );
  perform record_audit(
    p_found.org_id, 'registration.changed', 'registration', p_found.id,
    jsonb_build_object('total_minor', p_found.total_minor),
    jsonb_build_object('total_minor', p_total, 'units', es.unit_count(p_found.id))
  );
  return jsonb_build_object(
    'outcome', 'changed', 'registration_id', p_found.id, 'status', p_found.status,
    'total_before', p_found.total_minor, 'total_minor', p_total
  );
end
$body$;

alter function public.registration_admission(uuid) owner to es_verbs;
alter function es.codes_missing(jsonb) owner to es_verbs;
alter function es.write_units(registrations, uuid[], es.priced_cart, es.priced_cart) owner to es_verbs;
alter function es.write_sums(registrations, es.priced_cart) owner to es_verbs;
alter function es.write_names(registrations, jsonb) owner to es_verbs;
alter function es.reissue(registrations, jsonb, timestamptz) owner to es_verbs;
alter function es.write_change(registrations, bigint) owner to es_verbs;
revoke execute on function public.registration_admission(uuid) from public;
revoke execute on function es.codes_missing(jsonb) from public;
revoke execute on function es.write_units(registrations, uuid[], es.priced_cart, es.priced_cart) from public;
revoke execute on function es.write_sums(registrations, es.priced_cart) from public;
revoke execute on function es.write_names(registrations, jsonb) from public;
revoke execute on function es.reissue(registrations, jsonb, timestamptz) from public;
revoke execute on function es.write_change(registrations, bigint) from public;
grant execute on function public.registration_admission(uuid) to es_attendee, es_member;
