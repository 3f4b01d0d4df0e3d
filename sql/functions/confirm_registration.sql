-- Confirms a hold: free ones become confirmed with their tickets, the others wait for approval or for money.
-- Request: {registration_id, attendees?: [{item_id, name, email}], tickets?: [{ticket_id, item_id, code}],
--   idempotency_key?, argument_hash? (hex)}. Codes are signed by the program beforehand, one for each row of
--   registration_items_to_issue; they are stored only when the registration becomes confirmed.
-- Outcomes: confirmed, pending_approval, pending_payment (registration_id, status, expires_at, already: true when an
--   earlier call did it, R5); hold_expired, registration_cancelled, registration_rejected, registration_not_found,
--   invalid (field, message).
-- Who may: the buyer (user or guest secret), members with registrations:write. Others are told registration_not_found.
-- Called from: the verb confirmRegistration.
-- Raises: ES400 when tickets do not match the items one to one, and as es.idempotency_begin; ES409; 22P02.
-- Confirming keeps the stock that the hold took, and locks no pool; but an event that asks approval may give the places
-- back until then.

create or replace function public.registration_items_to_issue(p_registration uuid)
returns table (item_id uuid, event_id uuid, occurrence_id uuid, ticket_type_id uuid)
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return query
  select i.id, i.event_id, r.occurrence_id, i.ticket_type_id
  from registrations r
  join events e on e.id = r.event_id
  join registration_items i on i.registration_id = r.id
  where r.id = p_registration
    and es.may_act_on(r)
    and (r.total_minor = 0 or (r.status = 'pending_payment' and es.paid_minor(r.id) >= r.total_minor))
    and i.cancelled_at is null
    and (
      (r.status = 'held' and not e.requires_approval)
      or r.status = 'pending_payment'
      or (r.status = 'pending_approval' and es.has_permission('registrations:write'))
    )
  order by i.position;
end
$body$;

