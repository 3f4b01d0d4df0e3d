-- Removes what nobody needs any more: jobs that were done, after the time that their kind keeps them; dead ones and
-- events that were sent, after `days`.
-- Request: {limit, days}. Answer: {jobs, events}: how many were removed; fewer than `limit` of each means that none is left.
-- Called from: the scheduled job jobs.clear, as es_system.
-- Raises: nothing of its own.

create or replace function public.clear_finished(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_limit constant integer := (p_request ->> 'limit')::integer;
  v_days constant interval := make_interval(days => (p_request ->> 'days')::integer);
  v_jobs integer;
  v_events integer;
begin
  delete from jobs j
  where j.id in (
    select old.id
    from jobs old
    where old.finished_at is not null
      and (
        old.status = 'done' and old.finished_at < v_now - make_interval(secs => old.keep_seconds)
        or old.finished_at < v_now - v_days
      )
    order by old.finished_at
    limit v_limit
    for update skip locked
  );
  get diagnostics v_jobs = row_count;
  delete from outbox o
  where o.id in (
    select old.id
    from outbox old
    where old.sent_at < v_now - v_days
    order by old.sent_at
    limit v_limit
    for update skip locked
  );
  get diagnostics v_events = row_count;
  return jsonb_build_object('jobs', v_jobs, 'events', v_events);
end
$body$;

alter function public.clear_finished(jsonb) owner to es_system;
revoke execute on function public.clear_finished(jsonb) from public;
