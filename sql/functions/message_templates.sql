-- Texts of an organization.
-- save_message_template: makes or replaces the text of a kind, channel and language, of an event or of the organization.
--   Request: {event_id?, kind, channel, language, subject?, mjml?, text?}; the program has looked whether it works.
--   Outcomes: saved (template_id), event_not_found.
-- delete_message_template: request {template_id}. Outcomes: deleted (template_id), not_found.
-- message_sample: what a preview needs. Request: {kind, channel, event_id?, registration_id?}. Outcomes: sample (facts,
--   templates), event_not_found, registration_not_found. Owned by es_system: facts are found by message_facts, for the
--   organization of the transaction alone.
-- Called from: the verbs of their names, and previewMessageTemplate.
-- Raises: ES403 without messages:write; for a preview messages:read, and what the event and the registration themselves ask.
--   22P02 when an id is no UUID.
-- after: message_facts

create or replace function public.save_message_template(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_event constant uuid := (p_request ->> 'event_id')::uuid;
  v_saved message_templates;
begin
  perform es.demand_permission('messages:write');
  if v_event is not null and not exists (select from events e where e.org_id = v_org and e.id = v_event) then
    return jsonb_build_object('outcome', 'event_not_found');
  end if;
  insert into message_templates as known (org_id, event_id, kind, channel, language, subject, mjml, text)
  values (
    v_org, v_event, p_request ->> 'kind', p_request ->> 'channel', p_request ->> 'language', p_request ->> 'subject',
    p_request ->> 'mjml', p_request ->> 'text'
  )
  on conflict on constraint message_templates_key do update
  set
    subject = excluded.subject,
    mjml = excluded.mjml,
    text = excluded.text
  returning known.* into v_saved;
  perform record_audit(
    v_org, 'message_template.saved', 'message_template', v_saved.id, null,
    jsonb_build_object('event_id', v_event, 'kind', v_saved.kind, 'channel', v_saved.channel, 'language', v_saved.language)
  );
  return jsonb_build_object('outcome', 'saved', 'template_id', v_saved.id);
end
$body$;

create or replace function public.delete_message_template(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_gone message_templates;
begin
  perform es.demand_permission('messages:write');
  delete from message_templates t
  where t.org_id = es.current_org()
    and t.id = (p_request ->> 'template_id')::uuid
  returning t.* into v_gone;
  if v_gone.id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  perform record_audit(
    v_gone.org_id, 'message_template.deleted', 'message_template', v_gone.id,
    jsonb_build_object('event_id', v_gone.event_id, 'kind', v_gone.kind, 'channel', v_gone.channel, 'language', v_gone.language),
    null
  );
  return jsonb_build_object('outcome', 'deleted', 'template_id', v_gone.id);
end
$body$;

create or replace function public.message_sample(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_registration registrations;
  v_event uuid := (p_request ->> 'event_id')::uuid;
  v_facts jsonb;
begin
  perform es.demand_permission('messages:read');
  if v_event is not null then
    perform es.demand_permission('events:read');
    if not exists (select from events e where e.org_id = v_org and e.id = v_event) then
      return jsonb_build_object('outcome', 'event_not_found');
    end if;
  end if;
  if p_request ->> 'registration_id' is not null then
    perform es.demand_permission('registrations:read');
    perform es.demand_permission('attendees:read');
    select r.*
    into v_registration
    from registrations r
    where r.org_id = v_org
      and r.id = (p_request ->> 'registration_id')::uuid;
    if v_registration.id is null then
      return jsonb_build_object('outcome', 'registration_not_found');
    end if;
    v_event := v_registration.event_id;
  end if;
  v_facts := es.message_facts(v_org, v_event, v_registration.id, null, v_registration.buyer_email);
  return jsonb_build_object(
    'outcome', 'sample',
    -- Whether the buyer has an account, and its language, are not the organization's to know.
    'facts', v_facts #- '{recipient,language}',
    'templates', (
      select coalesce(jsonb_agg(to_jsonb(t)), '[]')
      from message_templates t
      where t.org_id = v_org
        and t.kind = p_request ->> 'kind'
        and t.channel = p_request ->> 'channel'
        and (t.event_id is null or t.event_id = v_event)
    )
  );
end
$body$;

alter function public.save_message_template(jsonb) owner to es_verbs;
alter function public.delete_message_template(jsonb) owner to es_verbs;
alter function public.message_sample(jsonb) owner to es_system;
revoke execute on function public.save_message_template(jsonb) from public;
revoke execute on function public.delete_message_template(jsonb) from public;
revoke execute on function public.message_sample(jsonb) from public;
grant execute on function public.save_message_template(jsonb) to es_member;
grant execute on function public.delete_message_template(jsonb) to es_member;
grant execute on function public.message_sample(jsonb) to es_member;
