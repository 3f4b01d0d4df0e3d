-- Opens to this transaction the registrations, the received tickets and the entries of waitlists whose guest secrets hash
-- to one of the hashes. Keys of registrations and entries stand in one setting: no two rows share a key, whatever their
-- tables.
-- Called from: the door, when a request carries guest secrets; place_registration, join_waitlist and
--   accept_waitlist_offer, for the one just made.
-- Raises: nothing. An unknown hash opens nothing; more than ten hashes are not read.

create or replace function es.open_as_guest(p_hashes bytea[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_opened uuid[];
  v_tickets uuid[];
begin
  select array_agg(s.ticket_id)
  into v_tickets
  from ticket_secrets s
  where s.secret_hash = any (p_hashes[1:10]);
  if v_tickets is not null then
    perform set_config('es.guest_tickets', array_to_string(es.guest_tickets() || v_tickets, ','), true);
  end if;
  select array_agg(s.id)
  into v_opened
  from (
    select registration_id as id
    from registration_secrets
    where secret_hash = any (p_hashes[1:10])
    union all
    select entry_id
    from waitlist_secrets
    where secret_hash = any (p_hashes[1:10])
  ) s;

  if v_opened is null then
    return;
  end if;
  perform set_config('es.guest', array_to_string(es.guest_registrations() || v_opened, ','), true);
end
$body$;

alter function es.open_as_guest(bytea[]) owner to es_system;
revoke execute on function es.open_as_guest(bytea[]) from public;
grant execute on function es.open_as_guest(bytea[]) to es_verbs, es_public, es_attendee, es_member;
