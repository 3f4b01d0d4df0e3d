-- Writes messages in the transaction of what they are about: a line in the log, the letter, and the job that delivers it.
-- Each: {kind, recipient, channel?, org_id?, event_id?, registration_id?, about?, occasion?, variables?, priority?}.
-- The organization is that of the transaction; only where it has none is `org_id` taken (null: a letter about an account,
-- which no organization's log shows).
-- The same kind to the same recipient about the same thing on the same occasion is written once, however often it is
-- asked for: `message_deliveries_once` decides.
-- Called from: verbs' functions in their organization; message_follow, message_reminders, serve_waitlist and the accounts
--   slice as es_system.
-- Raises: 23514 for a kind or a channel that there is not. Owned by es_system, for letters hold codes and no other role
--   may read them.

create or replace function es.write_messages(p_messages jsonb)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_now constant timestamptz := es.clock();
  v_jobs jsonb;
begin
  with wanted as materialized (
    select
      es.new_id() as id, coalesce(v_org, m.org_id) as org_id, m.kind, coalesce(m.channel, 'email') as channel, m.recipient,
      m.event_id, m.registration_id, m.about, coalesce(m.occasion, '') as occasion,
      coalesce(m.variables, '{}') as variables, m.priority
    from jsonb_to_recordset(p_messages) as m (
      org_id uuid, kind text, channel text, recipient text, event_id uuid, registration_id uuid, about uuid, occasion text,
      variables jsonb, priority smallint
    )
  ),
  -- In one order for everybody, so that two who write the same wait for each other in one direction only.
  logged as (
    insert into message_deliveries (
      id, org_id, event_id, registration_id, kind, channel, recipient, about, occasion, created_at, updated_at
    )
    select
      w.id, w.org_id, w.event_id, w.registration_id, w.kind, w.channel, w.recipient, w.about, w.occasion, v_now, v_now
    from wanted w
    where w.org_id is not null
    order by w.about, w.kind, w.channel, w.recipient, w.occasion
    on conflict on constraint message_deliveries_once do nothing
    returning id
  ),
  kept as (
    select w.*
    from wanted w
    where w.org_id is null
      or w.id in (select l.id from logged l)
  ),
  written as (
    insert into mail_messages (id, org_id, kind, channel, recipient, event_id, registration_id, variables, created_at)
    select k.id, k.org_id, k.kind, k.channel, k.recipient, k.event_id, k.registration_id, k.variables, v_now
    from kept k
  )
  select jsonb_agg(
    jsonb_build_object(
      'kind', 'mail.deliver', 'org_id', k.org_id, 'key', k.id, 'priority', k.priority,
      'payload', jsonb_build_object('letter_id', k.id)
    )
  )
  into v_jobs
  from kept k;
  if v_jobs is null then
    return 0;
  end if;
  perform es.enqueue_jobs(v_jobs);
  return jsonb_array_length(v_jobs);
end
$body$;

-- One message, from a function of a verb.
create or replace function es.write_message(
  p_kind text,
  p_recipient text,
  p_about uuid,
  p_event uuid,
  p_variables jsonb
)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform es.write_messages(
    jsonb_build_array(
      jsonb_build_object(
        'kind', p_kind, 'recipient', p_recipient, 'about', p_about, 'event_id', p_event, 'variables', p_variables
      )
    )
  );
end
$body$;

alter function es.write_messages(jsonb) owner to es_system;
alter function es.write_message(text, text, uuid, uuid, jsonb) owner to es_verbs;
revoke execute on function es.write_messages(jsonb) from public;
revoke execute on function es.write_message(text, text, uuid, uuid, jsonb) from public;
grant execute on function es.write_messages(jsonb) to es_verbs;
