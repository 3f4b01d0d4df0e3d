-- Makes an API token of the signed-in member. The secret itself never comes here, only its hash.
-- Request: {name, scopes, expires_at?, trusted_documents_only?, prefix, token_hash (hex)}.
-- Outcomes: created (api_token_id), exceeds_own_permissions, expires_in_the_past, forbidden.
-- Who may: people with tokens:write, with scopes that they hold themselves. API tokens make no API tokens: else one
--   that leaks would outlive its revocation.
-- Called from: the verb createApiToken, which has checked the names of the scopes.
-- Raises: nothing of its own.

create or replace function public.create_api_token(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_scopes constant text[] := array(
    select distinct scope
    from jsonb_array_elements_text(p_request -> 'scopes') as scope
    order by scope
  );
  v_expires_at constant timestamptz := (p_request ->> 'expires_at')::timestamptz;
  v_actor record;
  v_new api_tokens;
begin
  v_actor := es.lock_members();
  if es.current_user_id() is null or not coalesce('tokens:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  if not v_scopes <@ v_actor.held then
    return jsonb_build_object('outcome', 'exceeds_own_permissions');
  end if;
  if v_expires_at <= es.clock() then
    return jsonb_build_object('outcome', 'expires_in_the_past');
  end if;

  insert into api_tokens (org_id, name, prefix, scopes, trusted_documents_only, created_by, expires_at)
  values (
    v_org,
    p_request ->> 'name',
    p_request ->> 'prefix',
    v_scopes,
    coalesce((p_request ->> 'trusted_documents_only')::boolean, false),
    es.current_user_id(),
    v_expires_at
  )
  returning * into v_new;
  insert into api_token_secrets (token_id, org_id, secret_hash)
  values (v_new.id, v_org, decode(p_request ->> 'token_hash', 'hex'));
  perform record_audit(v_org, 'api_token.created', 'api_token', v_new.id, null, to_jsonb(v_new));
  return jsonb_build_object('outcome', 'created', 'api_token_id', v_new.id);
end
$body$;

alter function public.create_api_token(jsonb) owner to es_verbs;
revoke execute on function public.create_api_token(jsonb) from public;
grant execute on function public.create_api_token(jsonb) to es_member;
