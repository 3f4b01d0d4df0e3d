-- Offers a ticket to somebody by mail, for seven days or until the date is over. Nothing changes until they accept: the
-- ticket stays in force with its holder.
-- Request: {ticket_id, recipient_email, secret_hash (hex), code, idempotency_key?, argument_hash? (hex)}.
-- Outcomes: offered (transfer_id, expires_at), ticket_not_found, ticket_not_valid (status), ticket_used, transfers_closed,
--   already_offered (transfer_id), invalid (field, message).
-- Who may: whoever holds the ticket (the buyer of a ticket that was not received; the receiver of one that was, by account
--   or secret) until transfers_close_minutes before the date; members with registrations:write.
-- Called from: the verb transferTicket.
-- Raises: ES400 and ES409 as es.idempotency_begin; 22P02 when the id is no UUID.

-- Whether the actor holds the ticket, or looks after all of them.
create or replace function es.holds_ticket(p_ticket tickets)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_ticket.org_id = es.current_org() and es.has_permission('registrations:write') then
    return true;
  end if;
  if p_ticket.received then
    return coalesce(p_ticket.holder_id = es.current_user_id(), false) or p_ticket.id = any (es.guest_tickets());
  end if;
  return es.may_act_on((select r from registrations r where r.id = p_ticket.registration_id));
end
$body$;

-- The organization of a ticket that the actor holds or may read; null for everything else.
create or replace function public.ticket_org(p_ticket uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select t.org_id
    from tickets t
    join registrations r on r.id = t.registration_id
    where t.id = p_ticket
      and (
        (t.org_id = es.current_org() and es.has_permission('registrations:read'))
        or (not t.received and (r.user_id = es.current_user_id() or r.id = any (es.guest_registrations())))
        or (t.received and (t.holder_id = es.current_user_id() or t.id = any (es.guest_tickets())))
      )
  );
end
$body$;

-- Locks the registration of a ticket, then the ticket: in the order of all verbs.
create or replace function es.lock_ticket(p_ticket uuid)
returns tickets
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found tickets;
begin
  perform
  from registrations r
  where r.id = (select t.registration_id from tickets t where t.id = p_ticket)
  for no key update;
  select t.* into v_found from tickets t where t.id = p_ticket for no key update;
  return v_found;
end
$body$;

-- What keeps a locked ticket from going to somebody else, whoever asks; null when nothing does.
create or replace function es.not_transferable(p_ticket tickets)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_ticket.status <> 'valid' then
    return jsonb_build_object('outcome', 'ticket_not_valid', 'status', p_ticket.status);
  end if;
  if es.ticket_used(p_ticket.id) then
    return jsonb_build_object('outcome', 'ticket_used');
  end if;
  return null;
end
$body$;

create or replace function es.try_to_transfer(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_email constant text := lower(btrim(p_request ->> 'recipient_email'));
  v_ticket tickets;
  v_registration registrations;
  v_event events;
  v_now timestamptz;
  v_problem jsonb;
  v_open uuid;
  v_over_at timestamptz;
begin
  v_problem := es.person_problem('recipient', jsonb_build_object('name', 'somebody', 'email', v_email));
  if v_problem is not null then
    return v_problem;
  end if;
  v_ticket := es.lock_ticket((p_request ->> 'ticket_id')::uuid);
  if v_ticket.id is null or not es.holds_ticket(v_ticket) then
    return jsonb_build_object('outcome', 'ticket_not_found');
  end if;
  v_now := es.clock();
  v_problem := es.not_transferable(v_ticket);
  if v_problem is not null then
    return v_problem;
  end if;
  select r.* into v_registration from registrations r where r.id = v_ticket.registration_id;
  select e.* into v_event from events e where e.id = v_ticket.event_id;
  select o.ends_at into v_over_at from occurrences o where o.id = v_registration.occurrence_id;
  if v_over_at <= v_now or es.closed_for_buyers(v_registration, v_event.transfers_close_minutes, v_now) then
    return jsonb_build_object('outcome', 'transfers_closed');
  end if;
  update ticket_transfers t
  set
    status = 'expired',
    decided_at = v_now
  where t.ticket_id = v_ticket.id
    and t.status = 'offered'
    and t.expires_at <= v_now;
  select t.id into v_open from ticket_transfers t where t.ticket_id = v_ticket.id and t.status = 'offered';
  if v_open is not null then
    return jsonb_build_object('outcome', 'already_offered', 'transfer_id', v_open);
  end if;
  return es.write_offer(v_ticket, v_email, least(v_now + interval '7 days', v_over_at), p_request);
end
$body$;

create or replace function es.write_offer(p_ticket tickets, p_email text, p_expires_at timestamptz, p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_made ticket_transfers;
begin
  insert into ticket_transfers (org_id, event_id, ticket_id, recipient_email, expires_at)
  values (p_ticket.org_id, p_ticket.event_id, p_ticket.id, p_email, p_expires_at)
  returning * into v_made;
  insert into ticket_transfer_secrets (transfer_id, org_id, secret_hash)
  values (v_made.id, v_made.org_id, decode(p_request ->> 'secret_hash', 'hex'));
  perform es.write_message(
    'ticket_transfer', p_email, v_made.id, v_made.event_id,
    jsonb_build_object(
      'code', p_request ->> 'code', 'expires_at', v_made.expires_at,
      'occurrence_id', (select r.occurrence_id from registrations r where r.id = p_ticket.registration_id)
    )
  );
  perform record_audit(
    v_made.org_id, 'ticket.offered', 'ticket', p_ticket.id, null,
    jsonb_build_object('transfer_id', v_made.id, 'expires_at', v_made.expires_at)
  );
  return jsonb_build_object('outcome', 'offered', 'transfer_id', v_made.id, 'expires_at', v_made.expires_at);
end
$body$;

create or replace function public.transfer_ticket(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  if es.current_org() is null then
    return jsonb_build_object('outcome', 'ticket_not_found');
  end if;
  v_told := es.told_before('transfer_ticket', p_request);
  return coalesce(v_told, es.tell('transfer_ticket', p_request, es.try_to_transfer(p_request)));
end
$body$;

alter function es.holds_ticket(tickets) owner to es_verbs;
alter function es.lock_ticket(uuid) owner to es_verbs;
alter function es.not_transferable(tickets) owner to es_verbs;
alter function es.try_to_transfer(jsonb) owner to es_verbs;
alter function es.write_offer(tickets, text, timestamptz, jsonb) owner to es_verbs;
alter function public.transfer_ticket(jsonb) owner to es_verbs;
revoke execute on function es.holds_ticket(tickets) from public;
revoke execute on function es.lock_ticket(uuid) from public;
revoke execute on function es.not_transferable(tickets) from public;
revoke execute on function es.try_to_transfer(jsonb) from public;
revoke execute on function es.write_offer(tickets, text, timestamptz, jsonb) from public;
revoke execute on function public.transfer_ticket(jsonb) from public;
grant execute on function public.transfer_ticket(jsonb) to es_attendee, es_member;
-- Finds the organization across tenants, for whoever may know of the ticket: the verbs' owner sees one organization.
alter function public.ticket_org(uuid) owner to es_system;
revoke execute on function public.ticket_org(uuid) from public;
grant execute on function public.ticket_org(uuid) to es_public, es_attendee, es_member;
