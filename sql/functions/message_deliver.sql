-- Delivering a letter, in two transactions with the provider's call between them.
-- message_take: what is to be sent, or that there is nothing to do. Request: {letter_id}.
--   Outcomes: gone (delivered before, or there is no such letter), suppressed (the log says so now), and letter:
--   {letter: {id, org_id, kind, channel, recipient, event_id, variables, subject, body_text, created_at}, facts,
--   templates: [{event_id, language, subject, mjml, text}], account: {id, provider, name, sender, sealed (hex)} or null}.
-- message_settle: how it ended. Request: {letter_id, state: sent | bounced | suppressed | failed | queued, provider?,
--   reference?, failure?, subject?, body_text?, body_html?, calendar?, waits?}. A bounce is remembered: nothing more is sent to
--   that address. With `waits` the letter is to be sent still: soon (queued), or when its dead job runs again (failed).
-- message_end: the same, and with {job, worker} the job is done, in the same transaction or not at all.
-- message_look: as message_take gives it, for one letter or the newest, and nothing is changed.
-- Called from: the job mail.deliver (messages/deliver.rs) and the development mailbox, as es_system.
-- Raises: message_end ES409 when the job was given to another worker.
-- after: message_facts

create or replace function es.letter_to_make(p_letter mail_messages)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return jsonb_build_object(
    'letter', jsonb_build_object(
      'id', p_letter.id, 'org_id', p_letter.org_id, 'kind', p_letter.kind, 'channel', p_letter.channel,
      'recipient', p_letter.recipient, 'variables', p_letter.variables, 'subject', p_letter.subject,
      'body_text', p_letter.body_text, 'body_html', p_letter.body_html, 'calendar', p_letter.calendar,
      'created_at', p_letter.created_at, 'delivered_at', p_letter.delivered_at
    ),
    'facts', case
      -- What was made is not made again.
      when p_letter.subject is not null then '{}'
      else es.message_facts(
        p_letter.org_id, p_letter.event_id, p_letter.registration_id, (p_letter.variables ->> 'occurrence_id')::uuid,
        p_letter.recipient
      )
    end,
    'templates', (
      select coalesce(jsonb_agg(to_jsonb(t)), '[]')
      from message_templates t
      where t.org_id = p_letter.org_id
        and t.kind = p_letter.kind
        and t.channel = p_letter.channel
        and (t.event_id is null or t.event_id = p_letter.event_id)
    )
  );
end
$body$;

-- Why nothing is to be sent there now; null when it is. Somebody who unsubscribed still gets what belongs to a purchase.
create or replace function es.message_stopped(p_letter mail_messages)
returns text
-- Not in SQL, here and below: that would be planned anew for each letter.
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select case s.reason
      when 'bounce' then 'an earlier message to this address bounced'
      when 'complaint' then 'a message to this address was called unwanted'
      else 'unsubscribed'
    end
    from message_suppressions s
    where s.org_id = p_letter.org_id
      and s.channel = p_letter.channel
      and s.address = lower(p_letter.recipient)
      and (s.reason <> 'unsubscribe' or p_letter.kind = 'reminder')
    order by s.reason
    limit 1
  );
end
$body$;

-- Why a reminder has lost its sense; null when it has not.
create or replace function es.reminder_is_late(p_letter mail_messages, p_now timestamptz)
returns text
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_letter.kind = 'reminder' and p_letter.variables ? 'occurrence_id' then
    perform
    from occurrences o
    join events e on e.id = o.event_id
    where o.id = (p_letter.variables ->> 'occurrence_id')::uuid
      and o.status = 'scheduled'
      and o.starts_at > p_now
      and e.status = 'published';
    if not found then
      return 'the date has begun, or was cancelled';
    end if;
  end if;
  return null;
end
$body$;

