-- Creates an event as a draft, with its one occurrence.
-- Request: {title, slug, starts_at, ends_at, time_zone?, currency?, summary?, description?, visibility?, format?,
--   venue_id?, hold_seconds?, max_tickets_per_registration?, requires_approval?, and what update_event takes besides};
--   zone and currency default to the organization's.
-- Outcomes: created (event_id, occurrence_id), slug_taken, venue_not_found, invalid (constraint?, field?, message).
-- Called from: the verb createEvent.
-- Raises: ES403 without events:write.

-- What a refused write of an event means, from the constraint, the column or the error itself.
create or replace function es.event_write_problem(p_constraint text, p_column text, p_message text)
returns jsonb
language sql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select case p_constraint
    when 'events_slug_key' then jsonb_build_object('outcome', 'slug_taken')
    when 'events_venue_fk' then jsonb_build_object('outcome', 'venue_not_found')
    else jsonb_strip_nulls(jsonb_build_object(
      'outcome', 'invalid',
      'constraint', nullif(p_constraint, ''),
      'field', nullif(p_column, ''),
      'message', case when p_column <> '' then 'a value is needed for ' || p_column else p_message end
    ))
  end
$body$;

-- Refuses whoever may not plan events here.
create or replace function es.demand_permission(p_permission text)
returns void
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if es.current_org() is null or not es.has_permission(p_permission) then
    raise exception 'this needs the permission %', p_permission using errcode = 'ES403';
  end if;
end
$body$;

create or replace function public.create_event(p jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org organizations;
  v_event events;
  v_occurrence uuid;
  v_constraint text;
  v_column text;
begin
  perform es.demand_permission('events:write');
  select o.* into v_org from organizations o where o.id = es.current_org();

  insert into events (
    org_id, venue_id, slug, title, summary, description, visibility, format, time_zone, currency,
    starts_at, ends_at, hold_seconds, max_tickets_per_registration, requires_approval, hold_extension_seconds,
    pending_keeps_stock, payment_due_hours, one_per_person, changes_close_minutes, transfers_close_minutes,
    cancellation_closes_minutes, waitlist, waitlist_offer_seconds, tax_rounding, revives_late_payments,
    refunds_late_payments, last_payment_at
  )
  values (
    v_org.id,
    (p ->> 'venue_id')::uuid,
    p ->> 'slug',
    btrim(p ->> 'title'),
    coalesce(p ->> 'summary', ''),
    coalesce(p ->> 'description', ''),
    coalesce(p ->> 'visibility', 'public'),
    coalesce(p ->> 'format', 'in_person'),
    coalesce(p ->> 'time_zone', v_org.time_zone),
    coalesce(p ->> 'currency', v_org.default_currency),
    (p ->> 'starts_at')::timestamptz,
    (p ->> 'ends_at')::timestamptz,
    coalesce((p ->> 'hold_seconds')::integer, 900),
    coalesce((p ->> 'max_tickets_per_registration')::integer, 20),
    coalesce((p ->> 'requires_approval')::boolean, false),
    coalesce((p ->> 'hold_extension_seconds')::integer, 900),
    coalesce((p ->> 'pending_keeps_stock')::boolean, true),
    coalesce((p ->> 'payment_due_hours')::integer, 72),
    coalesce((p ->> 'one_per_person')::boolean, false),
    -- Null said is not the same as nothing said: buyers may not.
    case when p ? 'changes_close_minutes' then (p ->> 'changes_close_minutes')::integer else 0 end,
    case when p ? 'transfers_close_minutes' then (p ->> 'transfers_close_minutes')::integer else 0 end,
    case when p ? 'cancellation_closes_minutes' then (p ->> 'cancellation_closes_minutes')::integer else 0 end,
    coalesce((p ->> 'waitlist')::boolean, true),
    coalesce((p ->> 'waitlist_offer_seconds')::integer, 86400),
    coalesce(p ->> 'tax_rounding', 'per_unit'),
    coalesce((p ->> 'revives_late_payments')::boolean, true),
    coalesce((p ->> 'refunds_late_payments')::boolean, true),
    (p ->> 'last_payment_at')::timestamptz
  )
  returning * into v_event;

  insert into occurrences (org_id, event_id, starts_at, ends_at)
  values (v_event.org_id, v_event.id, v_event.starts_at, v_event.ends_at)
  returning id into v_occurrence;

  perform record_audit(v_event.org_id, 'event.created', 'event', v_event.id, null, to_jsonb(v_event));
  return jsonb_build_object('outcome', 'created', 'event_id', v_event.id, 'occurrence_id', v_occurrence);
exception
  when integrity_constraint_violation or data_exception then
    get stacked diagnostics v_constraint = constraint_name, v_column = column_name;
    return es.event_write_problem(v_constraint, v_column, sqlerrm);
end
$body$;

alter function es.event_write_problem(text, text, text) owner to es_verbs;
alter function es.demand_permission(text) owner to es_verbs;
alter function public.create_event(jsonb) owner to es_verbs;
revoke execute on function es.event_write_problem(text, text, text) from public;
revoke execute on function es.demand_permission(text) from public;
grant execute on function es.demand_permission(text) to es_system;
revoke execute on function public.create_event(jsonb) from public;
grant execute on function public.create_event(jsonb) to es_member;
