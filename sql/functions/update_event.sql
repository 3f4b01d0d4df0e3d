-- Changes an event. Request: {event_id, and any of title, slug, summary, description, visibility, format, venue_id,
-- time_zone, currency, starts_at, ends_at, hold_seconds, max_tickets_per_registration, requires_approval,
-- hold_extension_seconds, pending_keeps_stock, payment_due_hours, one_per_person, changes_close_minutes,
-- transfers_close_minutes, cancellation_closes_minutes, waitlist, waitlist_offer_seconds, tax_rounding,
-- revives_late_payments, refunds_late_payments, last_payment_at}; what is absent or null stays as it is, but a null venue_id
-- or last_payment_at takes it away, and null minutes mean that buyers may not. New dates
-- move the occurrence along when there is only one. Each change raises calendar_sequence, which tells calendars that
-- their copy is old. Prices are in the event's currency, so that is fixed from the first registration on.
-- Outcomes: updated (event_id), unchanged (event_id), event_not_found, not_editable (it is archived), currency_locked,
--   slug_taken, venue_not_found, invalid (constraint?, field?, message).
-- Called from: the verb updateEvent.
-- Raises: ES403 without events:write.

create or replace function es.write_event(p_event events, p jsonb)
returns events
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  -- Only a venue and what buyers may do can be taken away; any other null is as good as nothing said.
  v_asked constant jsonb := jsonb_strip_nulls(p)
    - array['id', 'org_id', 'venue_id', 'status', 'published_at', 'cancelled_at', 'created_at', 'updated_at', 'calendar_sequence']
    || coalesce(
      (
        select jsonb_object_agg(said.key, said.value)
        from jsonb_each(p) as said (key, value)
        where said.key in (
          'venue_id', 'changes_close_minutes', 'transfers_close_minutes', 'cancellation_closes_minutes',
          'last_payment_at'
        )
      ),
      '{}'
    );
  v_wanted constant events := jsonb_populate_record(p_event, v_asked);
  v_written events;
begin
  if v_wanted is not distinct from p_event then
    return null;
  end if;
  update events e
  set
    slug = v_wanted.slug,
    title = btrim(v_wanted.title),
    summary = v_wanted.summary,
    description = v_wanted.description,
    visibility = v_wanted.visibility,
    format = v_wanted.format,
    venue_id = v_wanted.venue_id,
    time_zone = v_wanted.time_zone,
    currency = v_wanted.currency,
    starts_at = v_wanted.starts_at,
    ends_at = v_wanted.ends_at,
    hold_seconds = v_wanted.hold_seconds,
    max_tickets_per_registration = v_wanted.max_tickets_per_registration,
    requires_approval = v_wanted.requires_approval,
    hold_extension_seconds = v_wanted.hold_extension_seconds,
    pending_keeps_stock = v_wanted.pending_keeps_stock,
    payment_due_hours = v_wanted.payment_due_hours,
    one_per_person = v_wanted.one_per_person,
    changes_close_minutes = v_wanted.changes_close_minutes,
    transfers_close_minutes = v_wanted.transfers_close_minutes,
    cancellation_closes_minutes = v_wanted.cancellation_closes_minutes,
    waitlist = v_wanted.waitlist,
    waitlist_offer_seconds = v_wanted.waitlist_offer_seconds,
    tax_rounding = v_wanted.tax_rounding,
    revives_late_payments = v_wanted.revives_late_payments,
    refunds_late_payments = v_wanted.refunds_late_payments,
    last_payment_at = v_wanted.last_payment_at,
    calendar_sequence = e.calendar_sequence + 1
  where e.id = p_event.id
  returning * into v_written;

  update occurrences o
  set
    starts_at = v_written.starts_at,
    ends_at = v_written.ends_at
  where o.event_id = v_written.id
    and (v_written.starts_at, v_written.ends_at) is distinct from (p_event.starts_at, p_event.ends_at)
    and 1 = (select count(*) from occurrences other where other.event_id = v_written.id);
  return v_written;
end
$body$;

create or replace function public.update_event(p jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_id constant uuid := (p ->> 'event_id')::uuid;
  v_before events;
  v_after events;
  v_constraint text;
  v_column text;
begin
  perform es.demand_permission('events:write');
  perform pg_advisory_xact_lock(es.event_lock(v_id));
  select e.* into v_before from events e where e.id = v_id for no key update;
  if not found then
    return jsonb_build_object('outcome', 'event_not_found');
  end if;
  if v_before.status = 'archived' then
    return jsonb_build_object('outcome', 'not_editable', 'event_id', v_id);
  end if;
  if p ->> 'currency' <> v_before.currency
    and exists (select from registrations r where r.event_id = v_id)
  then
    return jsonb_build_object('outcome', 'currency_locked', 'event_id', v_id, 'currency', v_before.currency);
  end if;

  v_after := es.write_event(v_before, p);
  if v_after.id is null then
    return jsonb_build_object('outcome', 'unchanged', 'event_id', v_id);
  end if;
  perform emit_event(
    v_after.org_id, 'event.updated', 'event', v_id,
    jsonb_build_object('status', v_after.status, 'calendar_sequence', v_after.calendar_sequence)
  );
  perform record_audit(v_after.org_id, 'event.updated', 'event', v_id, to_jsonb(v_before), to_jsonb(v_after));
  return jsonb_build_object('outcome', 'updated', 'event_id', v_id);
exception
  when integrity_constraint_violation or data_exception then
    get stacked diagnostics v_constraint = constraint_name, v_column = column_name;
    return es.event_write_problem(v_constraint, v_column, sqlerrm);
end
$body$;

alter function es.write_event(events, jsonb) owner to es_verbs;
alter function public.update_event(jsonb) owner to es_verbs;
revoke execute on function es.write_event(events, jsonb) from public;
revoke execute on function public.update_event(jsonb) from public;
grant execute on function public.update_event(jsonb) to es_member;