create or replace function public.message_take(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_letter mail_messages;
  v_stopped text;
begin
  select m.*
  into v_letter
  from mail_messages m
  where m.id = (p_request ->> 'letter_id')::uuid
  for no key update;
  if v_letter.id is null or v_letter.delivered_at is not null then
    return jsonb_build_object('outcome', 'gone');
  end if;
  v_stopped := coalesce(es.message_stopped(v_letter), es.reminder_is_late(v_letter, es.clock()));
  if v_stopped is not null then
    perform message_settle(jsonb_build_object('letter_id', v_letter.id, 'state', 'suppressed', 'failure', v_stopped));
    return jsonb_build_object('outcome', 'suppressed');
  end if;
  return es.letter_to_make(v_letter) || jsonb_build_object(
    'outcome', 'letter',
    'account', (
      select jsonb_build_object(
        'id', a.id, 'provider', a.provider, 'name', a.name, 'sender', a.sender, 'sealed', encode(s.sealed, 'hex')
      )
      from message_accounts a
      join message_account_secrets s on s.account_id = a.id
      where a.org_id = v_letter.org_id
        and a.channel = v_letter.channel
    )
  );
end
$body$;

create or replace function public.message_settle(p_request jsonb)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_state constant text := p_request ->> 'state';
  v_letter mail_messages;
begin
  update mail_messages m
  set
    subject = coalesce(p_request ->> 'subject', m.subject),
    body_text = coalesce(p_request ->> 'body_text', m.body_text),
    body_html = coalesce(p_request ->> 'body_html', m.body_html),
    calendar = coalesce(p_request ->> 'calendar', m.calendar),
    delivered_at = case when p_request ->> 'waits' is null then v_now end
  where m.id = (p_request ->> 'letter_id')::uuid
    and m.delivered_at is null
  returning m.* into v_letter;
  update message_deliveries d
  set
    state = v_state,
    subject = coalesce(p_request ->> 'subject', d.subject),
    provider = coalesce(p_request ->> 'provider', d.provider),
    provider_reference = coalesce(p_request ->> 'reference', d.provider_reference),
    failure = p_request ->> 'failure',
    attempts = d.attempts + case when v_state = 'suppressed' then 0 else 1 end,
    sent_at = case when v_state = 'sent' then v_now end
  where d.id = v_letter.id
    and d.state in ('queued', 'failed');
  if v_state = 'bounced' and v_letter.org_id is not null then
    insert into message_suppressions (org_id, channel, address, reason)
    values (v_letter.org_id, v_letter.channel, lower(v_letter.recipient), 'bounce')
    on conflict on constraint message_suppressions_key do nothing;
  end if;
end
$body$;

create or replace function public.message_end(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform message_settle(p_request);
  if p_request ? 'job' then
    perform es.finish_job((p_request ->> 'job')::uuid, (p_request ->> 'worker')::uuid);
  end if;
  return null;
end
$body$;

create or replace function public.message_look(p_request jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select coalesce(
      jsonb_agg(
        es.letter_to_make(m.letter)
          || jsonb_build_object(
            'organization', (select o.name from organizations o where o.id = (m.letter).org_id),
            'log', (
              select jsonb_build_object('state', d.state, 'provider', d.provider, 'failure', d.failure)
              from message_deliveries d
              where d.id = (m.letter).id
            )
          )
        order by (m.letter).created_at desc, (m.letter).id desc
      ),
      '[]'
    )
    from (
      select l as letter
      from mail_messages l
      where (p_request ->> 'letter_id' is null or l.id = (p_request ->> 'letter_id')::uuid)
        and (p_request ->> 'recipient' is null or l.recipient = p_request ->> 'recipient')
      order by l.created_at desc, l.id desc
      limit (p_request ->> 'limit')::integer
    ) m
  );
end
$body$;

alter function es.letter_to_make(mail_messages) owner to es_system;
alter function es.message_stopped(mail_messages) owner to es_system;
alter function es.reminder_is_late(mail_messages, timestamptz) owner to es_system;
alter function public.message_take(jsonb) owner to es_system;
alter function public.message_settle(jsonb) owner to es_system;
alter function public.message_end(jsonb) owner to es_system;
alter function public.message_look(jsonb) owner to es_system;
revoke execute on function es.letter_to_make(mail_messages) from public;
revoke execute on function es.message_stopped(mail_messages) from public;
revoke execute on function es.reminder_is_late(mail_messages, timestamptz) from public;
revoke execute on function public.message_take(jsonb) from public;
revoke execute on function public.message_settle(jsonb) from public;
revoke execute on function public.message_end(jsonb) from public;
revoke execute on function public.message_look(jsonb) from public;
