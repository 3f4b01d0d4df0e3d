-- Opens to this transaction the registrations, the received tickets and the entries of waitlists whose guest secrets hash
-- to one of the hashes. Keys of registrations and entries stand in one setting: no two rows share a key, whatever their
-- tables.
-- Called from: the door, when a request carries guest secrets; place_registration, join_waitlist and
--   accept_waitlist_offer, for the one just made (opened_to_guest).
-- Raises: nothing. An unknown hash opens nothing; more than ten hashes are not read.

create or replace function es.open_as_guest(p_hashes bytea[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
-- Everything is looked up by keys. For an array the planner would make a plan anew each time, which costs more than to use it.
set plan_cache_mode = force_generic_plan
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

-- The answer of a verb. Where it says that the thing was made, it is opened to the guest whose secret came along: the
-- answer is read back in this transaction, by the secret when there is no user.
create or replace function es.opened_to_guest(p_made text, p_request jsonb, p_told jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_told ->> 'outcome' = p_made and p_request ->> 'guest_secret_hash' is not null then
    perform es.open_as_guest(array[decode(p_request ->> 'guest_secret_hash', 'hex')]);
  end if;
  return p_told;
end
$body$;

alter function es.open_as_guest(bytea[]) owner to es_system;
alter function es.opened_to_guest(text, jsonb, jsonb) owner to es_verbs;
revoke execute on function es.open_as_guest(bytea[]) from public;
revoke execute on function es.opened_to_guest(text, jsonb, jsonb) from public;
grant execute on function es.open_as_guest(bytea[]) to es_verbs, es_public, es_attendee, es_member;
