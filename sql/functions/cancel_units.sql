-- Takes single units out of a registration that goes on: their stock is free again, their tickets admit nobody, and the
-- total is less by what they cost.
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

-- What keeps these units from being cancelled; null when nothing does. For members who may it is their price alone: what
-- single ones of a reckoned price leave of it is not known.
create or replace function es.cancel_problem(p_registration registrations, p_items uuid[], p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_minutes integer;
  v_problem jsonb;
begin
  if cardinality(p_items) < es.unit_count(p_registration.id) then
    v_problem := es.priced_otherwise(p_registration);
    if v_problem is not null then
      return v_problem;
    end if;
  end if;
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
  return es.too_few_left(p_registration, p_items, '{}');
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
  v_now timestamptz;
  v_types uuid[];
  v_moved record;
  v_total bigint;
begin
  select array_agg(i.ticket_type_id) into v_types from registration_items i where i.id = any (p_items);
  if not p_registration.waits_without_stock then
    v_moved := es.stock_difference(
      p_registration, v_types, array_fill(1, array[cardinality(v_types)]), '{}', '{}',
      es.unit_count(p_registration.id) - cardinality(p_items)
    );
    perform es.lock_pools(v_moved.pools);
    v_now := es.clock();
    perform es.move_claims(p_registration, v_moved.pools, v_moved.deltas, null, v_now);
  end if;
  v_now := coalesce(v_now, es.clock());

  update registration_items i set cancelled_at = v_now where i.id = any (p_items);
  perform es.cancel_tickets(array(select t.id from tickets t where t.item_id = any (p_items)), v_now);
  v_total := es.live_total(p_registration.id);
  update registrations r
  set
    total_minor = v_total,
    balance_minor = r.balance_minor + case when r.status = 'confirmed' then v_total - r.total_minor else 0 end
  where r.id = p_registration.id;
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
alter function es.too_few_left(registrations, uuid[], uuid[]) owner to es_verbs;
alter function es.cancel_units(registrations, uuid[], text) owner to es_verbs;
revoke execute on function es.units_to_cancel(registrations, jsonb) from public;
revoke execute on function es.cancel_problem(registrations, uuid[], timestamptz) from public;
revoke execute on function es.too_few_left(registrations, uuid[], uuid[]) from public;
revoke execute on function es.cancel_units(registrations, uuid[], text) from public;
