-- Ends an offer of a ticket without handing it on: the receiver declines, or the holder takes it back.
-- Request: {secret_hash (hex)} of the receiver or {transfer_id} of the holder, idempotency_key?, argument_hash? (hex).
-- Outcomes: declined or cancelled (transfer_id, already: true when it was before), transfer_not_found,
--   transfer_not_open (status), transfer_expired.
-- Who may: decline: whoever was sent the secret; cancel: whoever holds the ticket, members with registrations:write.
-- Called from: the verbs declineTransfer, cancelTransfer.
-- Raises: ES400 and ES409 as es.idempotency_begin; 22P02 when the id is no UUID.

create or replace function es.end_transfer(p_transfer ticket_transfers, p_to text)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_problem jsonb;
begin
  if p_transfer.status = p_to then
    return jsonb_build_object('outcome', p_to, 'transfer_id', p_transfer.id, 'already', true);
  end if;
  v_problem := es.transfer_closed(p_transfer, v_now);
  if v_problem is not null then
    return v_problem;
  end if;
  update ticket_transfers f set status = p_to, decided_at = v_now where f.id = p_transfer.id;
  perform record_audit(
    p_transfer.org_id, 'ticket.transfer_' || p_to, 'ticket', p_transfer.ticket_id,
    jsonb_build_object('transfer', 'offered'),
    jsonb_build_object('transfer', p_to)
  );
  return jsonb_build_object('outcome', p_to, 'transfer_id', p_transfer.id, 'already', false);
end
$body$;

create or replace function es.try_to_cancel_transfer(p_transfer uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found ticket_transfers;
begin
  v_found := es.lock_transfer(p_transfer);
  if v_found.id is null
    or not es.holds_ticket((select t from tickets t where t.id = v_found.ticket_id))
  then
    return jsonb_build_object('outcome', 'transfer_not_found');
  end if;
  return es.end_transfer(v_found, 'cancelled');
end
$body$;

create or replace function public.decline_transfer(p_request jsonb)
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
  v_told := es.told_before('decline_transfer', p_request);
  return coalesce(v_told, es.tell(
    'decline_transfer', p_request,
    es.end_transfer(es.lock_transfer(es.transfer_of_secret(p_request ->> 'secret_hash')), 'declined')
  ));
end
$body$;

create or replace function public.cancel_transfer(p_request jsonb)
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
  v_told := es.told_before('cancel_transfer', p_request);
  return coalesce(v_told, es.tell(
    'cancel_transfer', p_request, es.try_to_cancel_transfer((p_request ->> 'transfer_id')::uuid)
  ));
end
$body$;

-- The organization of an offer whose ticket the actor holds or may read; null for everything else. Crosses tenants, as
-- ticket_org does.
create or replace function public.transfer_org(p_transfer uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return public.ticket_org((select f.ticket_id from ticket_transfers f where f.id = p_transfer));
end
$body$;

alter function es.end_transfer(ticket_transfers, text) owner to es_verbs;
alter function es.try_to_cancel_transfer(uuid) owner to es_verbs;
alter function public.decline_transfer(jsonb) owner to es_verbs;
alter function public.cancel_transfer(jsonb) owner to es_verbs;
revoke execute on function es.end_transfer(ticket_transfers, text) from public;
revoke execute on function es.try_to_cancel_transfer(uuid) from public;
revoke execute on function public.decline_transfer(jsonb) from public;
revoke execute on function public.cancel_transfer(jsonb) from public;
grant execute on function public.decline_transfer(jsonb) to es_public, es_attendee, es_member;
grant execute on function public.cancel_transfer(jsonb) to es_attendee, es_member;
alter function public.transfer_org(uuid) owner to es_system;
revoke execute on function public.transfer_org(uuid) from public;
grant execute on function public.transfer_org(uuid) to es_public, es_attendee, es_member;
