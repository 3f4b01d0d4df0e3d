-- The same request under the same key is answered once and then told again.
-- The key's row is the first lock of every verb: a second caller waits at it until the first has committed.
-- Keys of signed-in people and of tokens are their own; those of visitors and guests share one room, where the key
-- itself has to be unguessable.
-- Called from: verbs that take an idempotency key: begin first, finish last, in one transaction.
-- Raises: ES400 a key without argument hash, or of less than 8 or more than 200 characters;
--         ES409 the key was used with other arguments.

create or replace function es.idempotency_actor()
returns text
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_actor constant text := es.current_actor();
begin
  if v_actor in ('anonymous', 'unknown') then
    return 'guest';
  end if;
  return v_actor;
end
$body$;

create or replace function es.idempotency_begin(p_operation text, p_key text, p_argument_hash text)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_hash constant bytea := decode(p_argument_hash, 'hex');
  v_known idempotency_keys;
begin
  if p_key is null or v_hash is null or char_length(p_key) not between 8 and 200 then
    raise exception 'an idempotency key has 8 to 200 characters and comes with the hash of the arguments'
      using errcode = 'ES400';
  end if;

  insert into idempotency_keys (org_id, actor, operation, key, argument_hash)
  values (v_org, es.idempotency_actor(), p_operation, p_key, v_hash)
  on conflict on constraint idempotency_keys_key do nothing;
  if found then
    return null;
  end if;

  select k.*
  into v_known
  from idempotency_keys k
  where k.org_id = v_org
    and k.actor = es.idempotency_actor()
    and k.operation = p_operation
    and k.key = p_key
  for no key update;
  if v_known.argument_hash is distinct from v_hash or v_known.outcome is null then
    raise exception 'this idempotency key was used for another request' using errcode = 'ES409';
  end if;
  return v_known.outcome || jsonb_build_object('replayed', true);
end
$body$;

create or replace function es.idempotency_finish(p_operation text, p_key text, p_outcome jsonb)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update idempotency_keys k
  set outcome = p_outcome
  where k.org_id = es.current_org()
    and k.actor = es.idempotency_actor()
    and k.operation = p_operation
    and k.key = p_key;
end
$body$;

-- The frame of a verb whose key may be left out, in two lines: what was answered before, if anything; and the answer,
-- kept under the key.
create or replace function es.told_before(p_operation text, p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_request ->> 'idempotency_key' is null then
    return null;
  end if;
  return es.idempotency_begin(p_operation, p_request ->> 'idempotency_key', p_request ->> 'argument_hash');
end
$body$;

create or replace function es.tell(p_operation text, p_request jsonb, p_outcome jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_request ->> 'idempotency_key' is not null then
    perform es.idempotency_finish(p_operation, p_request ->> 'idempotency_key', p_outcome);
  end if;
  return p_outcome;
end
$body$;

alter function es.idempotency_actor() owner to es_verbs;
alter function es.idempotency_begin(text, text, text) owner to es_verbs;
alter function es.idempotency_finish(text, text, jsonb) owner to es_verbs;
alter function es.told_before(text, jsonb) owner to es_verbs;
alter function es.tell(text, jsonb, jsonb) owner to es_verbs;
revoke execute on function es.told_before(text, jsonb) from public;
revoke execute on function es.tell(text, jsonb, jsonb) from public;
revoke execute on function es.idempotency_actor() from public;
revoke execute on function es.idempotency_begin(text, text, text) from public;
revoke execute on function es.idempotency_finish(text, text, jsonb) from public;
grant execute on function es.idempotency_actor() to es_system;
grant execute on function es.idempotency_begin(text, text, text) to es_system;
grant execute on function es.idempotency_finish(text, text, jsonb) to es_system;
