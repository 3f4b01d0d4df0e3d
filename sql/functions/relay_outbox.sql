-- Turns what happened into jobs for those who want to hear of it, and marks it as sent, in one transaction: each event
-- becomes its jobs once, whatever dies.
-- Unsent rows are taken as they are found, oldest first, past those that another process has in hand; never "those after
-- the last one", because a row that was written earlier may be committed later. Events of one object are taken in the
-- order of their numbers: a later one is committed after an earlier one.
-- Request: {limit, consumers: [{kind, types: [text] or null for all, once: one job for as many events as come,
--   together: one job for at most 50 events of an organization that are relayed together}], notify?: boolean}.
-- Each event gets its position in the order in which it is passed on. The lock for that is the last one taken and is kept
-- until the commit: whoever has read a position finds no lower one later. With `notify` everybody who listens is told.
-- Answer: {sent: how many, position: of the last one}.
-- Some kinds have nothing to do for most organizations: es.event_is_wanted says so, and then there is no job.
-- A job's payload is the event: {event_id, type, version, object_type, object_id, sequence, occurred_at, data}; with
-- `together` it is {events: [event]}, the oldest first; with `once` it is empty, and the job is the program's own.
-- Called from: the relay of each worker (jobs/relay.rs), as es_system.
-- Raises: nothing of its own.
-- after: event_is_wanted

create or replace function public.relay_outbox(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_ids uuid[];
  v_jobs jsonb;
  v_position bigint;
begin
  select array_agg(o.id)
  into v_ids
  from (
    select o.id
    from outbox o
    where o.sent_at is null
    order by o.created_at, o.id
    limit (p_request ->> 'limit')::integer
    for no key update skip locked
  ) o;
  if v_ids is null then
    return jsonb_build_object('sent', 0);
  end if;

  with heard as (
    select
      c.kind, o.org_id, o.id, o.created_at, coalesce(c.together, false) as together,
      jsonb_build_object(
        'event_id', o.id, 'type', o.type, 'version', o.version, 'object_type', o.object_type,
        'object_id', o.object_id, 'sequence', o.sequence, 'occurred_at', o.created_at, 'data', o.payload
      ) as event
    from outbox o
    join jsonb_to_recordset(p_request -> 'consumers') as c (kind text, types text[], once boolean, together boolean)
      on not c.once and (c.types is null or o.type = any (c.types))
    where o.id = any (v_ids)
      and es.event_is_wanted(c.kind, o.org_id, o.type)
  )
  select jsonb_agg(j.job)
  into v_jobs
  from (
    select jsonb_build_object('kind', h.kind, 'org_id', h.org_id, 'key', h.id, 'payload', h.event) as job
    from heard h
    where not h.together
    union all
    select
      jsonb_build_object(
        'kind', t.kind,
        'org_id', t.org_id,
        'key', (array_agg(t.id order by t.number))[1],
        'payload', jsonb_build_object('events', jsonb_agg(t.event order by t.number))
      )
    from (
      select h.*, row_number() over (partition by h.kind, h.org_id order by h.created_at, h.id) as number
      from heard h
      where h.together
    ) t
    group by t.kind, t.org_id, (t.number - 1) / 50
    union all
    select jsonb_build_object('kind', c.kind, 'key', 'event', 'key_until', 'taken')
    from jsonb_to_recordset(p_request -> 'consumers') as c (kind text, types text[], once boolean)
    where c.once
      and exists (
        select
        from outbox o
        where o.id = any (v_ids)
          and (c.types is null or o.type = any (c.types))
      )
  ) j;
  if v_jobs is not null then
    perform es.enqueue_jobs(v_jobs);
  end if;

  perform pg_advisory_xact_lock(hashtextextended('outbox.position', 0));
  with told as (
    update outbox o
    set
      sent_at = v_now,
      position = p.position
    from (
      select i.id, nextval('public.outbox_position_seq') as position
      from (select u.id from unnest(v_ids) with ordinality as u (id, n) order by u.n) i
    ) p
    where o.id = p.id
    returning o.position
  )
  select max(t.position) into v_position from told t;
  if (p_request ->> 'notify')::boolean then
    perform pg_notify('eventsphere_live', v_position::text);
  end if;
  return jsonb_build_object('sent', cardinality(v_ids), 'position', v_position);
end
$body$;

alter function public.relay_outbox(jsonb) owner to es_system;
revoke execute on function public.relay_outbox(jsonb) from public;
