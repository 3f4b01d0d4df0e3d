-- Making, changing and removing endpoints of webhooks, and their secrets.
-- Who may: webhooks:write; and whoever makes or changes an endpoint holds all scopes that it has then, for they decide
--   what is sent to it. What they hold is read after the lock.
-- Called from: the verbs of the same names, which have checked address, types, version and document.
-- Raises: 22P02 when an id is no UUID.
-- after: webhook_fan_out

-- Request: {id, url, description, event_types, api_version, document?, scopes, sealed (hex)}.
-- Outcomes: created (endpoint_id), exceeds_own_permissions, too_many, forbidden.
create or replace function public.create_webhook_endpoint(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_most constant integer := 20;
  v_actor record;
  v_new webhook_endpoints;
begin
  v_actor := es.lock_members();
  if not coalesce('webhooks:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  v_new.scopes := es.webhook_texts(p_request -> 'scopes');
  if not v_new.scopes <@ v_actor.held then
    return jsonb_build_object('outcome', 'exceeds_own_permissions');
  end if;
  if v_most <= (
    select count(*)
    from webhook_endpoints e
    where e.org_id = v_org
  ) then
    return jsonb_build_object('outcome', 'too_many');
  end if;

  insert into webhook_endpoints (
    id, org_id, url, description, event_types, api_version, document, scopes, created_by
  )
  values (
    (p_request ->> 'id')::uuid,
    v_org,
    p_request ->> 'url',
    p_request ->> 'description',
    es.webhook_texts(p_request -> 'event_types'),
    p_request ->> 'api_version',
    p_request ->> 'document',
    v_new.scopes,
    es.current_user_id()
  )
  returning * into v_new;
  insert into webhook_endpoint_secrets (endpoint_id, org_id, sealed)
  values (v_new.id, v_org, decode(p_request ->> 'sealed', 'hex'));
  perform record_audit(v_org, 'webhook_endpoint.created', 'webhook_endpoint', v_new.id, null, to_jsonb(v_new));
  return jsonb_build_object('outcome', 'created', 'endpoint_id', v_new.id);
end
$body$;

-- Request: {id, seen: {url, description, event_types, api_version, document, scopes} as the change was made from, the same
-- as they shall be, status?: as it shall be, if that changes}.
-- Outcomes: updated (endpoint_id), changed_meanwhile, exceeds_own_permissions, not_found, forbidden.
create or replace function public.update_webhook_endpoint(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_actor record;
  v_before webhook_endpoints;
  v_after webhook_endpoints;
begin
  v_actor := es.lock_members();
  if not coalesce('webhooks:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  select e.* into v_before
  from webhook_endpoints e
  where e.org_id = es.current_org()
    and e.id = (p_request ->> 'id')::uuid
  for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- Nor may what was made with more, and is still on its way, be led to another address.
  if not es.webhook_texts(p_request -> 'scopes') <@ v_actor.held
    or v_before.url <> p_request ->> 'url' and exists (
      select
      from webhook_deliveries d
      where d.org_id = v_before.org_id
        and d.endpoint_id = v_before.id
        and d.status = 'pending'
        and not d.scopes <@ v_actor.held
    )
  then
    return jsonb_build_object('outcome', 'exceeds_own_permissions');
  end if;
  -- What the document was checked with must still be what it is run with, and what somebody else has just changed is
  -- not to be changed back.
  if (
    v_before.url, v_before.description, v_before.event_types, v_before.api_version, v_before.document, v_before.scopes
  ) is distinct from (
    p_request #>> '{seen,url}',
    p_request #>> '{seen,description}',
    es.webhook_texts(p_request #> '{seen,event_types}'),
    p_request #>> '{seen,api_version}',
    p_request #>> '{seen,document}',
    es.webhook_texts(p_request #> '{seen,scopes}')
  ) then
    return jsonb_build_object('outcome', 'changed_meanwhile');
  end if;

  update webhook_endpoints e
  set
    url = p_request ->> 'url',
    description = p_request ->> 'description',
    event_types = es.webhook_texts(p_request -> 'event_types'),
    api_version = p_request ->> 'api_version',
    document = p_request ->> 'document',
    scopes = es.webhook_texts(p_request -> 'scopes'),
    -- Left out, it stays: an endpoint that has just answered 410 is not turned on by a new description.
    status = coalesce(p_request ->> 'status', e.status),
    failures = 0,
    rests_until = null
  where e.id = v_before.id
  returning e.* into v_after;
  -- There may be many that waited, so a job takes them up.
  if v_before.status <> 'active' and v_after.status = 'active' then
    perform es.enqueue_job(
      'webhooks.resume', jsonb_build_object('endpoint_id', v_after.id), v_after.id::text, 'taken'
    );
  end if;
  perform record_audit(
    v_after.org_id, 'webhook_endpoint.updated', 'webhook_endpoint', v_after.id, to_jsonb(v_before), to_jsonb(v_after)
  );
  return jsonb_build_object('outcome', 'updated', 'endpoint_id', v_after.id);
end
$body$;

-- Its deliveries and secrets go with it. Request: {id}. Outcomes: deleted, not_found.
create or replace function public.delete_webhook_endpoint(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_gone webhook_endpoints;
begin
  perform es.demand_permission('webhooks:write');
  delete from webhook_endpoints e
  where e.org_id = es.current_org()
    and e.id = (p_request ->> 'id')::uuid
  returning e.* into v_gone;
  if v_gone.id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  perform record_audit(v_gone.org_id, 'webhook_endpoint.deleted', 'webhook_endpoint', v_gone.id, to_jsonb(v_gone));
  return jsonb_build_object('outcome', 'deleted');
end
$body$;

-- Gives the endpoint another secret; the one before signs too for so many hours. Request: {id, sealed (hex), hours}.
-- Outcomes: rotated (endpoint_id, previous_until), not_found.
create or replace function public.rotate_webhook_secret(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_hours constant integer := (p_request ->> 'hours')::integer;
  v_now timestamptz;
  v_until timestamptz;
  v_org uuid;
begin
  perform es.demand_permission('webhooks:write');
  select s.org_id into v_org
  from webhook_endpoint_secrets s
  where s.org_id = es.current_org()
    and s.endpoint_id = (p_request ->> 'id')::uuid
  for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  v_now := es.clock();
  v_until := case when v_hours > 0 then v_now + make_interval(hours => v_hours) end;
  update webhook_endpoint_secrets s
  set
    previous_sealed = case when v_until is not null then s.sealed end,
    previous_until = v_until,
    sealed = decode(p_request ->> 'sealed', 'hex')
  where s.endpoint_id = (p_request ->> 'id')::uuid;
  perform record_audit(
    v_org, 'webhook_endpoint.secret_rotated', 'webhook_endpoint', (p_request ->> 'id')::uuid, null,
    jsonb_build_object('previous_until', v_until)
  );
  return jsonb_build_object('outcome', 'rotated', 'endpoint_id', p_request ->> 'id', 'previous_until', v_until);
end
$body$;

-- The texts of a list, each once, in order.
create or replace function es.webhook_texts(p_list jsonb)
returns text[]
language sql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select coalesce(array_agg(distinct one order by one), '{}')
  from jsonb_array_elements_text(p_list) as one
$body$;

alter function public.create_webhook_endpoint(jsonb) owner to es_verbs;
alter function public.update_webhook_endpoint(jsonb) owner to es_verbs;
alter function public.delete_webhook_endpoint(jsonb) owner to es_verbs;
alter function public.rotate_webhook_secret(jsonb) owner to es_verbs;
alter function es.webhook_texts(jsonb) owner to es_verbs;
revoke execute on function public.create_webhook_endpoint(jsonb) from public;
revoke execute on function public.update_webhook_endpoint(jsonb) from public;
revoke execute on function public.delete_webhook_endpoint(jsonb) from public;
revoke execute on function public.rotate_webhook_secret(jsonb) from public;
revoke execute on function es.webhook_texts(jsonb) from public;
grant execute on function public.create_webhook_endpoint(jsonb) to es_member;
grant execute on function public.update_webhook_endpoint(jsonb) to es_member;
grant execute on function public.delete_webhook_endpoint(jsonb) to es_member;
grant execute on function public.rotate_webhook_secret(jsonb) to es_member;
grant execute on function es.webhook_texts(jsonb) to es_system;
