-- Changes a registration that lives: gives units another ticket type, adds units, says who comes. Judged as a
-- difference: what leaves and comes within one full pool needs no stock, a new name needs none at all (R13). Units that
-- stay keep their price; those that come have the price of now, in the company of all (price_kept, price_cart).
-- Request: {registration_id, swaps?: [{item_id, ticket_type_id}],
--   adds?: [{item_id, ticket_type_id, price_minor?, currency?, name?, email?}],
--   reassigns?: [{item_id, name, email}], tickets?: [{ticket_id, item_id, code}], expected_total_minor?, expected_currency?,
--   idempotency_key?, argument_hash? (hex)}.
--   Keys of added units are made by the caller, who signs their codes. A confirmed registration needs a code for every
--   unit that is added, swapped or given another name: the old code admits nobody from then on. price_minor: for donations.
--   The registration's promo code counts for what comes as long as it may be used.
-- Outcomes: changed (registration_id, status, total_before, total_minor), registration_not_found, hold_expired,
--   not_changeable (status), item_not_found, ticket_given_away, ticket_used, tickets_missing (it was confirmed after codes
--   were to be signed: ask again), sold_out, ticket_type_not_found, sale_not_open, occurrence_not_found,
--   quantity_out_of_range, add_on_out_of_range, price_out_of_range, code_used_up, code_used_by_buyer (what comes would use
--   the code more often than one may), invalid (field, message); and for buyers changes_closed (changes_close_minutes
--   before the date), approval_required (what was approved is to grow), payment_required (total_minor: what is confirmed is
--   to cost more). With expected_total_minor also price_changed (total_minor, currency, unit): nothing was changed.
-- Who may: the buyer (user or guest secret), members with registrations:write.
-- Called from: the verb changeRegistration.
-- Raises: ES400 and ES409 as es.idempotency_begin; 22P02 when an id is no UUID.

