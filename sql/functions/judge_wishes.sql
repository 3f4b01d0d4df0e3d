-- Whether ticket types may be bought now in these quantities, stock aside; with their prices and the instant at which
-- the first of them goes off sale. A hidden type does not exist for visitors.
-- Called from: place_registration, check_ticket_availability.
-- Raises: nothing.

create or replace function es.judge_wishes(
  p_event events,
  p_types uuid[],
  p_quantities integer[],
  p_now timestamptz,
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
        when t.id is null or not t.active or (t.hidden and not v_staff) then '1'
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
              and (v_staff or not t.hidden)
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

alter function es.judge_wishes(events, uuid[], integer[], timestamptz) owner to es_verbs;
revoke execute on function es.judge_wishes(events, uuid[], integer[], timestamptz) from public;
grant execute on function es.judge_wishes(events, uuid[], integer[], timestamptz) to es_system;
