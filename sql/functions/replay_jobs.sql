-- Lets dead jobs run again, with all their attempts before them.
-- Request: {ids: [1 to 100]}.
-- Outcomes: replayed (ids), not_found (ids: those that do not exist here), not_dead (ids), invalid (field, message).
-- Called from: the verb replayJobs; replay_dead_jobs by `eventsphere admin replay-jobs`, as es_system.
-- Raises: ES403 without jobs:write; 22P02 when an id is no UUID.

create or replace function public.replay_jobs(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_ids constant uuid[] := array(select distinct id::uuid from jsonb_array_elements_text(p_request -> 'ids') as id);
  v_known uuid[];
  v_dead uuid[];
  v_one record;
  v_now timestamptz;
begin
  perform es.demand_permission('jobs:write');
  if cardinality(v_ids) not between 1 and 100 then
    return jsonb_build_object('outcome', 'invalid', 'field', 'jobIds', 'message', 'between 1 and 100 jobs are needed');
  end if;
  select coalesce(array_agg(j.id), '{}'), coalesce(array_agg(j.id) filter (where j.status = 'dead'), '{}')
  into v_known, v_dead
  from (
    select j.id, j.status
    from jobs j
    where j.id = any (v_ids)
    order by j.id
    for no key update
  ) j;
  if cardinality(v_known) < cardinality(v_ids) then
    return jsonb_build_object(
      'outcome', 'not_found',
      'ids', (select jsonb_agg(id) from unnest(v_ids) as id where id <> all (v_known))
    );
  end if;
  if cardinality(v_dead) < cardinality(v_ids) then
    return jsonb_build_object(
      'outcome', 'not_dead',
      'ids', (select jsonb_agg(id) from unnest(v_ids) as id where id <> all (v_dead))
    );
  end if;

  v_now := es.clock();
  for v_one in
    update jobs j
    set
      status = 'ready',
      attempts = 0,
      run_at = v_now,
      finished_at = null,
      progress_done = 0,
      updated_at = v_now
    where j.id = any (v_ids)
    returning j.id, j.org_id, j.kind, j.failure
  loop
    perform record_audit(
      v_one.org_id, 'job.replayed', 'job', v_one.id, jsonb_build_object('status', 'dead', 'failure', v_one.failure),
      jsonb_build_object('status', 'ready')
    );
  end loop;
  return jsonb_build_object('outcome', 'replayed', 'ids', to_jsonb(v_ids));
end
$body$;

-- The same for an operator, over all organizations: those of one kind, or all. Request: {kind?}. Answer: {replayed}.
create or replace function public.replay_dead_jobs(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_replayed integer;
begin
  update jobs j
  set
    status = 'ready',
    attempts = 0,
    run_at = v_now,
    finished_at = null,
    progress_done = 0,
    updated_at = v_now
  where j.status = 'dead'
    and (p_request ->> 'kind' is null or j.kind = p_request ->> 'kind');
  get diagnostics v_replayed = row_count;
  return jsonb_build_object('replayed', v_replayed);
end
$body$;

alter function public.replay_jobs(jsonb) owner to es_verbs;
alter function public.replay_dead_jobs(jsonb) owner to es_system;
revoke execute on function public.replay_jobs(jsonb) from public;
revoke execute on function public.replay_dead_jobs(jsonb) from public;
grant execute on function public.replay_jobs(jsonb) to es_member;
