-- Takes single units out of a registration that goes on: their stock is free again, their tickets admit nobody, and they
-- take with them what they cost. What stays keeps its price (price_kept).
-- Called from: cancel_registration, with the registration locked and found alive.
-- Raises: 22P02 when an id is no UUID.

-- The units meant: those of the request, or all when it names none; null when one of them is no unit of the registration.
create or replace function es.units_to_cancel(p_registration registrations, p_item_ids jsonb)
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_asked uuid[];
  v_live uuid[];
begin
  select array_agg(i.id) into v_live
  from registration_items i
  where i.registration_id = p_registration.id
    and i.cancelled_at is null;
  if jsonb_typeof(p_item_ids) is distinct from 'array' then
    return coalesce(v_live, '{}');
  end if;
  select array_agg(distinct asked.id::uuid) into v_asked from jsonb_array_elements_text(p_item_ids) as asked (id);
  if v_asked is null or not v_asked <@ v_live then
    return null;
  end if;
  return v_asked;
end
$body$;

-- What keeps these units from being cancelled; null when nothing does, and for members who may.
create or replace function es.cancel_problem(p_registration registrations, p_items uuid[], p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_minutes integer;
  v_after record;
begin
  if es.has_permission('registrations:write') and p_registration.org_id = es.current_org() then
    return null;
  end if;
  if p_registration.status = 'confirmed' then
    select e.cancellation_closes_minutes into v_minutes from events e where e.id = p_registration.event_id;
    if es.closed_for_buyers(p_registration, v_minutes, p_now) then
      return jsonb_build_object('outcome', 'cancellation_closed', 'registration_id', p_registration.id);
    end if;
    if exists (select from registration_items i where i.id = any (p_items) and i.given_away) then
      return jsonb_build_object('outcome', 'ticket_given_away', 'registration_id', p_registration.id);
    end if;
    if exists (
      select
      from tickets t
      where t.item_id = any (p_items)
        and es.ticket_used(t.id)
    ) then
      return jsonb_build_object('outcome', 'ticket_used', 'registration_id', p_registration.id);
    end if;
  end if;
  v_after := es.units_after(p_registration.id, p_items, '{}');
  return coalesce(
    es.too_few_left(p_registration, p_items, '{}'),
    case when v_after.types <> '{}' then es.add_ons_apart(p_registration, v_after.types, v_after.quantities) end
  );
end
$body$;

-- Types and numbers of the units that a registration has when these have left and others of these types have come.
create or replace function es.units_after(
  p_registration uuid,
  p_leaving uuid[],
  p_coming_types uuid[],
  out types uuid[],
  out quantities integer[]
)
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select coalesce(array_agg(w.id order by w.id), '{}'), coalesce(array_agg(w.quantity order by w.id), '{}')
  from (
    select u.id, count(*)::integer as quantity
    from (
      select i.ticket_type_id as id
      from registration_items i
      where i.registration_id = p_registration
        and i.cancelled_at is null
        and i.id <> all (p_leaving)
      union all
      select c.id
      from unnest(p_coming_types) as c (id)
    ) u
    group by u.id
  ) w
$body$;

-- What es.add_on_problem says of these units, unless it says something of those that are there already: what organizers
-- have changed since is no reason to refuse a change.
create or replace function es.add_ons_apart(p_registration registrations, p_types uuid[], p_quantities integer[])
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_problem constant jsonb := es.add_on_problem(p_registration.event_id, p_types, p_quantities);
  v_before record;
begin
  if v_problem is null then
    return null;
  end if;
  v_before := es.live_units(p_registration.id);
  if es.add_on_problem(p_registration.event_id, v_before.types, v_before.quantities) is not null then
    return null;
  end if;
  return v_problem;
end
$body$;

-- Whether a change may make the registration cost more: what is confirmed becomes dearer by members only, for whoever pays
-- agrees first.
create or replace function es.may_grow_dearer(p_registration registrations)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return p_registration.status <> 'confirmed'
    or (es.has_permission('registrations:write') and p_registration.org_id = es.current_org());
end
$body$;

-- Types of which fewer units would be left than a registration may have, though some are; null when there are none.
-- Types that units come to are judged with those, elsewhere.
create or replace function es.too_few_left(p_registration registrations, p_leaving uuid[], p_coming uuid[])
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_types jsonb;
begin
  select jsonb_agg(jsonb_build_object(
    'ticket_type_id', w.id, 'requested', w.staying, 'minimum', t.min_per_registration, 'maximum', t.max_per_registration
  ))
  into v_types
  from (
    select i.ticket_type_id as id, count(*) filter (where i.id <> all (p_leaving)) as staying, count(*) as before
    from registration_items i
    where i.registration_id = p_registration.id
      and i.cancelled_at is null
    group by i.ticket_type_id
  ) w
  join ticket_types t on t.id = w.id
  where w.staying between 1 and t.min_per_registration - 1
    and w.staying < w.before
    and w.id <> all (p_coming);
  if v_types is null then
    return null;
  end if;
  return jsonb_build_object('outcome', 'quantity_out_of_range', 'ticket_types', v_types);
end
$body$;

create or replace function es.cancel_units(p_registration registrations, p_items uuid[], p_reason text)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event events;
  v_stock record;
  v_total bigint;
begin
  select e.* into v_event from events e where e.id = p_registration.event_id;
  v_stock := es.change_stock(p_registration, v_event, p_items, '[]', es.may_grow_dearer(p_registration), null);
  if v_stock.problem ->> 'outcome' = 'hold_expired' then
    return jsonb_build_object('outcome', 'registration_expired', 'registration_id', p_registration.id);
  end if;
  if v_stock.problem is not null then
    return v_stock.problem;
  end if;
  update registration_items i set cancelled_at = v_stock.changed_at where i.id = any (p_items);
  perform es.cancel_tickets(array(select t.id from tickets t where t.item_id = any (p_items)), v_stock.changed_at);
  perform es.write_units(p_registration, p_items, v_stock.kept, v_stock.cart);
  v_total := es.write_sums(p_registration, v_stock.cart);
  perform es.tell_of_cancelled_units(p_registration, p_items, p_reason);
  perform emit_event(
    p_registration.org_id, 'registration.changed', 'registration', p_registration.id,
    jsonb_build_object('event_id', p_registration.event_id, 'total_minor', v_total)
  );
  perform record_audit(
    p_registration.org_id, 'registration.units_cancelled', 'registration', p_registration.id,
    jsonb_build_object('total_minor', p_registration.total_minor),
    jsonb_build_object('total_minor', v_total, 'item_ids', to_jsonb(p_items), 'cancel_reason', p_reason)
  );
  return jsonb_build_object(
    'outcome', 'units_cancelled', 'registration_id', p_registration.id, 'status', p_registration.status,
    'total_minor', v_total
  );
end
$body$;

alter function es.units_to_cancel(registrations, jsonb) owner to es_verbs;
alter function es.cancel_problem(registrations, uuid[], timestamptz) owner to es_verbs;
alter function es.units_after(uuid, uuid[], uuid[]) owner to es_verbs;
alter function es.add_ons_apart(registrations, uuid[], integer[]) owner to es_verbs;
alter function es.may_grow_dearer(registrations) owner to es_verbs;
alter function es.too_few_left(registrations, uuid[], uuid[]) owner to es_verbs;
alter function es.cancel_units(registrations, uuid[], text) owner to es_verbs;
revoke execute on function es.units_to_cancel(registrations, jsonb) from public;
revoke execute on function es.cancel_problem(registrations, uuid[], timestamptz) from public;
revoke execute on function es.units_after(uuid, uuid[], uuid[]) from public;
revoke execute on function es.add_ons_apart(registrations, uuid[], integer[]) from public;
revoke execute on function es.may_grow_dearer(registrations) from public;
revoke execute on function es.too_few_left(registrations, uuid[], uuid[]) from public;
revoke execute on function es.cancel_units(registrations, uuid[], text) from public;
