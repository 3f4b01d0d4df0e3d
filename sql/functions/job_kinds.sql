-- Remembers how each kind of job is queued, so that SQL and Rust enqueue by one source: the program's registry.
-- Request: [{kind, queue, priority, max_attempts, keep_seconds}]. Kinds that this program does not know stay: another
-- version may run beside it.
-- Called from: every process at start (jobs/mod.rs), as es_system.
-- Raises: nothing of its own.

create or replace function public.register_job_kinds(p_kinds jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_written integer;
begin
  insert into job_kinds as known (kind, queue, priority, max_attempts, keep_seconds)
  select k.kind, k.queue, k.priority, k.max_attempts, k.keep_seconds
  from jsonb_to_recordset(p_kinds) as k (
    kind text, queue text, priority smallint, max_attempts integer, keep_seconds integer
  )
  order by k.kind
  on conflict (kind) do update
  set
    queue = excluded.queue,
    priority = excluded.priority,
    max_attempts = excluded.max_attempts,
    keep_seconds = excluded.keep_seconds
  where (known.queue, known.priority, known.max_attempts, known.keep_seconds)
    is distinct from (excluded.queue, excluded.priority, excluded.max_attempts, excluded.keep_seconds);
  get diagnostics v_written = row_count;
  return jsonb_build_object('written', v_written);
end
$body$;

alter function public.register_job_kinds(jsonb) owner to es_system;
revoke execute on function public.register_job_kinds(jsonb) from public;