-- What can be said of a change without a look at the registration; null, or what is wrong.
create or replace function es.change_problem(p_request jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_person jsonb;
  v_problem jsonb;
  v_count constant integer := jsonb_array_length(coalesce(p_request -> 'swaps', '[]'))
    + jsonb_array_length(coalesce(p_request -> 'adds', '[]'))
    + jsonb_array_length(coalesce(p_request -> 'reassigns', '[]'));
begin
  if v_count not between 1 and 200 then
    return jsonb_build_object('outcome', 'invalid', 'field', 'changes', 'message', 'between 1 and 200 changes are made at once');
  end if;
  for v_person in
    select person
    from jsonb_array_elements(coalesce(p_request -> 'reassigns', '[]') || coalesce(p_request -> 'adds', '[]')) as person
    where person ? 'email'
  loop
    v_problem := es.person_problem('attendees', v_person);
    if v_problem is not null then
      return v_problem;
    end if;
  end loop;
  return null;
end
$body$;

-- What keeps this registration, or a unit that is named, from being changed by the actor; null when nothing does.
create or replace function es.change_refused(p_found registrations, p_event events, p_request jsonb, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_staff constant boolean := es.has_permission('registrations:write') and p_found.org_id = es.current_org();
  v_grows constant boolean := jsonb_array_length(
    coalesce(p_request -> 'swaps', '[]') || coalesce(p_request -> 'adds', '[]')
  ) > 0;
  v_named constant uuid[] := array(
    select distinct (one ->> 'item_id')::uuid
    from jsonb_array_elements(coalesce(p_request -> 'swaps', '[]') || coalesce(p_request -> 'reassigns', '[]')) as one
  );
begin
  if p_found.status = 'held' and p_found.expires_at <= p_now then
    perform es.end_expired_hold(p_found.id, p_now);
    return jsonb_build_object('outcome', 'hold_expired', 'registration_id', p_found.id);
  end if;
  if p_found.status not in ('held', 'pending_approval', 'pending_payment', 'confirmed') then
    return jsonb_build_object('outcome', 'not_changeable', 'status', p_found.status);
  end if;
  if p_found.status = 'confirmed' and es.closed_for_buyers(p_found, p_event.changes_close_minutes, p_now) then
    return jsonb_build_object('outcome', 'changes_closed');
  end if;
  if not v_staff and v_grows and p_event.requires_approval and p_found.status in ('pending_payment', 'confirmed') then
    return jsonb_build_object('outcome', 'approval_required');
  end if;
  if cardinality(v_named) <> (
    select count(*)
    from registration_items i
    where i.id = any (v_named)
      and i.registration_id = p_found.id
      and i.cancelled_at is null
  ) then
    return jsonb_build_object('outcome', 'item_not_found');
  end if;
  if exists (select from registration_items i where i.id = any (v_named) and i.given_away) then
    return jsonb_build_object('outcome', 'ticket_given_away');
  end if;
  -- The door waits for these rows too: a ticket is either used or replaced.
  perform from tickets t
  where t.item_id = any (v_named)
    and t.status in ('valid', 'blocked')
  order by t.id
  for no key update;
  if exists (
    select
    from tickets t
    where t.item_id = any (v_named)
      and t.status in ('valid', 'blocked')
      and es.ticket_used(t.id)
  ) then
    return jsonb_build_object('outcome', 'ticket_used');
  end if;
  return null;
end
$body$;

-- The units that leave a type, and the items that come: one for each unit, those that left first, each with its key.
create or replace function es.plan_change(p_request jsonb, out leaving uuid[], out items jsonb)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  -- Whoever asks for the type that a unit has, asks for nothing.
  select
    coalesce(array_agg(i.id order by i.position), '{}'),
    coalesce(
      jsonb_agg(jsonb_build_object('item_id', i.id, 'ticket_type_id', s.type, 'quantity', 1) order by i.position), '[]'
    )
  into leaving, items
  from (
    select distinct on (1) (one ->> 'item_id')::uuid as item, (one ->> 'ticket_type_id')::uuid as type
    from jsonb_array_elements(coalesce(p_request -> 'swaps', '[]')) with ordinality as given (one, place)
    order by 1, place desc
  ) s
  join registration_items i on i.id = s.item and i.ticket_type_id <> s.type;

  items := items || coalesce(
    (
      select jsonb_agg(one - 'name' - 'email' || '{"quantity": 1}' order by place)
      from jsonb_array_elements(coalesce(p_request -> 'adds', '[]')) with ordinality as given (one, place)
    ),
    '[]'
  );
end
$body$;

-- Whether what comes could be bought now, stock aside: each type in the number that the registration would have of it, with
-- what its code unlocks, and add-ons with their tickets.
create or replace function es.change_not_sold(
  p_found registrations,
  p_event events,
  p_leaving uuid[],
  p_items jsonb,
  p_now timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_coming constant uuid[] := array(select (one ->> 'ticket_type_id')::uuid from jsonb_array_elements(p_items) as one);
  v_after record;
  v_wanted record;
  v_units constant integer := es.unit_count(p_found.id) - cardinality(p_leaving) + cardinality(v_coming);
  v_problem jsonb;
begin
  if cardinality(v_coming) = 0 then
    return null;
  end if;
  if p_event.status <> 'published' then
    return jsonb_build_object('outcome', 'sale_not_open', 'ticket_types', '[]'::jsonb);
  end if;
  v_after := es.units_after(p_found.id, p_leaving, v_coming);
  select array_agg(w.id) as types, array_agg(w.quantity) as quantities
  into v_wanted
  from unnest(v_after.types, v_after.quantities) as w (id, quantity)
  where w.id = any (v_coming);
  v_problem := coalesce(
    (es.choose_occurrence(p_event.id, p_found.occurrence_id, p_now)).problem,
    (
      es.judge_wishes(
        p_event, v_wanted.types, v_wanted.quantities, p_now,
        es.types_unlocked(es.code_of(p_found, true, p_now), p_event.id, p_now)
      )
    ).problem,
    es.chosen_price_problem(p_event, p_items),
    es.add_ons_apart(p_found, v_after.types, v_after.quantities)
  );
  if v_problem is null and v_units > p_event.max_tickets_per_registration then
    return jsonb_build_object(
      'outcome', 'quantity_out_of_range', 'requested', v_units, 'maximum', p_event.max_tickets_per_registration,
      'ticket_types', '[]'::jsonb
    );
  end if;
  if v_problem is null and not es.has_permission('registrations:write') then
    v_problem := es.too_few_left(p_found, p_leaving, v_coming);
  end if;
  return v_problem;
end
$body$;

alter function es.change_problem(jsonb) owner to es_verbs;
alter function es.change_refused(registrations, events, jsonb, timestamptz) owner to es_verbs;
alter function es.plan_change(jsonb) owner to es_verbs;
alter function es.change_not_sold(registrations, events, uuid[], jsonb, timestamptz) owner to es_verbs;
revoke execute on function es.change_problem(jsonb) from public;
revoke execute on function es.change_refused(registrations, events, jsonb, timestamptz) from public;
revoke execute on function es.plan_change(jsonb) from public;
revoke execute on function es.change_not_sold(registrations, events, uuid[], jsonb, timestamptz) from public;

create or replace function es.try_to_change(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found registrations;
  v_event events;
  v_plan record;
  v_stock record;
  v_now timestamptz;
  v_total bigint;
  v_problem jsonb;
begin
  v_problem := es.change_problem(p_request);
  if v_problem is not null then
    return v_problem;
  end if;
  v_found := es.lock_registration((p_request ->> 'registration_id')::uuid);
  if v_found.id is null then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  v_now := es.clock();
  select e.* into v_event from events e where e.id = v_found.event_id;
  v_problem := es.change_refused(v_found, v_event, p_request, v_now);
  if v_problem is not null then
    return v_problem;
  end if;

  v_plan := es.plan_change(p_request);
  v_problem := es.change_not_sold(v_found, v_event, v_plan.leaving, v_plan.items, v_now);
  if v_problem is null and v_found.status = 'confirmed' and es.codes_missing(p_request) then
    v_problem := jsonb_build_object('outcome', 'tickets_missing');
  end if;
  if v_problem is not null then
    return v_problem;
  end if;

  v_total := v_found.total_minor;
  -- A new name alone moves nothing (R13).
  if v_plan.items = '[]' then
    v_problem := es.unexpected_total(p_request, v_total, v_found.currency);
    if v_problem is not null then
      return v_problem;
    end if;
  else
    v_stock := es.change_stock(
      v_found, v_event, v_plan.leaving, v_plan.items, es.may_grow_dearer(v_found), p_request
    );
    if v_stock.problem is not null then
      return v_stock.problem;
    end if;
    v_now := v_stock.changed_at;
    perform es.write_units(v_found, v_plan.leaving, v_stock.kept, v_stock.cart);
    v_total := es.write_sums(v_found, v_stock.cart);
  end if;
  perform es.write_names(v_found, p_request);
  if v_found.status = 'confirmed' then
    perform es.reissue(v_found, p_request -> 'tickets', v_now);
  end if;
  return es.write_change(v_found, v_total);
end
$body$;

alter function es.try_to_change(jsonb) owner to es_verbs;
revoke execute on function es.try_to_change(jsonb) from public;

create or replace function public.change_registration(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  if es.current_org() is null then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  v_told := es.told_before('change_registration', p_request);
  return coalesce(v_told, es.tell('change_registration', p_request, es.try_to_change(p_request)));
end
$body$;

alter function public.change_registration(jsonb) owner to es_verbs;
revoke execute on function public.change_registration(jsonb) from public;
grant execute on function public.change_registration(jsonb) to es_attendee, es_member;
