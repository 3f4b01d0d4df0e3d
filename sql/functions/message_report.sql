-- What a provider says later of a message that it had taken.
-- message_account_of: the account that a report came for, whosever it is. Request: {account_id}. Answer: {org_id, provider,
--   channel, webhook_key, sealed (hex)}, or null.
-- note_message_report: request {account_id, letter_id or reference, verdict: bounced, failed or complaint, reason}. Outcomes:
--   noted; unknown: the account's provider has sent no such message, or that is not noted yet.
-- A bounce and a complaint are remembered: nothing more is sent to that address. A message that arrived and was called
--   unwanted stays sent.
-- Called from: the routes of reports, as es_system; the job messages.report, as es_system in the organization.
-- Raises: 22P02 when an id is no UUID.

create or replace function public.message_account_of(p_request jsonb)
returns jsonb
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select jsonb_build_object(
    'org_id', a.org_id, 'provider', a.provider, 'channel', a.channel, 'webhook_key', a.webhook_key,
    'sealed', encode(s.sealed, 'hex')
  )
  from message_accounts a
  join message_account_secrets s on s.account_id = a.id
  where a.id = (p_request ->> 'account_id')::uuid
$body$;

create or replace function public.note_message_report(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_verdict constant text := p_request ->> 'verdict';
  v_sent message_deliveries;
begin
  select d.*
  into v_sent
  from message_deliveries d
  join message_accounts a on a.org_id = d.org_id and a.channel = d.channel and a.provider = d.provider
  where d.org_id = es.current_org()
    and a.id = (p_request ->> 'account_id')::uuid
    and d.state in ('sent', 'failed', 'bounced')
    and case
      when p_request ->> 'letter_id' is not null then d.id = (p_request ->> 'letter_id')::uuid
      else d.provider_reference = p_request ->> 'reference'
    end
  for no key update of d;
  if not found then
    return jsonb_build_object('outcome', 'unknown');
  end if;
  update message_deliveries d
  set
    state = case when v_verdict = 'complaint' then d.state else v_verdict end,
    failure = p_request ->> 'reason'
  where d.id = v_sent.id
    and d.state = 'sent';
  if v_verdict in ('bounced', 'complaint') then
    insert into message_suppressions (org_id, channel, address, reason)
    values (
      v_sent.org_id, v_sent.channel, lower(v_sent.recipient), case v_verdict when 'bounced' then 'bounce' else 'complaint' end
    )
    on conflict on constraint message_suppressions_key do nothing;
  end if;
  return jsonb_build_object('outcome', 'noted');
end
$body$;

alter function public.message_account_of(jsonb) owner to es_system;
alter function public.note_message_report(jsonb) owner to es_system;
revoke execute on function public.message_account_of(jsonb) from public;
revoke execute on function public.note_message_report(jsonb) from public;
