-- Whether ticket types may be bought now in these quantities, stock aside; with their listed prices and the instant at
-- which the first of them goes off sale. A hidden type does not exist for visitors, unless their code unlocks it.
-- Called from: place_registration, price_checkout, check_ticket_availability.
-- Raises: nothing.

create or replace function es.judge_wishes(
  p_event events,
  p_types uuid[],
  p_quantities integer[],
  p_now timestamptz,
  p_unlocked uuid[],
  out problem jsonb,
  out prices bigint[],
  out closes_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_staff constant boolean := es.has_permission('registrations:write');
  v_total integer;
begin
  select
    jsonb_build_object('outcome', min(judged.fault), 'ticket_types', jsonb_agg(judged.detail) filter (where judged.fault is not null)),
    array_agg(judged.price_minor order by judged.place),
    min(judged.sales_end_at),
    sum(judged.quantity)
  into problem, prices, closes_at, v_total
  from (
    select
      w.place,
      w.quantity,
      t.price_minor,
      t.sales_end_at,
      -- min() prefers what comes first in the alphabet; the numbers make that the order of judgement.
      case
        when t.id is null or not t.active or (t.hidden and not v_staff and not t.id = any (p_unlocked)) then '1'
        when t.sales_start_at > p_now or t.sales_end_at <= p_now then '2'
        when w.quantity not between t.min_per_registration and t.max_per_registration then '3'
      end as fault,
      jsonb_build_object(
        'ticket_type_id', w.ticket_type_id,
        'requested', w.quantity,
        'minimum', t.min_per_registration,
        'maximum', t.max_per_registration,
        'sales_start_at', t.sales_start_at,
        'sales_end_at', t.sales_end_at
      ) as detail
    from unnest(p_types, p_quantities) with ordinality as w (ticket_type_id, quantity, place)
    left join ticket_types t on t.id = w.ticket_type_id and t.event_id = p_event.id
  ) judged;

  case problem ->> 'outcome'
    when '1' then
      -- Limits of a type that is not theirs to know stay unsaid.
      problem := jsonb_build_object(
        'outcome', 'ticket_type_not_found',
        'ticket_types', (
          select jsonb_agg(jsonb_build_object('ticket_type_id', w.ticket_type_id))
          from unnest(p_types) as w (ticket_type_id)
          where not exists (
            select
            from ticket_types t
            where t.id = w.ticket_type_id
              and t.event_id = p_event.id
              and t.active
              and (v_staff or not t.hidden or t.id = any (p_unlocked))
          )
        )
      );
    when '2' then
      problem := problem || jsonb_build_object('outcome', 'sale_not_open');
    when '3' then
      problem := problem || jsonb_build_object('outcome', 'quantity_out_of_range');
    else
      problem := null;
  end case;

  if problem is null and v_total > p_event.max_tickets_per_registration then
    problem := jsonb_build_object(
      'outcome', 'quantity_out_of_range',
      'requested', v_total,
      'maximum', p_event.max_tickets_per_registration,
      'ticket_types', '[]'::jsonb
    );
  end if;
end
$body$;

-- The same without a code.
create or replace function es.judge_wishes(
  p_event events,
  p_types uuid[],
  p_quantities integer[],
  p_now timestamptz,
  out problem jsonb,
  out prices bigint[],
  out closes_at timestamptz
)
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select j.problem, j.prices, j.closes_at
  from es.judge_wishes(p_event, p_types, p_quantities, p_now, '{}') j
$body$;

-- Null when add-ons come with the tickets that they belong to, else add_on_out_of_range with the add-ons concerned:
-- as many as the tickets of the cart ask for at least and allow at most. An add-on without its ticket may be bought
-- 0 times.
create or replace function es.add_on_problem(p_event uuid, p_types uuid[], p_quantities integer[])
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select case when count(*) > 0 then jsonb_build_object(
      'outcome', 'add_on_out_of_range',
      'ticket_types', jsonb_agg(
        jsonb_build_object('ticket_type_id', b.add_on_id, 'requested', b.requested, 'minimum', b.minimum, 'maximum', b.maximum)
        order by b.add_on_id
      )
    ) end
    from (
      select
        a.add_on_id,
        coalesce(max(own.quantity), 0) as requested,
        coalesce(sum(a.min_per_ticket * main.quantity), 0) as minimum,
        coalesce(sum(a.max_per_ticket * main.quantity), 0) as maximum
      from ticket_type_add_ons a
      left join unnest(p_types, p_quantities) as main (id, quantity) on main.id = a.ticket_type_id
      left join unnest(p_types, p_quantities) as own (id, quantity) on own.id = a.add_on_id
      where a.event_id = p_event
      group by a.add_on_id
    ) b
    where b.requested not between b.minimum and b.maximum
  );
end
$body$;

-- Null when prices are said for donations alone, in the event's currency and not too low, else price_out_of_range with
-- the ticket types concerned and the least that each takes. A donation without a price costs what the type suggests.
create or replace function es.chosen_price_problem(p_event events, p_items jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select case when count(*) > 0 then jsonb_build_object(
      'outcome', 'price_out_of_range',
      'ticket_types', jsonb_agg(
        jsonb_build_object(
          'ticket_type_id', t.id, 'requested', w.item -> 'price_minor',
          'minimum', case t.price_kind when 'donation' then t.min_price_minor else t.price_minor end
        )
        order by w.line
      )
    ) end
    from jsonb_array_elements(p_items) with ordinality as w (item, line)
    join ticket_types t on t.id = (w.item ->> 'ticket_type_id')::uuid
    where w.item ->> 'price_minor' is not null
      and (
        t.price_kind <> 'donation'
        or w.item ->> 'currency' is distinct from p_event.currency
        or (w.item ->> 'price_minor')::bigint not between t.min_price_minor and 100000000000
      )
  );
end
$body$;

alter function es.judge_wishes(events, uuid[], integer[], timestamptz) owner to es_verbs;
revoke execute on function es.judge_wishes(events, uuid[], integer[], timestamptz) from public;
grant execute on function es.judge_wishes(events, uuid[], integer[], timestamptz) to es_system;
alter function es.judge_wishes(events, uuid[], integer[], timestamptz, uuid[]) owner to es_verbs;
alter function es.add_on_problem(uuid, uuid[], integer[]) owner to es_verbs;
alter function es.chosen_price_problem(events, jsonb) owner to es_verbs;
revoke execute on function es.judge_wishes(events, uuid[], integer[], timestamptz, uuid[]) from public;
revoke execute on function es.add_on_problem(uuid, uuid[], integer[]) from public;
revoke execute on function es.chosen_price_problem(events, jsonb) from public;
grant execute on function es.judge_wishes(events, uuid[], integer[], timestamptz, uuid[]) to es_system;
