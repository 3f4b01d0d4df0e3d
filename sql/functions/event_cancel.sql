-- Calling an event off (R17). Sales stop at once, in one transaction; then each registration is cancelled in a transaction of
-- its own, with what is kept, the promise of the rest and all documents: whoever is interrupted goes on where it stopped, for
-- what is cancelled is not alive any more. Nothing is sold or revived meanwhile.
-- cancel_event: {event_id, kept_fixed_minor?, kept_per_ticket_minor?, kept_rate_millionths?, currency?}.
--   Outcomes: as es.move_event; invalid (field, message). Asked again, it wakes work that was given up.
--   Who may: members with events:write.
-- event_to_cancel: {event_id, limit, after?}. Answers {registrations: [ids beyond that one], left, total}; when none is left, the work is noted as finished.
-- cancel_for_event: {registration_id}. Outcomes: cancelled (registration_id, kept_minor, refunded_minor), already.
-- Called from: the verb cancelEvent; the job events.cancel, as es_system in the organization. Locks of cancel_for_event:
--   registration, payments, pools, the series of documents.
-- Raises: ES403; 22P02.
-- after: ledger_entries
-- after: price_arithmetic
-- after: approve_registrations

create or replace function es.cancellation_problem(p_request jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_currency constant text := (select e.currency from events e where e.id = (p_request ->> 'event_id')::uuid);
begin
  if coalesce(p_request ->> 'currency', v_currency) <> v_currency then
    return jsonb_build_object(
      'outcome', 'invalid', 'field', 'keptFixed', 'message', format('the event is sold in %s', v_currency)
    );
  end if;
  if least((p_request ->> 'kept_fixed_minor')::bigint, (p_request ->> 'kept_per_ticket_minor')::bigint, 0) < 0 then
    return jsonb_build_object('outcome', 'invalid', 'field', 'keptFixed', 'message', 'nothing less than 0 is kept');
  end if;
  if (p_request ->> 'kept_rate_millionths')::bigint not between 0 and 1000000 then
    return jsonb_build_object(
      'outcome', 'invalid', 'field', 'keptRateMillionths', 'message', 'a share is 0 to 1000000 millionths'
    );
  end if;
  return null;
end
$body$;

create or replace function public.cancel_event(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event constant uuid := (p_request ->> 'event_id')::uuid;
  v_answer jsonb;
begin
  perform es.demand_permission('events:write');
  v_answer := es.cancellation_problem(p_request);
  if v_answer is not null then
    return v_answer;
  end if;
  v_answer := es.move_event(v_event, 'cancelled');
  if v_answer ->> 'outcome' = 'changed' then
    insert into event_cancellations (
      org_id, event_id, kept_fixed_minor, kept_per_ticket_minor, kept_rate_millionths, currency, registrations
    )
    select
      e.org_id, e.id, coalesce((p_request ->> 'kept_fixed_minor')::bigint, 0),
      coalesce((p_request ->> 'kept_per_ticket_minor')::bigint, 0),
      coalesce((p_request ->> 'kept_rate_millionths')::integer, 0), e.currency,
      (select count(*) from registrations r where r.event_id = e.id and es.is_live(r.status))
    from events e
    where e.id = v_event;
  end if;
  if exists (select from event_cancellations c where c.event_id = v_event and c.finished_at is null) then
    perform es.enqueue_job('events.cancel', jsonb_build_object('event_id', v_event), v_event::text, 'ended');
  end if;
  return v_answer;
end
$body$;

create or replace function es.is_live(p_status text)
returns boolean
language sql
immutable
parallel safe
return p_status in ('held', 'pending_approval', 'pending_payment', 'confirmed');

create or replace function public.event_to_cancel(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event constant uuid := (p_request ->> 'event_id')::uuid;
  v_left bigint;
begin
  select count(*)
  into v_left
  from registrations r
  where r.event_id = v_event
    and es.is_live(r.status);
  if v_left = 0 then
    update event_cancellations c
    set finished_at = es.clock()
    where c.event_id = v_event
      and c.finished_at is null;
  end if;
  return jsonb_build_object(
    'left', v_left,
    'total', (select c.registrations from event_cancellations c where c.event_id = v_event),
    'registrations', (
      select coalesce(jsonb_agg(n.id), '[]')
      from (
        select r.id
        from registrations r
        where r.event_id = v_event
          and es.is_live(r.status)
          and r.id > coalesce((p_request ->> 'after')::uuid, '00000000-0000-0000-0000-000000000000')
        order by r.id
        limit (p_request ->> 'limit')::integer
      ) n
    )
  );
end
$body$;

-- What is kept of a locked registration: nothing of what is not confirmed, and never more than was paid or than it costs.
create or replace function es.kept_of(p_found registrations, p_terms event_cancellations)
returns bigint
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select case
    when p_found.status <> 'confirmed' then 0
    else least(
      greatest(es.paid_minor(p_found.id), 0), p_found.total_minor,
      p_terms.kept_fixed_minor + p_terms.kept_per_ticket_minor * es.unit_count(p_found.id)
        + es.round_div(p_found.total_minor::numeric * p_terms.kept_rate_millionths, 1000000)
    )
  end
$body$;

-- Promises so much back, of the payments that came in last first; how much could be.
create or replace function es.refund_registration(p_registration uuid, p_amount bigint, p_reason text)
returns bigint
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_left bigint := p_amount;
  v_part bigint;
  v_payment payments;
begin
  for v_payment in
    select p.*
    from payments p
    where p.registration_id = p_registration
      and p.status = 'succeeded'
    order by p.succeeded_at desc, p.id
    for no key update
  loop
    v_part := least(v_left, es.refundable_minor(v_payment.id));
    continue when v_part <= 0;
    perform es.promise_refund(v_payment, v_part, p_reason, es.clock());
    v_left := v_left - v_part;
  end loop;
  return p_amount - v_left;
end
$body$;

create or replace function public.cancel_for_event(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found registrations;
  v_terms event_cancellations;
  v_kept bigint;
begin
  select r.*
  into v_found
  from registrations r
  where r.id = (p_request ->> 'registration_id')::uuid
  for no key update;
  select c.* into v_terms from event_cancellations c where c.event_id = v_found.event_id;
  if v_terms.id is null or not es.is_live(v_found.status) then
    return jsonb_build_object('outcome', 'already', 'registration_id', v_found.id);
  end if;
  perform from payments p where p.registration_id = v_found.id order by p.id for no key update;
  v_kept := es.kept_of(v_found, v_terms);
  update registrations r set kept_minor = v_kept where r.id = v_found.id and v_kept > 0;
  perform es.cancel_locked(array[v_found.id], 'event_cancelled');
  return jsonb_build_object(
    'outcome', 'cancelled', 'registration_id', v_found.id, 'kept_minor', v_kept,
    'refunded_minor', es.refund_registration(v_found.id, es.paid_minor(v_found.id) - v_kept, 'event_cancelled')
  );
end
$body$;

alter function es.cancellation_problem(jsonb) owner to es_verbs;
alter function public.cancel_event(jsonb) owner to es_verbs;
alter function es.is_live(text) owner to es_verbs;
alter function public.event_to_cancel(jsonb) owner to es_verbs;
alter function es.kept_of(registrations, event_cancellations) owner to es_verbs;
alter function es.refund_registration(uuid, bigint, text) owner to es_verbs;
alter function public.cancel_for_event(jsonb) owner to es_verbs;
revoke execute on function es.cancellation_problem(jsonb) from public;
revoke execute on function public.cancel_event(jsonb) from public;
revoke execute on function es.is_live(text) from public;
revoke execute on function public.event_to_cancel(jsonb) from public;
revoke execute on function es.kept_of(registrations, event_cancellations) from public;
revoke execute on function es.refund_registration(uuid, bigint, text) from public;
revoke execute on function public.cancel_for_event(jsonb) from public;
grant execute on function public.cancel_event(jsonb) to es_member;
grant execute on function public.event_to_cancel(jsonb) to es_system;
grant execute on function public.cancel_for_event(jsonb) to es_system;
