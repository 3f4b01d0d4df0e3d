-- Accepts a ticket that was offered: the old ticket's code admits nobody any more, a new ticket with a new code is the
-- receiver's alone. Who bought it sees neither the code nor the name.
-- Request: {secret_hash (hex), name, tickets: [{ticket_id, code}], guest_secret_hash? (hex, for receivers who are not signed
--   in), idempotency_key?, argument_hash? (hex)}.
-- Outcomes: accepted (transfer_id, ticket_id), transfer_not_found (nobody was sent this code), transfer_not_open (status),
--   transfer_expired, ticket_not_valid (status), ticket_used, invalid (field, message).
-- Who may: whoever was sent the secret, signed in or not.
-- Called from: the verb acceptTransfer, in the organization that transfer_admission names.
-- Raises: ES400 and ES409 as es.idempotency_begin.

-- What a new code for an offered ticket is signed with, and in which organization; no row for an unknown secret. Crosses
-- tenants: whoever holds the secret was told the organization by the same mail.
create or replace function public.transfer_admission(p_hash bytea)
returns table (org_id uuid, event_id uuid, occurrence_id uuid)
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return query
  select t.org_id, t.event_id, r.occurrence_id
  from ticket_transfer_secrets s
  join ticket_transfers f on f.id = s.transfer_id
  join tickets t on t.id = f.ticket_id
  join registrations r on r.id = t.registration_id
  where s.secret_hash = p_hash;
end
$body$;

-- Locks the transfer that the secret opens, after the registration and the ticket; nulls when there is none.
create or replace function es.lock_transfer(p_transfer uuid)
returns ticket_transfers
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found ticket_transfers;
begin
  perform es.lock_ticket((select f.ticket_id from ticket_transfers f where f.id = p_transfer));
  select f.* into v_found from ticket_transfers f where f.id = p_transfer for no key update;
  return v_found;
end
$body$;

create or replace function es.transfer_of_secret(p_hash text)
returns uuid
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (select s.transfer_id from ticket_transfer_secrets s where s.secret_hash = decode(p_hash, 'hex'));
end
$body$;

-- Whether a locked transfer can still be answered; one whose time has passed is set to expired.
create or replace function es.transfer_closed(p_transfer ticket_transfers, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_transfer.id is null then
    return jsonb_build_object('outcome', 'transfer_not_found');
  end if;
  if p_transfer.status = 'offered' and p_transfer.expires_at <= p_now then
    update ticket_transfers f set status = 'expired', decided_at = p_now where f.id = p_transfer.id;
    return jsonb_build_object('outcome', 'transfer_expired');
  end if;
  if p_transfer.status = 'expired' then
    return jsonb_build_object('outcome', 'transfer_expired');
  end if;
  if p_transfer.status <> 'offered' then
    return jsonb_build_object('outcome', 'transfer_not_open', 'status', p_transfer.status);
  end if;
  return null;
end
$body$;

create or replace function es.try_to_accept_transfer(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_transfer ticket_transfers;
  v_ticket tickets;
  v_item registration_items;
  v_person jsonb;
  v_problem jsonb;
  v_now timestamptz;
  v_new uuid;
begin
  v_transfer := es.lock_transfer(es.transfer_of_secret(p_request ->> 'secret_hash'));
  v_now := es.clock();
  v_person := jsonb_build_object('name', p_request ->> 'name', 'email', v_transfer.recipient_email);
  v_problem := coalesce(es.transfer_closed(v_transfer, v_now), es.person_problem('receiver', v_person));
  if v_problem is not null then
    return v_problem;
  end if;
  select t.* into v_ticket from tickets t where t.id = v_transfer.ticket_id;
  v_problem := es.not_transferable(v_ticket);
  if v_problem is not null then
    return v_problem;
  end if;

  update registration_items i
  set
    given_away = true,
    attendee_id = (es.upsert_attendees(jsonb_build_array(v_person)) ->> es.attendee_key(v_person))::uuid
  where i.id = v_ticket.item_id
  returning i.* into v_item;
  v_new := es.replace_ticket(v_ticket, v_item, p_request -> 'tickets' -> 0, true, es.current_user_id(), v_now);
  update ticket_transfers f
  set
    status = 'accepted',
    new_ticket_id = v_new,
    decided_at = v_now
  where f.id = v_transfer.id;
  if p_request ->> 'guest_secret_hash' is not null then
    insert into ticket_secrets (ticket_id, org_id, secret_hash)
    values (v_new, v_ticket.org_id, decode(p_request ->> 'guest_secret_hash', 'hex'));
  end if;
  perform record_audit(
    v_ticket.org_id, 'ticket.transferred', 'ticket', v_ticket.id,
    jsonb_build_object('status', 'valid', 'attendee_id', v_ticket.attendee_id),
    jsonb_build_object('status', 'transferred', 'attendee_id', v_item.attendee_id, 'new_ticket_id', v_new)
  );
  return jsonb_build_object('outcome', 'accepted', 'transfer_id', v_transfer.id, 'ticket_id', v_new);
end
$body$;

create or replace function public.accept_transfer(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  if es.current_org() is null then
    return jsonb_build_object('outcome', 'transfer_not_found');
  end if;
  v_told := es.told_before('accept_transfer', p_request);
  return coalesce(v_told, es.tell('accept_transfer', p_request, es.try_to_accept_transfer(p_request)));
end
$body$;

alter function es.lock_transfer(uuid) owner to es_verbs;
alter function es.transfer_of_secret(text) owner to es_verbs;
alter function es.transfer_closed(ticket_transfers, timestamptz) owner to es_verbs;
alter function es.try_to_accept_transfer(jsonb) owner to es_verbs;
alter function public.accept_transfer(jsonb) owner to es_verbs;
revoke execute on function es.lock_transfer(uuid) from public;
revoke execute on function es.transfer_of_secret(text) from public;
revoke execute on function es.transfer_closed(ticket_transfers, timestamptz) from public;
revoke execute on function es.try_to_accept_transfer(jsonb) from public;
revoke execute on function public.accept_transfer(jsonb) from public;
grant execute on function public.accept_transfer(jsonb) to es_public, es_attendee, es_member;
alter function public.transfer_admission(bytea) owner to es_system;
revoke execute on function public.transfer_admission(bytea) from public;
grant execute on function public.transfer_admission(bytea) to es_public, es_attendee, es_member;
