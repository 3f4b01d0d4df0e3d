-- What runs by the clock: writes a job for each kind whose slot has begun, once over all processes. A slot that nobody
-- saw is not made up for; while the job of an earlier one waits or runs, none is added.
-- Request: [{kind, every_seconds, offset_seconds}]: a slot begins when the seconds since 1970, less the offset, are a
--   multiple of `every_seconds`; or [{kind, slot, until}]: the slot that the program reckoned (from a crontab) for the time
--   that it was told last. Past `until` it is not judged: the program reckons again.
-- Answer: {written: how many, now}.
-- Once: whoever moves the row of the kind to the slot writes the job, in the same transaction. The clock is the
-- database's, so it does not matter whose of the processes is wrong. What runs by a crontab and was never seen before
-- begins with the next slot: a new installation does not do at noon what was asked for at night.
-- Called from: the worker (jobs/worker.rs), as es_system.
-- Raises: nothing of its own.

create or replace function public.run_job_schedules(p_schedules jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_due record;
  v_written integer := 0;
begin
  for v_due in
    select s.kind, s.slot, s.waits and known.kind is null as waits
    from (
      select
        s.kind,
        s.slot is not null as waits,
        case
          when s.slot is null then to_timestamp(
            floor((extract(epoch from v_now) - s.offset_seconds) / s.every_seconds) * s.every_seconds + s.offset_seconds
          )
          when s.slot <= v_now and v_now < s.until then s.slot
        end as slot
      from jsonb_to_recordset(p_schedules) as s (
        kind text, every_seconds numeric, offset_seconds numeric, slot timestamptz, until timestamptz
      )
    ) s
    left join job_schedules known on known.kind = s.kind
    where s.slot is not null
      and (known.last_slot is null or known.last_slot < s.slot)
    order by s.kind
  loop
    insert into job_schedules as known (kind, last_slot)
    values (v_due.kind, v_due.slot)
    on conflict (kind) do update
    set last_slot = excluded.last_slot
    where known.last_slot < excluded.last_slot;
    continue when not found or v_due.waits;
    v_written := v_written + es.enqueue_jobs(
      jsonb_build_array(jsonb_build_object('kind', v_due.kind, 'key', 'schedule', 'key_until', 'ended'))
    );
  end loop;
  return jsonb_build_object('written', v_written, 'now', v_now);
end
$body$;

alter function public.run_job_schedules(jsonb) owner to es_system;
revoke execute on function public.run_job_schedules(jsonb) from public;
