-- What waits, for operators: by queue how many jobs are in each state and since when the oldest ready one waits, what
-- the outbox holds, and how many workers there are.
-- Answer: {queues: [{queue, ready, scheduled, running, dead, oldest_seconds}], outbox: {unsent, oldest_seconds}, workers}.
-- Called from: /metrics and `eventsphere admin jobs`, as es_system.
-- Raises: nothing of its own.

create or replace function public.job_figures(p_request jsonb)
returns jsonb
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select jsonb_build_object(
    'queues', coalesce(
      (
        select jsonb_agg(to_jsonb(q) order by q.queue)
        from (
          select
            j.queue,
            count(*) filter (where j.status = 'ready') as ready,
            count(*) filter (where j.status = 'scheduled') as scheduled,
            count(*) filter (where j.status = 'running') as running,
            count(*) filter (where j.status = 'dead') as dead,
            coalesce(extract(epoch from es.clock() - min(j.run_at) filter (where j.status = 'ready')), 0) as oldest_seconds
          from jobs j
          where j.status <> 'done'
          group by j.queue
        ) q
      ),
      '[]'
    ),
    'outbox', (
      select jsonb_build_object(
        'unsent', count(*),
        'oldest_seconds', coalesce(extract(epoch from es.clock() - min(o.created_at)), 0)
      )
      from outbox o
      where o.sent_at is null
    ),
    'workers', (select count(*) from job_workers)
  )
$body$;

alter function public.job_figures(jsonb) owner to es_system;
revoke execute on function public.job_figures(jsonb) from public;
