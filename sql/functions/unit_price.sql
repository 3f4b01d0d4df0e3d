-- What one unit of each ticket type costs at that instant, in the order of the types.
-- The one place where verbs that change a registration learn a price.
-- Called from: extend_registration, change_registration, when a unit is priced again or comes in anew.
-- Raises: nothing. A type that does not exist has no price (null).

create or replace function es.unit_prices(p_event events, p_types uuid[], p_now timestamptz)
returns bigint[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select array_agg(t.price_minor order by w.place)
    from unnest(p_types) with ordinality as w (id, place)
    left join ticket_types t on t.id = w.id and t.event_id = p_event.id
  );
end
$body$;

alter function es.unit_prices(events, uuid[], timestamptz) owner to es_verbs;
revoke execute on function es.unit_prices(events, uuid[], timestamptz) from public;
