-- Tickets after they were issued: whether one was used, and how a new one takes the place of an old one.
-- Called from: change_registration, cancel_registration, transfer_ticket, accept_transfer.
-- Raises: nothing of its own. The registration and the ticket are locked by the caller.

-- Whether somebody came in with it: then its code cannot be given to anybody else.
create or replace function es.ticket_used(p_ticket uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return exists (
    select
    from check_ins c
    where c.ticket_id = p_ticket
      and c.outcome = 'admitted'
      and c.direction = 'entry'
  );
end
$body$;

-- Takes back offers of tickets that are no longer what was offered.
create or replace function es.withdraw_offers(p_tickets uuid[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update ticket_transfers t
  set
    status = 'cancelled',
    decided_at = p_now
  where t.ticket_id = any (p_tickets)
    and t.status = 'offered';
end
$body$;

-- Issues the ticket of a place that has none; its key.
create or replace function es.issue_ticket(
  p_item registration_items,
  p_signed jsonb,
  p_status text,
  p_received boolean,
  p_holder uuid,
  p_now timestamptz
)
returns uuid
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_id constant uuid := (p_signed ->> 'ticket_id')::uuid;
begin
  insert into tickets (
    id, org_id, event_id, registration_id, item_id, ticket_type_id, attendee_id, code, status, issued_at, received, holder_id
  )
  values (
    v_id, p_item.org_id, p_item.event_id, p_item.registration_id, p_item.id, p_item.ticket_type_id,
    p_item.attendee_id, p_signed ->> 'code', p_status, p_now, p_received, p_holder
  );
  perform emit_event(
    p_item.org_id, 'ticket.issued', 'ticket', v_id,
    jsonb_build_object('event_id', p_item.event_id, 'registration_id', p_item.registration_id, 'item_id', p_item.id)
  );
  return v_id;
end
$body$;

-- Puts a new ticket in the place of this one, whose code admits nobody from then on; the key of the new one. A blocked
-- ticket stays blocked.
create or replace function es.replace_ticket(
  p_old tickets,
  p_item registration_items,
  p_signed jsonb,
  p_received boolean,
  p_holder uuid,
  p_now timestamptz
)
returns uuid
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_new uuid;
begin
  update tickets t set status = 'transferred' where t.id = p_old.id;
  v_new := es.issue_ticket(p_item, p_signed, p_old.status, p_received, p_holder, p_now);
  perform emit_event(
    p_old.org_id, 'ticket.transferred', 'ticket', p_old.id,
    jsonb_build_object('event_id', p_old.event_id, 'registration_id', p_old.registration_id, 'new_ticket_id', v_new)
  );
  return v_new;
end
$body$;

-- Takes tickets out of force for good.
create or replace function es.cancel_tickets(p_tickets uuid[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_gone tickets;
begin
  for v_gone in
    update tickets t
    set status = 'cancelled'
    where t.id = any (p_tickets)
      and t.status in ('valid', 'blocked')
    returning t.*
  loop
    perform emit_event(
      v_gone.org_id, 'ticket.cancelled', 'ticket', v_gone.id,
      jsonb_build_object('event_id', v_gone.event_id, 'registration_id', v_gone.registration_id)
    );
  end loop;
  perform es.withdraw_offers(p_tickets, p_now);
end
$body$;

-- Whether the time for something that buyers do themselves is over: p_minutes before the date begins; null is never.
create or replace function es.closed_for_buyers(p_registration registrations, p_minutes integer, p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_registration.org_id = es.current_org() and es.has_permission('registrations:write') then
    return false;
  end if;
  return p_minutes is null or exists (
    select
    from occurrences o
    where o.id = p_registration.occurrence_id
      and o.starts_at - make_interval(mins => p_minutes) <= p_now
  );
end
$body$;

alter function es.ticket_used(uuid) owner to es_verbs;
alter function es.withdraw_offers(uuid[], timestamptz) owner to es_verbs;
alter function es.issue_ticket(registration_items, jsonb, text, boolean, uuid, timestamptz) owner to es_verbs;
alter function es.replace_ticket(tickets, registration_items, jsonb, boolean, uuid, timestamptz) owner to es_verbs;
alter function es.cancel_tickets(uuid[], timestamptz) owner to es_verbs;
alter function es.closed_for_buyers(registrations, integer, timestamptz) owner to es_verbs;
revoke execute on function es.ticket_used(uuid) from public;
revoke execute on function es.withdraw_offers(uuid[], timestamptz) from public;
revoke execute on function es.issue_ticket(registration_items, jsonb, text, boolean, uuid, timestamptz) from public;
revoke execute on function es.replace_ticket(tickets, registration_items, jsonb, boolean, uuid, timestamptz) from public;
revoke execute on function es.cancel_tickets(uuid[], timestamptz) from public;
revoke execute on function es.closed_for_buyers(registrations, integer, timestamptz) from public;