-- Names attendees of items of a locked registration; null, or what is wrong.
create or replace function es.name_attendees(p_registration uuid, p_attendees jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_person jsonb;
  v_problem jsonb;
  v_ids jsonb;
begin
  if jsonb_typeof(p_attendees) is distinct from 'array' or jsonb_array_length(p_attendees) = 0 then
    return null;
  end if;
  for v_person in select jsonb_array_elements(p_attendees) loop
    v_problem := es.person_problem('attendees', v_person);
    if v_problem is not null then
      return v_problem;
    end if;
    perform
    from registration_items i
    where i.id = (v_person ->> 'item_id')::uuid
      and i.registration_id = p_registration
      and i.cancelled_at is null;
    if not found then
      return jsonb_build_object('outcome', 'invalid', 'field', 'attendees.itemId', 'message', 'the registration has no such item');
    end if;
  end loop;

  v_ids := es.upsert_attendees(p_attendees);
  update registration_items i
  set attendee_id = (v_ids ->> es.attendee_key(given.person))::uuid
  from jsonb_array_elements(p_attendees) as given (person)
  where i.id = (given.person ->> 'item_id')::uuid
    and i.registration_id = p_registration;
  return null;
end
$body$;

-- Stores the tickets of a registration that is confirmed in this transaction.
create or replace function es.issue_tickets(p_registration registrations, p_tickets jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_made record;
  v_items integer;
  v_issued integer := 0;
begin
  v_items := es.unit_count(p_registration.id);
  for v_made in
    insert into tickets (id, org_id, event_id, registration_id, item_id, ticket_type_id, attendee_id, code, issued_at)
    select
      (given.ticket ->> 'ticket_id')::uuid, i.org_id, i.event_id, i.registration_id, i.id, i.ticket_type_id,
      i.attendee_id, given.ticket ->> 'code', p_now
    from jsonb_array_elements(p_tickets) as given (ticket)
    join registration_items i
      on i.id = (given.ticket ->> 'item_id')::uuid
      and i.registration_id = p_registration.id
      and i.cancelled_at is null
    order by i.position
    returning id, item_id
  loop
    v_issued := v_issued + 1;
    perform emit_event(
      p_registration.org_id, 'ticket.issued', 'ticket', v_made.id,
      jsonb_build_object('event_id', p_registration.event_id, 'registration_id', p_registration.id, 'item_id', v_made.item_id)
    );
  end loop;
  -- tickets_live_item_key keeps an item from getting two, so equal numbers mean one each.
  if v_issued <> v_items or v_issued <> jsonb_array_length(p_tickets) then
    raise exception 'tickets do not match the items of the registration' using errcode = 'ES400';
  end if;
end
$body$;

create or replace function es.try_to_confirm(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_id constant uuid := (p_request ->> 'registration_id')::uuid;
  v_found registrations;
  v_now timestamptz;
  v_event events;
  v_to text;
  v_problem jsonb;
begin
  select r.* into v_found from registrations r where r.id = v_id for no key update;
  if not found or not es.may_act_on(v_found) then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  v_now := es.clock();

  -- A change may have left nothing to pay, or no more than was paid: then nobody will, and this settles it.
  if v_found.status = 'pending_payment' and (
    (v_found.total_minor = 0 and v_found.expires_at > v_now)
    or es.paid_minor(v_found.id) >= greatest(v_found.total_minor, 1)
  ) then
    select e.* into v_event from events e where e.id = v_found.event_id;
    return es.apply_confirmation(v_found, v_event, 'confirmed', p_request -> 'tickets', v_now);
  end if;
  if v_found.status in ('confirmed', 'pending_approval', 'pending_payment') then
    return jsonb_build_object(
      'outcome', v_found.status, 'registration_id', v_id, 'status', v_found.status,
      'expires_at', v_found.expires_at, 'already', true
    );
  end if;
  if v_found.status in ('cancelled', 'rejected') then
    return jsonb_build_object('outcome', 'registration_' || v_found.status, 'registration_id', v_id);
  end if;
  if v_found.status = 'expired' or v_found.expires_at <= v_now then
    if v_found.status = 'held' then
      perform es.end_expired_hold(v_id, v_now);
    end if;
    return jsonb_build_object('outcome', 'hold_expired', 'registration_id', v_id);
  end if;

  v_problem := es.name_attendees(v_id, p_request -> 'attendees');
  if v_problem is not null then
    return v_problem;
  end if;
  select e.* into v_event from events e where e.id = v_found.event_id;
  v_to := case
    when v_event.requires_approval then 'pending_approval'
    when v_found.total_minor > 0 then 'pending_payment'
    else 'confirmed'
  end;
  return es.apply_confirmation(v_found, v_event, v_to, p_request -> 'tickets', v_now);
end
$body$;

-- Moves a locked hold on: status, expiry, claims, tickets, events, audit, and the invoice for what was paid.
create or replace function es.apply_confirmation(
  p_found registrations,
  p_event events,
  p_to text,
  p_tickets jsonb,
  p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_expires_at timestamptz;
begin
  -- Who is asked for money gets the hold time once more to pay it; the registration's own expiry says until when.
  if p_to = 'pending_payment' then
    v_expires_at := p_now + make_interval(secs => p_event.hold_seconds);
  end if;
  update registrations r
  set
    status = p_to,
    expires_at = v_expires_at,
    confirmed_at = case when p_to = 'confirmed' then p_now end
  where r.id = p_found.id;

  -- R3: from here on the stock is kept until somebody sets the registration to expired.
  if p_to = 'pending_approval' and not p_event.pending_keeps_stock then
    perform es.wait_without_stock(p_found.id);
  else
    update pool_claims c
    set expires_at = null
    where c.registration_id = p_found.id
      and c.released_at is null;
  end if;

  if p_to = 'confirmed' then
    perform es.issue_tickets(p_found, coalesce(p_tickets, '[]'), p_now);
    perform emit_event(
      p_found.org_id, 'registration.confirmed', 'registration', p_found.id, es.confirmed_payload(p_found)
    );
  end if;
  perform record_audit(
    p_found.org_id, 'registration.' || p_to, 'registration', p_found.id,
    jsonb_build_object('status', p_found.status),
    jsonb_build_object('status', p_to)
  );
  if p_to = 'confirmed' and p_found.total_minor > 0 then
    perform es.issue_invoice(p_found.id);
  end if;
  return jsonb_build_object(
    'outcome', p_to, 'registration_id', p_found.id, 'status', p_to,
    'expires_at', v_expires_at, 'already', false
  );
end
$body$;

-- Gives the places of a locked registration back until somebody approves it.
create or replace function es.wait_without_stock(p_registration uuid)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform es.lock_pools(es.claimed_pools(array[p_registration]));
  perform es.release_claims(array[p_registration], es.claimed_pools(array[p_registration]), es.clock());
  update registrations r set waits_without_stock = true where r.id = p_registration;
end
$body$;

create or replace function public.confirm_registration(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
-- As in open_as_guest.
set plan_cache_mode = force_generic_plan
as $body$
declare
  v_told jsonb;
begin
  if es.current_org() is null then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  v_told := es.told_before('confirm_registration', p_request);
  return coalesce(v_told, es.tell('confirm_registration', p_request, es.try_to_confirm(p_request)));
end
$body$;

alter function public.registration_items_to_issue(uuid) owner to es_verbs;
alter function es.name_attendees(uuid, jsonb) owner to es_verbs;
alter function es.issue_tickets(registrations, jsonb, timestamptz) owner to es_verbs;
alter function es.try_to_confirm(jsonb) owner to es_verbs;
alter function es.apply_confirmation(registrations, events, text, jsonb, timestamptz) owner to es_verbs;
alter function es.wait_without_stock(uuid) owner to es_verbs;
revoke execute on function es.wait_without_stock(uuid) from public;
alter function public.confirm_registration(jsonb) owner to es_verbs;
revoke execute on function public.registration_items_to_issue(uuid) from public;
revoke execute on function es.name_attendees(uuid, jsonb) from public;
revoke execute on function es.issue_tickets(registrations, jsonb, timestamptz) from public;
revoke execute on function es.try_to_confirm(jsonb) from public;
revoke execute on function es.apply_confirmation(registrations, events, text, jsonb, timestamptz) from public;
revoke execute on function public.confirm_registration(jsonb) from public;
grant execute on function public.registration_items_to_issue(uuid) to es_attendee, es_member;
grant execute on function public.confirm_registration(jsonb) to es_attendee, es_member;
