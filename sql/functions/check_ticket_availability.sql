-- Whether a purchase would succeed now, judged as placing judges it but without lock and without taking anything.
-- Items: [{ticket_type_id, quantity}]. With a promo code: what it unlocks and reserves is there for whoever shows it.
-- Outcomes: available (occurrence_id), or what place_registration would answer: sold_out, event_not_found, sale_not_open,
-- occurrence_not_found, ticket_type_not_found, quantity_out_of_range, code_unknown, code_not_yet_valid, code_expired,
-- code_not_applicable, code_used_up, code_used_by_buyer (of the signed-in person), invalid.
-- The transaction acts in the organization of the event (es.org), as for placing.
-- Called from: whoever asks before placing. Placing judges again under its lock.
-- Raises: 22P02 when an id is no UUID.

create or replace function public.check_ticket_availability(p_event uuid, p_items jsonb, p_occurrence uuid, p_code text)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_event events;
  v_code promo_codes;
  v_wished record;
  v_occurrence record;
  v_problem jsonb;
  v_demand record;
  v_weighed record;
begin
  v_wished := es.read_wishes(p_items);
  if v_wished.problem is not null then
    return v_wished.problem;
  end if;
  select e.* into v_event from events e where e.id = p_event;
  v_problem := es.event_problem(v_event);
  if v_problem is not null then
    return v_problem;
  end if;
  v_occurrence := es.choose_occurrence(p_event, p_occurrence, v_now);
  if v_occurrence.problem is not null then
    return v_occurrence.problem;
  end if;
  if p_code is not null then
    v_code := es.find_code(v_event, p_code);
  end if;
  v_problem := coalesce(
    es.code_problem(p_code, v_code, v_now),
    (
      es.judge_wishes(
        v_event, v_wished.types, v_wished.quantities, v_now, es.types_unlocked(v_code, p_event, v_now)
      )
    ).problem
  );
  if v_problem is not null then
    return v_problem;
  end if;
  v_demand := es.pool_demand(v_occurrence.id, v_wished.types, v_wished.quantities);
  v_weighed := es.weigh_credit(
    null, null, v_code, v_occurrence.id, v_wished.types, v_wished.quantities, v_demand.pools, v_demand.needs, v_now
  );
  v_problem := coalesce(
    es.shortage(v_demand.pools, v_weighed.needs, v_wished.types, v_wished.quantities, v_now, false),
    -- Of a guest's address nothing is told here: anybody could ask about anybody.
    es.code_use_problem(
      v_code, v_event, v_wished.types, v_wished.quantities, es.current_user_id(), null, v_now, false
    )
  );
  return coalesce(v_problem, jsonb_build_object('outcome', 'available', 'occurrence_id', v_occurrence.id));
end
$body$;

-- The same without a code.
create or replace function public.check_ticket_availability(p_event uuid, p_items jsonb, p_occurrence uuid default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return check_ticket_availability(p_event, p_items, p_occurrence, null);
end
$body$;

alter function public.check_ticket_availability(uuid, jsonb, uuid, text) owner to es_verbs;
alter function public.check_ticket_availability(uuid, jsonb, uuid) owner to es_verbs;
revoke execute on function public.check_ticket_availability(uuid, jsonb, uuid, text) from public;
revoke execute on function public.check_ticket_availability(uuid, jsonb, uuid) from public;
grant execute on function public.check_ticket_availability(uuid, jsonb, uuid, text) to es_public, es_attendee, es_member;
grant execute on function public.check_ticket_availability(uuid, jsonb, uuid) to es_public, es_attendee, es_member;
