-- Revokes an API token and forgets its secret. A second time does nothing.
-- Request: {api_token_id}.
-- Outcomes: revoked (api_token_id, token_hash (hex; only the first time)), api_token_not_found, forbidden.
-- Who may: tokens:write; taking away is never too much, so also tokens that may more than the actor may.
-- Called from: the verb revokeApiToken.
-- Raises: 22P02 when the id is no UUID.

create or replace function public.revoke_api_token(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_actor record;
  v_found api_tokens;
  v_hash bytea;
begin
  v_actor := es.lock_members();
  if not coalesce('tokens:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  select t.* into v_found
  from api_tokens t
  where t.org_id = v_org
    and t.id = (p_request ->> 'api_token_id')::uuid
  for no key update;
  if not found then
    return jsonb_build_object('outcome', 'api_token_not_found');
  end if;

  if v_found.revoked_at is null then
    update api_tokens t
    set revoked_at = es.clock()
    where t.org_id = v_org
      and t.id = v_found.id;
    delete from api_token_secrets s
    where s.org_id = v_org
      and s.token_id = v_found.id
    returning s.secret_hash into v_hash;
    perform record_audit(v_org, 'api_token.revoked', 'api_token', v_found.id);
  end if;
  return jsonb_build_object(
    'outcome', 'revoked', 'api_token_id', v_found.id, 'token_hash', encode(v_hash, 'hex')
  );
end
$body$;

alter function public.revoke_api_token(jsonb) owner to es_verbs;
revoke execute on function public.revoke_api_token(jsonb) from public;
grant execute on function public.revoke_api_token(jsonb) to es_member;
