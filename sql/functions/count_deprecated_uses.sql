-- Adds up how often what will be removed was used, for all organizations in one statement.
-- Request: [{org_id?, caller, api_token_id?, coordinate, day, uses}]; what belongs to an organization or a token that is
-- no longer there is left out. Rows are taken in the order of their key: several processes never wait in a circle.
-- Called from: the program's counter every few seconds, as es_system.
-- Raises: nothing of its own.

create or replace function public.count_deprecated_uses(p_uses jsonb)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  insert into deprecated_uses as known (org_id, coordinate, day, caller, api_token_id, uses)
  select u.org_id, u.coordinate, u.day, u.caller, u.api_token_id, sum(u.uses)
  from jsonb_to_recordset(p_uses) as u (
    org_id uuid, caller text, api_token_id uuid, coordinate text, day timestamptz, uses bigint
  )
  where (u.org_id is null or exists (select from organizations o where o.id = u.org_id))
    and (
      u.api_token_id is null
      or exists (select from api_tokens t where t.org_id = u.org_id and t.id = u.api_token_id)
    )
  group by u.org_id, u.coordinate, u.day, u.caller, u.api_token_id
  order by u.org_id, u.coordinate, u.day, u.caller, u.api_token_id
  on conflict on constraint deprecated_uses_key do update
  set uses = known.uses + excluded.uses;
end
$body$;

alter function public.count_deprecated_uses(jsonb) owner to es_system;
revoke execute on function public.count_deprecated_uses(jsonb) from public;
