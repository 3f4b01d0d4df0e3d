-- Workers and their jobs. A worker says every few seconds that it is there (job_beat); who does not is taken for dead,
-- and its jobs are given to others. Between the two stands a lock of its own, shared by all that a worker writes and
-- taken alone by whoever declares it dead: so a worker either finds itself gone, or what it took is seen and given away.
-- Called from: the worker (jobs/worker.rs, jobs/running.rs), as es_system.
-- Raises: ES409 from es.finish_job when the job was given to another worker.

-- Whether the worker still counts; until the end of the transaction nobody declares it dead.
create or replace function es.worker_stands(p_worker uuid)
returns boolean
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended(p_worker::text, 23));
  perform from job_workers w where w.id = p_worker;
  return found;
end
$body$;

-- Gives away what dead workers were doing. A job that outlived its last attempt so is dead: else one that kills whoever
-- runs it would do so for ever.
create or replace function es.give_away(p_workers uuid[], p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_given integer;
begin
  update jobs j
  set
    status = case when j.attempts >= j.max_attempts then 'dead' else 'ready' end,
    worker_id = null,
    key = case when j.attempts < j.max_attempts or j.key_until = 'gone' then j.key end,
    failure = 'the program that ran it ended without a word',
    finished_at = case when j.attempts >= j.max_attempts then p_now end,
    updated_at = p_now
  where j.status = 'running'
    and j.worker_id = any (p_workers);
  get diagnostics v_given = row_count;
  return v_given;
end
$body$;

-- Says that a worker is there, and looks after the others.
-- Request: {worker, new: is it the first time, dead_after: seconds of silence after which a worker is dead}.
-- Answer: {stands: whether it still counts, given_away: jobs of dead workers}.
create or replace function public.job_beat(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_worker constant uuid := (p_request ->> 'worker')::uuid;
  v_now timestamptz := es.clock();
  v_stands boolean;
  v_dead uuid;
  v_gone uuid[] := '{}';
begin
  if (p_request ->> 'new')::boolean then
    insert into job_workers (id, started_at, beat_at) values (v_worker, v_now, v_now) on conflict do nothing;
  end if;
  update job_workers w set beat_at = v_now where w.id = v_worker;
  v_stands := found;

  for v_dead in
    select w.id
    from job_workers w
    where w.beat_at < v_now - make_interval(secs => (p_request ->> 'dead_after')::double precision)
      and w.id <> v_worker
    order by w.id
  loop
    -- One that is writing is not dead.
    if pg_try_advisory_xact_lock(hashtextextended(v_dead::text, 23)) then
      delete from job_workers w where w.id = v_dead;
      if found then
        v_gone := v_gone || v_dead;
      end if;
    end if;
  end loop;
  return jsonb_build_object(
    'stands', v_stands,
    'given_away', case when cardinality(v_gone) > 0 then es.give_away(v_gone, v_now) else 0 end
  );
end
$body$;

-- A worker goes: what it still has is ready again, and its attempt not counted.
create or replace function public.job_worker_leaves(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_worker constant uuid := (p_request ->> 'worker')::uuid;
  v_back integer;
begin
  perform pg_advisory_xact_lock(hashtextextended(v_worker::text, 23));
  update jobs j
  set
    status = 'ready',
    worker_id = null,
    attempts = j.attempts - 1,
    updated_at = es.clock()
  where j.status = 'running'
    and j.worker_id = v_worker;
  get diagnostics v_back = row_count;
  delete from job_workers w where w.id = v_worker;
  return jsonb_build_object('back', v_back);
end
$body$;

-- How far a running job is, told by its worker.
create or replace function es.progress_job(p_job uuid, p_worker uuid, p_done bigint, p_total bigint)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update jobs j
  set
    progress_done = p_done,
    progress_total = p_total,
    updated_at = es.clock()
  where j.id = p_job
    and j.worker_id = p_worker;
end
$body$;

-- Ends a running job in the transaction of its effect: both are there or none is. Refused when the job is somebody
-- else's by now, so that an effect that came too late is undone.
create or replace function es.finish_job(p_job uuid, p_worker uuid)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
begin
  delete from jobs j
  where j.id = p_job
    and j.worker_id = p_worker
    and j.keep_seconds = 0;
  if found then
    return;
  end if;
  update jobs j
  set
    status = 'done',
    worker_id = null,
    key = case when j.key_until = 'gone' then j.key end,
    failure = null,
    finished_at = v_now,
    updated_at = v_now
  where j.id = p_job
    and j.worker_id = p_worker;
  if not found then
    raise exception 'the job was given to another worker' using errcode = 'ES409';
  end if;
end
$body$;

alter function es.worker_stands(uuid) owner to es_system;
alter function es.give_away(uuid[], timestamptz) owner to es_system;
alter function public.job_beat(jsonb) owner to es_system;
alter function public.job_worker_leaves(jsonb) owner to es_system;
alter function es.progress_job(uuid, uuid, bigint, bigint) owner to es_system;
alter function es.finish_job(uuid, uuid) owner to es_system;
revoke execute on function es.worker_stands(uuid) from public;
revoke execute on function es.give_away(uuid[], timestamptz) from public;
revoke execute on function public.job_beat(jsonb) from public;
revoke execute on function public.job_worker_leaves(jsonb) from public;
revoke execute on function es.progress_job(uuid, uuid, bigint, bigint) from public;
revoke execute on function es.finish_job(uuid, uuid) from public;
