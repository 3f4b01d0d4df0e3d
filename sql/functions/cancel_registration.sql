-- Cancels a registration: gives its stock back and takes its tickets out of force.
-- Request: {registration_id, reason?, idempotency_key?, argument_hash? (hex)}.
-- Outcomes: cancelled (registration_id, status, already: true when it was cancelled before; nothing is done then),
--   registration_not_found, registration_expired, registration_rejected, invalid (field, message).
-- Who may: the buyer (user or guest secret), members with registrations:write. Others are told registration_not_found.
-- Called from: the verb cancelRegistration; change_event_status (es.cancel_locked).
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

  for v_gone in
    update tickets t
    set status = 'cancelled'
    where t.registration_id = any (p_registrations)
      and t.status in ('valid', 'blocked')
    returning t.*
  loop
    perform emit_event(
      v_gone.org_id, 'ticket.cancelled', 'ticket', v_gone.id,
      jsonb_build_object('event_id', v_gone.event_id, 'registration_id', v_gone.registration_id)
    );
  end loop;

  for v_gone in
    update registrations r
    set
      status = 'cancelled',
      cancelled_at = v_now,
      cancel_reason = p_reason,
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
  v_found registrations;
  v_now timestamptz;
begin
  if char_length(p_request ->> 'reason') > 1000 then
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
  perform es.cancel_locked(array[v_id], nullif(btrim(p_request ->> 'reason'), ''));
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
  v_key constant text := p_request ->> 'idempotency_key';
  v_outcome jsonb;
begin
  if es.current_org() is null then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  if v_key is null then
    return es.try_to_cancel(p_request);
  end if;
  v_outcome := es.idempotency_begin('cancel_registration', v_key, p_request ->> 'argument_hash');
  if v_outcome is null then
    v_outcome := es.try_to_cancel(p_request);
    perform es.idempotency_finish('cancel_registration', v_key, v_outcome);
  end if;
  return v_outcome;
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
