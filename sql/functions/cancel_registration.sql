-- Cancels a registration, or some of its units: gives their stock back and takes their tickets out of force.
-- Request: {registration_id, item_ids?: [of units; all of them is the whole], reason?, idempotency_key?, argument_hash?
--   (hex)}.
-- Outcomes: cancelled (registration_id, status, already: true when it was cancelled before; nothing is done then),
--   units_cancelled (registration_id, status, total_minor), registration_not_found, registration_expired,
--   registration_rejected, item_not_found, invalid (field, message); and for buyers cancellation_closed, ticket_used,
--   ticket_given_away, quantity_out_of_range (fewer would be left of a type than one may have), add_on_out_of_range,
--   payment_required (total_minor: what is left of something confirmed would cost more, a discount for many being lost).
-- Who may: the buyer (user or guest secret; a confirmed one until cancellation_closes_minutes before its date), members
--   with registrations:write. Others are told registration_not_found.
-- Called from: the verb cancelRegistration; cancel_for_event (es.cancel_locked).
-- Raises: ES400 and ES409 as es.idempotency_begin; 22P02 when the id is no UUID.

-- Whether the actor may act on the registration.
create or replace function es.may_act_on(p_registration registrations)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return coalesce(p_registration.user_id = es.current_user_id(), false)
    or p_registration.id = any (es.guest_registrations())
    or (p_registration.org_id = es.current_org() and es.has_permission('registrations:write'));
end
$body$;

-- Cancels registrations that the caller has locked and found cancellable.
create or replace function es.cancel_locked(p_registrations uuid[], p_reason text)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_pools uuid[];
  v_now timestamptz;
  v_gone record;
begin
  select array_agg(p.id)
  into v_pools
  from (
    select p.id
    from capacity_pools p
    where p.id in (
      select c.pool_id
      from pool_claims c
      where c.registration_id = any (p_registrations)
        and c.released_at is null
    )
    order by p.id
    for no key update
  ) p;
  v_now := es.clock();
  perform es.release_claims(p_registrations, v_pools, v_now);

  perform es.cancel_tickets(
    array(
      select t.id
      from tickets t
      where t.registration_id = any (p_registrations)
        and t.status in ('valid', 'blocked')
    ),
    v_now
  );

  for v_gone in
    update registrations r
    set
      status = 'cancelled',
      cancelled_at = v_now,
      cancel_reason = p_reason,
      waits_without_stock = false,
      expires_at = null
    from registrations before
    where r.id = any (p_registrations)
      and before.id = r.id
    returning r.*, before.status as status_before
  loop
    perform emit_event(
      v_gone.org_id, 'registration.cancelled', 'registration', v_gone.id,
      jsonb_build_object('event_id', v_gone.event_id, 'reason', p_reason)
    );
    perform record_audit(
      v_gone.org_id, 'registration.cancelled', 'registration', v_gone.id,
      jsonb_build_object('status', v_gone.status_before),
      jsonb_build_object('status', 'cancelled', 'cancel_reason', p_reason)
    );
  end loop;
  perform es.credit_cancelled(p_registrations);
end
$body$;

-- Ends a locked hold whose time has passed. Pools that are busy are not waited for: what is left in them has expired
-- and counts as free.
create or replace function es.end_expired_hold(p_registration uuid, p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_pools uuid[];
begin
  select array_agg(p.id)
  into v_pools
  from (
    select p.id
    from capacity_pools p
    where p.id in (
      select c.pool_id
      from pool_claims c
      where c.registration_id = p_registration
        and c.released_at is null
    )
    order by p.id
    for no key update skip locked
  ) p;
  perform es.expire_locked(array[p_registration], v_pools, p_now);
end
$body$;

create or replace function es.try_to_cancel(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_id constant uuid := (p_request ->> 'registration_id')::uuid;
  v_reason constant text := nullif(btrim(p_request ->> 'reason'), '');
  v_found registrations;
  v_now timestamptz;
  v_items uuid[];
  v_problem jsonb;
begin
  if char_length(v_reason) > 1000 then
    return jsonb_build_object('outcome', 'invalid', 'field', 'reason', 'message', 'a reason has at most 1000 characters');
  end if;
  select r.* into v_found from registrations r where r.id = v_id for no key update;
  if not found or not es.may_act_on(v_found) then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  v_now := es.clock();

  if v_found.status = 'held' and v_found.expires_at <= v_now then
    perform es.end_expired_hold(v_id, v_now);
    return jsonb_build_object('outcome', 'registration_expired', 'registration_id', v_id);
  end if;
  if v_found.status in ('expired', 'rejected') then
    return jsonb_build_object('outcome', 'registration_' || v_found.status, 'registration_id', v_id);
  end if;
  if v_found.status = 'cancelled' then
    return jsonb_build_object('outcome', 'cancelled', 'registration_id', v_id, 'status', 'cancelled', 'already', true);
  end if;

  v_items := es.units_to_cancel(v_found, p_request -> 'item_ids');
  if v_items is null then
    return jsonb_build_object('outcome', 'item_not_found', 'registration_id', v_id);
  end if;
  v_problem := es.cancel_problem(v_found, v_items, v_now);
  if v_problem is not null then
    return v_problem;
  end if;
  if cardinality(v_items) < es.unit_count(v_id) then
    return es.cancel_units(v_found, v_items, v_reason);
  end if;
  perform es.cancel_locked(array[v_id], v_reason);
  return jsonb_build_object('outcome', 'cancelled', 'registration_id', v_id, 'status', 'cancelled', 'already', false);
end
$body$;

create or replace function public.cancel_registration(p_request jsonb)
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
  v_told := es.told_before('cancel_registration', p_request);
  return coalesce(v_told, es.tell('cancel_registration', p_request, es.try_to_cancel(p_request)));
end
$body$;

alter function es.may_act_on(registrations) owner to es_verbs;
alter function es.cancel_locked(uuid[], text) owner to es_verbs;
alter function es.end_expired_hold(uuid, timestamptz) owner to es_verbs;
alter function es.try_to_cancel(jsonb) owner to es_verbs;
alter function public.cancel_registration(jsonb) owner to es_verbs;
revoke execute on function es.may_act_on(registrations) from public;
revoke execute on function es.cancel_locked(uuid[], text) from public;
revoke execute on function es.end_expired_hold(uuid, timestamptz) from public;
revoke execute on function es.try_to_cancel(jsonb) from public;
revoke execute on function public.cancel_registration(jsonb) from public;
grant execute on function public.cancel_registration(jsonb) to es_attendee, es_member;
