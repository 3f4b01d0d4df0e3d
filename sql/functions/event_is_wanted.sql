-- Whether a kind of job that follows events has anything to do for that one: an organization without endpoints costs no job
-- for webhooks. Judged when the event is relayed, by what is committed then; the job judges again.
-- Called from: relay_outbox, as es_system. Bound early, so that it becomes part of that statement.
-- Raises: nothing of its own.

create or replace function es.event_is_wanted(p_kind text, p_org uuid, p_type text)
returns boolean
stable
return p_kind <> 'webhooks.fan_out' or exists (
  select
  from public.webhook_endpoints e
  where e.org_id = p_org
    and e.status <> 'gone'
    and (e.event_types = '{}' or p_type = any (e.event_types))
);

alter function es.event_is_wanted(text, uuid, text) owner to es_system;
revoke execute on function es.event_is_wanted(text, uuid, text) from public;
