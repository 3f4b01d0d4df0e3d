-- Writes jobs in the transaction of whoever wants them done: they exist when it is committed, and never otherwise.
-- Each: {kind, payload?, id?, key?, key_until?, run_at?, after_seconds?, lane?, priority?, org_id?}. What is left
-- out is as the program registered the kind (job_kinds). The organization is that of the transaction; only where it has
-- none is `org_id` taken (null: the program's own).
-- A key is good once: a second job of the same kind and key is not written while the first is there ('gone'), until it is
-- done or dead ('ended'), or until a worker takes it ('taken'). Whoever writes a key that another is just writing waits
-- for the end of that transaction, so keys that many callers share are for short transactions.
-- A lane is whose turn it is: workers serve lanes in turn, and none waits for what another has heaped up. It is the
-- organization unless something narrower is named.
-- Called from: the program (jobs/enqueue.rs) as es_system or es_member; es.enqueue_job, relay_outbox, run_job_schedules.
-- Raises: 23514 for a key that is empty or too long. Owned by es_system: jobs hold what no weak role may read.

create or replace function es.enqueue_jobs(p_jobs jsonb)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_org constant uuid := es.current_org();
  v_written integer;
begin
  -- In the order of their keys, so that two who write the same keys wait for each other in one direction only.
  insert into jobs (
    id, org_id, kind, queue, priority, lane, status, max_attempts, run_at, key, key_until, keep_seconds, payload,
    created_at, updated_at
  )
  select
    coalesce(w.id, es.new_id()), w.org_id, w.kind, coalesce(k.queue, 'default'), coalesce(w.priority, k.priority, 1),
    coalesce(w.lane, w.org_id, '00000000-0000-0000-0000-000000000001'),
    case when w.run_at > v_now then 'scheduled' else 'ready' end,
    coalesce(k.max_attempts, 12), coalesce(w.run_at, v_now), w.key, coalesce(w.key_until, 'gone'),
    coalesce(k.keep_seconds, 0), coalesce(w.payload, '{}'), v_now, v_now
  from (
    select
      j.id, coalesce(v_org, j.org_id) as org_id, j.kind, j.payload, j.key, j.key_until, j.lane, j.priority,
      coalesce(j.run_at, v_now + make_interval(secs => j.after_seconds)) as run_at, j.n
    from rows from (
      jsonb_to_recordset(p_jobs) as (
        id uuid, org_id uuid, kind text, payload jsonb, key text, key_until text, lane uuid, priority smallint,
        run_at timestamptz, after_seconds double precision
      )
    ) with ordinality as j (
      id, org_id, kind, payload, key, key_until, lane, priority, run_at, after_seconds, n
    )
  ) w
  left join job_kinds k on k.kind = w.kind
  order by w.kind, w.key, w.n
  on conflict (kind, key) where key is not null do nothing;
  get diagnostics v_written = row_count;
  return v_written;
end
$body$;

-- One job, from a function of a verb.
create or replace function es.enqueue_job(
  p_kind text,
  p_payload jsonb default '{}',
  p_key text default null,
  p_key_until text default 'gone'
)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform es.enqueue_jobs(
    jsonb_build_array(
      jsonb_build_object('kind', p_kind, 'payload', p_payload, 'key', p_key, 'key_until', p_key_until)
    )
  );
end
$body$;

alter function es.enqueue_jobs(jsonb) owner to es_system;
alter function es.enqueue_job(text, jsonb, text, text) owner to es_verbs;
revoke execute on function es.enqueue_jobs(jsonb) from public;
revoke execute on function es.enqueue_job(text, jsonb, text, text) from public;
grant execute on function es.enqueue_jobs(jsonb) to es_verbs, es_member;
grant execute on function es.enqueue_job(text, jsonb, text, text) to es_system;
