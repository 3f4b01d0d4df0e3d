-- Which of those who watch may not do so any more as they did when they came: their session ended, their account was
-- closed, their role or its permissions changed, their token was revoked or ran out, or its maker may less.
-- Request: {people: [{n, session, user}], members: [{n, session, user, org, permissions: [text]}],
--   tokens: [{n, token, permissions: [text]}]}. A member is among `people` too.
-- Answer: {gone: [n]}.
-- Called from: each process that has somebody who watches (live/standing.rs), as es_system: people of all organizations hang
--   on one process, and are asked about together.
-- Raises: nothing of its own.

create or replace function public.live_standing(p_request jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_gone jsonb;
begin
  select jsonb_agg(g.n)
  into v_gone
  from (
    select p.n
    from jsonb_to_recordset(p_request -> 'people') as p (n bigint, session uuid, "user" uuid)
    where not exists (
      select
      from device_sessions s
      join users u on u.id = s.user_id
      where s.id = p.session
        and s.user_id = p."user"
        and s.revoked_at is null
        and s.expires_at > v_now
        and u.disabled_at is null
    )
    union
    select m.n
    from jsonb_to_recordset(p_request -> 'members') as m (n bigint, "user" uuid, org uuid, permissions text[])
    where not exists (
      select
      from members k
      join roles r on r.org_id = k.org_id and r.id = k.role_id
      join organizations o on o.id = k.org_id
      where k.user_id = m."user"
        and k.org_id = m.org
        and o.deleted_at is null
        and r.permissions @> m.permissions
        and r.permissions <@ m.permissions
    )
    union
    select t.n
    from jsonb_to_recordset(p_request -> 'tokens') as t (n bigint, token uuid, permissions text[])
    where not exists (
      select
      from api_tokens a
      join users u on u.id = a.created_by
      join members k on k.org_id = a.org_id and k.user_id = a.created_by
      join roles r on r.org_id = k.org_id and r.id = k.role_id
      join organizations o on o.id = a.org_id
      where a.id = t.token
        and a.revoked_at is null
        and (a.expires_at is null or a.expires_at > v_now)
        and u.disabled_at is null
        and o.deleted_at is null
        and not exists (
          select
          from (
            select s as scope from unnest(a.scopes) as s where s = any (r.permissions)
            except
            select unnest(t.permissions)
          ) more
        )
        and t.permissions <@ a.scopes
        and t.permissions <@ r.permissions
    )
  ) g;
  return jsonb_build_object('gone', coalesce(v_gone, '[]'));
end
$body$;

alter function public.live_standing(jsonb) owner to es_system;
revoke execute on function public.live_standing(jsonb) from public;
