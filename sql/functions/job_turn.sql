-- A worker's turn at a queue, in one transaction: says how its jobs ended and takes the next.
-- Request: {worker, queue, done: [id], failed: [{id, after_seconds?, failure}], back: [{id, after_seconds?}], want,
--   per_lane, busy: {lane: running}, cursor, have?: [id]}. `failed` without a number of seconds is dead; `back` counts no
--   attempt. `have` is sent after a turn whose answer was lost: what that one took and is not among them is ready again.
-- Answer: {jobs: [[id, org_id, kind, lane, attempt, last, payload, created_at]], cursor}; null for a worker that is not
--   known any more: its jobs were given to others. Rows without names, and json that nobody looks into here: a jsonb of
--   named values takes longer to make than its job to take.
-- Fair: first by priority, then lane after lane, from the one behind `cursor` on and round again, at most `per_lane` jobs
--   of one lane at a time in one worker; within a lane the oldest first. However much one lane has heaped up, another's
--   next job is among the next that are taken.
-- Called from: the worker (jobs/queue.rs), as es_system.
-- Raises: nothing of its own.
-- after: job_workers

create or replace function es.settle_jobs(p_worker uuid, p_request jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_done constant uuid[] := array(select id::uuid from jsonb_array_elements_text(p_request -> 'done') as id);
  v_gone integer;
begin
  -- A job that was given to somebody else meanwhile has another worker.
  if cardinality(v_done) > 0 then
    delete from jobs j
    where j.id = any (v_done)
      and j.worker_id = p_worker
      and j.keep_seconds = 0;
    get diagnostics v_gone = row_count;
    if v_gone < cardinality(v_done) then
      update jobs j
      set
        status = 'done',
        worker_id = null,
        key = case when j.key_until = 'gone' then j.key end,
        failure = null,
        finished_at = p_now,
        updated_at = p_now
      where j.id = any (v_done)
        and j.worker_id = p_worker;
    end if;
  end if;

  if jsonb_array_length(p_request -> 'failed') > 0 then
    update jobs j
    set
      status = case when f.after_seconds is null then 'dead' else 'scheduled' end,
      worker_id = null,
      key = case when f.after_seconds is not null or j.key_until = 'gone' then j.key end,
      run_at = p_now + make_interval(secs => coalesce(f.after_seconds, 0)),
      failure = f.failure,
      finished_at = case when f.after_seconds is null then p_now end,
      updated_at = p_now
    from jsonb_to_recordset(p_request -> 'failed') as f (id uuid, after_seconds double precision, failure text)
    where j.id = f.id
      and j.worker_id = p_worker;
  end if;

  if jsonb_array_length(p_request -> 'back') > 0 then
    update jobs j
    set
      status = case when b.after_seconds > 0 then 'scheduled' else 'ready' end,
      worker_id = null,
      attempts = j.attempts - 1,
      run_at = case when b.after_seconds > 0 then p_now + make_interval(secs => b.after_seconds) else j.run_at end,
      updated_at = p_now
    from jsonb_to_recordset(p_request -> 'back') as b (id uuid, after_seconds double precision)
    where j.id = b.id
      and j.worker_id = p_worker;
  end if;

  if p_request ? 'have' then
    update jobs j
    set
      status = 'ready',
      worker_id = null,
      attempts = j.attempts - 1,
      updated_at = p_now
    where j.status = 'running'
      and j.worker_id = p_worker
      and j.queue = p_request ->> 'queue'
      and j.id <> all (array(select known.value::uuid from jsonb_array_elements_text(p_request -> 'have') as known));
  end if;
end
$body$;

-- Jobs whose time has come are ready, those of all queues.
create or replace function es.wake_jobs(p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update jobs j
  set status = 'ready'
  from (
    select due.id
    from jobs due
    where due.status = 'scheduled'
      and due.run_at <= p_now
    order by due.run_at
    limit 1000
    for update skip locked
  ) due
  where j.id = due.id;
end
$body$;

-- Lanes with something ready at that priority, from the one behind `p_cursor` on and round, until `p_most` are found;
-- with how many jobs each may have now. From lane to lane by the index, however long they are.
create or replace function es.lanes_in_turn(
  p_queue text,
  p_priority smallint,
  p_cursor uuid,
  p_per_lane integer,
  p_busy jsonb,
  p_most integer
)
returns table (lane uuid, room integer)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_at uuid := p_cursor;
  v_next uuid;
  v_round integer := 1;
  v_found integer := 0;
begin
  loop
    v_next := null;
    select j.lane
    into v_next
    from jobs j
    where j.status = 'ready'
      and j.queue = p_queue
      and j.priority = p_priority
      and j.lane > v_at
    order by j.lane
    limit 1;
    if v_next is null and v_round = 1 then
      v_round := 2;
      v_at := '00000000-0000-0000-0000-000000000000';
      continue;
    end if;
    exit when v_next is null or v_round = 2 and v_next > p_cursor;
    v_at := v_next;
    room := p_per_lane - coalesce((p_busy ->> v_next::text)::integer, 0);
    if room > 0 then
      lane := v_next;
      return next;
      v_found := v_found + 1;
      exit when v_found = p_most;
    end if;
  end loop;
end
$body$;

-- Its answer was a jsonb once, and a type cannot be replaced.
drop function if exists public.job_turn(jsonb);

create or replace function public.job_turn(p_request jsonb)
returns json
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_worker constant uuid := (p_request ->> 'worker')::uuid;
  v_queue constant text := p_request ->> 'queue';
  v_per_lane constant integer := (p_request ->> 'per_lane')::integer;
  v_left integer := (p_request ->> 'want')::integer;
  v_cursor uuid := (p_request ->> 'cursor')::uuid;
  v_priority smallint := -1;
  v_taken json[] := '{}';
  v_some json[];
  v_lanes uuid[];
  v_rooms integer[];
  v_ids uuid[];
  v_places tid[];
  v_last uuid;
  v_now timestamptz := es.clock();
begin
  if not es.worker_stands(v_worker) then
    return null;
  end if;
  perform es.settle_jobs(v_worker, p_request, v_now);
  if v_left <= 0 then
    return json_build_object('jobs', v_taken, 'cursor', v_cursor);
  end if;
  perform es.wake_jobs(v_now);

  loop
    select j.priority
    into v_priority
    from jobs j
    where j.status = 'ready'
      and j.queue = v_queue
      and j.priority > v_priority
    order by j.priority
    limit 1;
    exit when not found;

    select coalesce(array_agg(l.lane), '{}'), coalesce(array_agg(l.room), '{}')
    into v_lanes, v_rooms
    from es.lanes_in_turn(v_queue, v_priority, v_cursor, v_per_lane, p_request -> 'busy', v_left) l;

    -- The first of each lane before the second of any.
    select
      array_agg(p.id order by p.turn, p.n),
      array_agg(p.place order by p.turn, p.n),
      (array_agg(p.lane order by p.n desc))[1]
    into v_ids, v_places, v_last
    from (
      select j.id, j.place, l.lane, l.n, row_number() over (partition by l.n order by j.run_at, j.id) as turn
      from unnest(v_lanes, v_rooms) with ordinality as l (lane, room, n)
      cross join lateral (
        select r.id, r.run_at, r.ctid as place
        from jobs r
        where r.status = 'ready'
          and r.queue = v_queue
          and r.priority = v_priority
          and r.lane = l.lane
        order by r.run_at, r.id
        -- None is found without lanes, but the planner divides before it knows.
        limit least(l.room, ceil(v_left::numeric / greatest(1, cardinality(v_lanes))))
        for update skip locked
      ) j
    ) p;
    v_ids := v_ids[1:v_left];

    -- Where they lie, which they keep while they are locked. In a statement of its own: joined with the choice, the planner
    -- reads the whole table.
    with taken as (
      update jobs j
      set
        status = 'running',
        worker_id = v_worker,
        attempts = j.attempts + 1,
        key = case when j.key_until <> 'taken' then j.key end,
        started_at = v_now,
        updated_at = v_now
      where j.ctid = any (v_places[1:v_left])
      returning j.*
    )
    select
      array_agg(
        json_build_array(
          t.id, t.org_id, t.kind, t.lane, t.attempts, t.attempts >= t.max_attempts, t.payload, t.created_at
        )
        order by c.place
      )
    into v_some
    from unnest(v_ids) with ordinality as c (id, place)
    join taken t on t.id = c.id;
    if v_some is not null then
      v_taken := v_taken || v_some;
      v_left := v_left - cardinality(v_some);
      v_cursor := v_last;
    end if;
    exit when v_left <= 0;
  end loop;
  return json_build_object('jobs', v_taken, 'cursor', v_cursor);
end
$body$;

alter function es.settle_jobs(uuid, jsonb, timestamptz) owner to es_system;
alter function es.wake_jobs(timestamptz) owner to es_system;
alter function es.lanes_in_turn(text, smallint, uuid, integer, jsonb, integer) owner to es_system;
alter function public.job_turn(jsonb) owner to es_system;
revoke execute on function es.settle_jobs(uuid, jsonb, timestamptz) from public;
revoke execute on function es.wake_jobs(timestamptz) from public;
revoke execute on function es.lanes_in_turn(text, smallint, uuid, integer, jsonb, integer) from public;
revoke execute on function public.job_turn(jsonb) from public;
