-- Ends waiting: who leaves the waitlist is offered nothing more, who declines an offer leaves its places to the next.
-- Request of both: {entry_id, idempotency_key?, argument_hash? (hex)}.
-- Outcomes of leave_waitlist: left (entry_id, already: true when waiting had ended before; nothing is done then),
--   entry_not_found.
-- Outcomes of decline_waitlist_offer: declined (entry_id, already: true when it was declined before), no_offer (entry_id;
--   there is none, it was accepted, or it has expired), entry_not_found.
-- Who may: who waits (user or guest secret), members with registrations:write. Others are told entry_not_found.
-- Called from: the verbs leaveWaitlist, declineWaitlistOffer.
-- Raises: ES400 and ES409 as es.idempotency_begin; 22P02 when the id is no UUID.

-- Whether the actor may act on the entry.
create or replace function es.may_act_on_entry(p_entry waitlist_entries)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return coalesce(p_entry.user_id = es.current_user_id(), false)
    or p_entry.id = any (es.guest_registrations())
    or (p_entry.org_id = es.current_org() and es.has_permission('registrations:write'));
end
$body$;

-- Ends a locked entry, and the offer that it may have: its places are given back.
create or replace function es.end_waiting(p_entry waitlist_entries, p_status text)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_offer uuid;
  v_claims uuid[];
  v_now timestamptz;
begin
  select o.id into v_offer from waitlist_offers o where o.entry_id = p_entry.id and o.status = 'offered';
  if v_offer is not null then
    perform
    from capacity_pools p
    where p.id in (select c.pool_id from pool_claims c where c.waitlist_offer_id = v_offer and c.released_at is null)
    order by p.id
    for no key update;
    v_now := es.clock();
    v_claims := array(select c.id from pool_claims c where c.waitlist_offer_id = v_offer and c.released_at is null);
    perform es.give_back(v_claims, v_now);
    update waitlist_offers o
    set
      status = 'declined',
      answered_at = v_now
    where o.id = v_offer;
  end if;
  update waitlist_entries w set status = p_status where w.id = p_entry.id;
  perform record_audit(
    p_entry.org_id, 'waitlist.' || p_status, 'waitlist_entry', p_entry.id,
    jsonb_build_object('status', p_entry.status), jsonb_build_object('status', p_status)
  );
  -- What is free now may be somebody else's.
  perform es.enqueue_job('waitlists.serve', '{}', p_entry.org_id::text, 'taken');
end
$body$;

create or replace function es.try_to_leave(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found waitlist_entries;
  v_waiting boolean;
begin
  select w.* into v_found from waitlist_entries w where w.id = (p_request ->> 'entry_id')::uuid for no key update;
  if not found or not es.may_act_on_entry(v_found) then
    return jsonb_build_object('outcome', 'entry_not_found');
  end if;
  v_waiting := v_found.status in ('waiting', 'offered');
  if v_waiting then
    perform es.end_waiting(v_found, 'left');
  end if;
  return jsonb_build_object('outcome', 'left', 'entry_id', v_found.id, 'already', not v_waiting);
end
$body$;

create or replace function es.try_to_decline(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found waitlist_entries;
begin
  select w.* into v_found from waitlist_entries w where w.id = (p_request ->> 'entry_id')::uuid for no key update;
  if not found or not es.may_act_on_entry(v_found) then
    return jsonb_build_object('outcome', 'entry_not_found');
  end if;
  if v_found.status = 'declined' then
    return jsonb_build_object('outcome', 'declined', 'entry_id', v_found.id, 'already', true);
  end if;
  if not exists (
    select
    from waitlist_offers o
    where o.entry_id = v_found.id
      and o.status = 'offered'
      and o.expires_at > es.clock()
  ) then
    return jsonb_build_object('outcome', 'no_offer', 'entry_id', v_found.id);
  end if;
  perform es.end_waiting(v_found, 'declined');
  return jsonb_build_object('outcome', 'declined', 'entry_id', v_found.id, 'already', false);
end
$body$;

create or replace function public.leave_waitlist(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  if es.current_org() is null then
    return jsonb_build_object('outcome', 'entry_not_found');
  end if;
  v_told := es.told_before('leave_waitlist', p_request);
  return coalesce(v_told, es.tell('leave_waitlist', p_request, es.try_to_leave(p_request)));
end
$body$;

create or replace function public.decline_waitlist_offer(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  if es.current_org() is null then
    return jsonb_build_object('outcome', 'entry_not_found');
  end if;
  v_told := es.told_before('decline_waitlist_offer', p_request);
  return coalesce(v_told, es.tell('decline_waitlist_offer', p_request, es.try_to_decline(p_request)));
end
$body$;

alter function es.may_act_on_entry(waitlist_entries) owner to es_verbs;
alter function es.end_waiting(waitlist_entries, text) owner to es_verbs;
alter function es.try_to_leave(jsonb) owner to es_verbs;
alter function es.try_to_decline(jsonb) owner to es_verbs;
alter function public.leave_waitlist(jsonb) owner to es_verbs;
alter function public.decline_waitlist_offer(jsonb) owner to es_verbs;
revoke execute on function es.may_act_on_entry(waitlist_entries) from public;
revoke execute on function es.end_waiting(waitlist_entries, text) from public;
revoke execute on function es.try_to_leave(jsonb) from public;
revoke execute on function es.try_to_decline(jsonb) from public;
revoke execute on function public.leave_waitlist(jsonb) from public;
revoke execute on function public.decline_waitlist_offer(jsonb) from public;
grant execute on function public.leave_waitlist(jsonb) to es_attendee, es_member;
grant execute on function public.decline_waitlist_offer(jsonb) to es_attendee, es_member;
