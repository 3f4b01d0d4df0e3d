-- The idempotency keys of many requests that are served in one transaction: es.idempotency_begin for each of them, in
-- one statement and in one order, so that two batches never wait for each other in a circle.
-- For each request, by its place in the arrays:
--   ids      the key's row, when the key is new; the caller stores the outcome there
--   answers  what an earlier call was answered, with `replayed`: true; or {"outcome": "key_conflict"}, which is ES409
--            said of one request among many
-- Neither is said of a request whose key stands earlier in the same batch: es.batch_twin answers it later on.
-- Called from: place_registrations, confirm_registrations.
-- Raises: 23502, 23514, 22023 for a key or hash that es.idempotency_begin would refuse with ES400.

create or replace function es.batch_keys(
  p_operation text,
  p_actors text[],
  p_keys text[],
  p_hashes text[],
  out ids uuid[],
  out answers jsonb[]
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_made uuid[];
begin
  with given as (
    select
      g.n, g.actor, g.key, g.hash, es.new_id() as id,
      row_number() over (partition by g.actor, g.key order by g.n) = 1 as is_first
    from unnest(p_actors, p_keys, p_hashes) with ordinality as g (actor, key, hash, n)
  ),
  made as (
    insert into idempotency_keys (id, org_id, actor, operation, key, argument_hash)
    select g.id, v_org, g.actor, p_operation, g.key, decode(g.hash, 'hex')
    from given g
    where g.is_first
    order by g.actor, g.key
    on conflict on constraint idempotency_keys_key do nothing
    returning id
  )
  select array_agg(g.id order by g.n), (select array_agg(m.id) from made m)
  into ids, v_made
  from given g;
  if cardinality(v_made) = cardinality(ids) then
    return;
  end if;
  select array_agg(case when g.id = any (v_made) then g.id end order by g.n)
  into ids
  from unnest(ids) with ordinality as g (id, n);

  -- Whoever took a key before has committed by now: the insert above waited for them.
  select array_agg(
    case
      when ids[g.n] is not null or k.id is null or k.id = any (v_made) then null
      when k.argument_hash is distinct from decode(g.hash, 'hex') or k.outcome is null
        then jsonb_build_object('outcome', 'key_conflict')
      else k.outcome || jsonb_build_object('replayed', true)
    end
    order by g.n
  )
  into answers
  from unnest(p_actors, p_keys, p_hashes) with ordinality as g (actor, key, hash, n)
  left join lateral (
    select known.*
    from idempotency_keys known
    where known.org_id = v_org
      and known.actor = g.actor
      and known.operation = p_operation
      and known.key = g.key
    limit 1
  ) k on true;
end
$body$;

-- What is answered to a request whose key stands earlier in its batch, once that one has been answered.
create or replace function es.batch_twin(p_operation text, p_actor text, p_key text, p_hash text)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_known idempotency_keys;
begin
  select k.*
  into v_known
  from idempotency_keys k
  where k.org_id = es.current_org()
    and k.actor = es.batch_actor(p_actor)
    and k.operation = p_operation
    and k.key = p_key;
  if v_known.argument_hash is distinct from decode(p_hash, 'hex') or v_known.outcome is null then
    return jsonb_build_object('outcome', 'key_conflict');
  end if;
  return v_known.outcome || jsonb_build_object('replayed', true);
end
$body$;

-- Whose keys an actor's are, as es.idempotency_actor says it of the transaction's own.
create or replace function es.batch_actor(p_actor text)
returns text
language sql
immutable
parallel safe
as $body$
  select case when p_actor in ('anonymous', 'unknown') then 'guest' else p_actor end
$body$;

-- Tells this transaction whose request is served now, so that what was written for one request serves many.
create or replace function es.batch_act_as(p_actor text, p_user uuid, p_guest_hashes bytea[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform
    set_config('es.actor', p_actor, true),
    set_config('es.user', coalesce(p_user::text, ''), true),
    set_config('es.permissions', '', true),
    set_config('es.guest', '', true);
  if p_guest_hashes is not null then
    perform es.open_as_guest(p_guest_hashes);
  end if;
end
$body$;

alter function es.batch_keys(text, text[], text[], text[]) owner to es_verbs;
alter function es.batch_twin(text, text, text, text) owner to es_verbs;
alter function es.batch_actor(text) owner to es_verbs;
alter function es.batch_act_as(text, uuid, bytea[]) owner to es_verbs;
revoke execute on function es.batch_keys(text, text[], text[], text[]) from public;
revoke execute on function es.batch_twin(text, text, text, text) from public;
revoke execute on function es.batch_actor(text) from public;
revoke execute on function es.batch_act_as(text, uuid, bytea[]) from public;
