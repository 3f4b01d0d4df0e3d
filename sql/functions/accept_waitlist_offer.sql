-- Accepts the open offer of a waitlist's entry: its places become a registration that is held for the event's hold time,
-- at the price of now, to be confirmed like any other.
-- Request: {entry_id, idempotency_key, argument_hash (hex), guest_secret_hash? (hex)}.
-- Outcomes: accepted (entry_id, registration_id, already: true when an earlier call did it), entry_not_found,
--   no_offer (entry_id), offer_expired (offer_id), and what place_registration may answer besides placed: the sale may
--   have ended meanwhile, or the ticket type draw from another pool.
-- Who may: who waits (user or guest secret), members with registrations:write. Others are told entry_not_found.
-- Called from: the verb acceptWaitlistOffer.
-- Raises: ES400 and ES409 as es.idempotency_begin; 22P02 when the id is no UUID.
-- The event's lock comes before the entry, as it comes before registrations everywhere.

-- What is placed for the entry.
create or replace function es.request_of_entry(p_entry waitlist_entries, p_offer uuid, p_secret_hash text)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return jsonb_build_object(
    'event_id', p_entry.event_id,
    'occurrence_id', p_entry.occurrence_id,
    'buyer', jsonb_build_object('name', p_entry.name, 'email', p_entry.email),
    'waitlist_offer_id', p_offer,
    'guest_secret_hash', p_secret_hash,
    'items', (
      select jsonb_agg(
        jsonb_build_object('ticket_type_id', l.ticket_type_id, 'quantity', l.quantity) order by l.created_at, l.id
      )
      from waitlist_lines l
      where l.entry_id = p_entry.id
    )
  );
end
$body$;

create or replace function es.try_to_accept(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_id constant uuid := (p_request ->> 'entry_id')::uuid;
  v_found waitlist_entries;
  v_offer uuid;
  v_placed jsonb;
begin
  select w.* into v_found from waitlist_entries w where w.id = v_id;
  if not found or not es.may_act_on_entry(v_found) then
    return jsonb_build_object('outcome', 'entry_not_found');
  end if;
  perform pg_advisory_xact_lock_shared(es.event_lock(v_found.event_id));
  select w.* into v_found from waitlist_entries w where w.id = v_id for no key update;
  if v_found.status = 'accepted' then
    return jsonb_build_object(
      'outcome', 'accepted', 'entry_id', v_id, 'registration_id', v_found.registration_id, 'already', true
    );
  end if;
  select o.id into v_offer from waitlist_offers o where o.entry_id = v_id and o.status = 'offered';
  if not found then
    return jsonb_build_object('outcome', 'no_offer', 'entry_id', v_id);
  end if;

  v_placed := es.try_to_place(es.request_of_entry(v_found, v_offer, p_request ->> 'guest_secret_hash'));
  if v_placed ->> 'outcome' <> 'placed' then
    return v_placed;
  end if;
  update waitlist_offers o
  set
    status = 'accepted',
    answered_at = es.clock()
  where o.id = v_offer;
  update waitlist_entries w
  set
    status = 'accepted',
    registration_id = (v_placed ->> 'registration_id')::uuid
  where w.id = v_id;
  perform record_audit(
    v_found.org_id, 'waitlist.accepted', 'waitlist_entry', v_id,
    jsonb_build_object('status', 'offered'),
    jsonb_build_object('status', 'accepted', 'registration_id', v_placed -> 'registration_id')
  );
  return jsonb_build_object(
    'outcome', 'accepted', 'entry_id', v_id, 'registration_id', v_placed -> 'registration_id', 'already', false
  );
end
$body$;

create or replace function public.accept_waitlist_offer(p_request jsonb)
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
  v_told := es.idempotency_begin('accept_waitlist_offer', p_request ->> 'idempotency_key', p_request ->> 'argument_hash');
  v_told := coalesce(v_told, es.tell('accept_waitlist_offer', p_request, es.try_to_accept(p_request)));
  return es.opened_to_guest('accepted', p_request, v_told);
end
$body$;

alter function es.request_of_entry(waitlist_entries, uuid, text) owner to es_verbs;
alter function es.try_to_accept(jsonb) owner to es_verbs;
alter function public.accept_waitlist_offer(jsonb) owner to es_verbs;
revoke execute on function es.request_of_entry(waitlist_entries, uuid, text) from public;
revoke execute on function es.try_to_accept(jsonb) from public;
revoke execute on function public.accept_waitlist_offer(jsonb) from public;
grant execute on function public.accept_waitlist_offer(jsonb) to es_attendee, es_member;
