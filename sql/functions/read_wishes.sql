-- What a buyer asks for, read and judged without a look at stock.
-- Called from: place_registration, check_ticket_availability, confirm_registration (people).
-- Raises: 22P02 when an id is no UUID.

-- A person: null when name and address can be stored, else what is wrong.
create or replace function es.person_problem(p_field text, p_person jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_name constant text := btrim(p_person ->> 'name');
  v_email constant text := lower(btrim(p_person ->> 'email'));
begin
  if jsonb_typeof(p_person) is distinct from 'object' then
    return jsonb_build_object('outcome', 'invalid', 'field', p_field, 'message', 'a name and an e-mail address are needed');
  end if;
  if char_length(coalesce(v_name, '')) not between 1 and 200 then
    return jsonb_build_object('outcome', 'invalid', 'field', p_field || '.name', 'message', 'a name has 1 to 200 characters');
  end if;
  if v_email is null or char_length(v_email) > 254 or v_email !~ '^[^@\s]+@[^@\s]+$' then
    return jsonb_build_object('outcome', 'invalid', 'field', p_field || '.email', 'message', 'this is no e-mail address');
  end if;
  return null;
end
$body$;

-- The items of a request: ticket types in order with the units asked of each. Attendees are checked on the way.
create or replace function es.read_wishes(
  p_items jsonb,
  out problem jsonb,
  out types uuid[],
  out quantities integer[]
)
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_item jsonb;
  v_person jsonb;
  v_at integer := -1;
begin
  if jsonb_typeof(p_items) is distinct from 'array' or jsonb_array_length(p_items) not between 1 and 100 then
    problem := jsonb_build_object('outcome', 'invalid', 'field', 'items', 'message', 'between 1 and 100 items are needed');
    return;
  end if;

  for v_item in select jsonb_array_elements(p_items) loop
    v_at := v_at + 1;
    if jsonb_typeof(v_item -> 'quantity') is distinct from 'number'
      or (v_item ->> 'quantity')::numeric not between 1 and 100
      or (v_item ->> 'quantity')::numeric % 1 <> 0
    then
      problem := jsonb_build_object(
        'outcome', 'quantity_out_of_range',
        'ticket_types', jsonb_build_array(jsonb_build_object(
          'ticket_type_id', v_item ->> 'ticket_type_id',
          'requested', v_item -> 'quantity',
          'minimum', 1,
          'maximum', 100
        ))
      );
      return;
    end if;
    if jsonb_typeof(v_item -> 'attendees') = 'array' then
      if jsonb_array_length(v_item -> 'attendees') > (v_item ->> 'quantity')::numeric then
        problem := jsonb_build_object(
          'outcome', 'invalid',
          'field', format('items[%s].attendees', v_at),
          'message', 'there are more attendees than tickets'
        );
        return;
      end if;
      for v_person in select jsonb_array_elements(v_item -> 'attendees') loop
        if jsonb_typeof(v_person) <> 'null' then
          problem := es.person_problem(format('items[%s].attendees', v_at), v_person);
          if problem is not null then
            return;
          end if;
        end if;
      end loop;
    end if;
  end loop;

  select array_agg(w.ticket_type_id order by w.ticket_type_id), array_agg(w.quantity order by w.ticket_type_id)
  into types, quantities
  from (
    select (item ->> 'ticket_type_id')::uuid as ticket_type_id, sum((item ->> 'quantity')::numeric)::integer as quantity
    from jsonb_array_elements(p_items) as item
    group by 1
  ) w;
end
$body$;

alter function es.person_problem(text, jsonb) owner to es_verbs;
alter function es.read_wishes(jsonb) owner to es_verbs;
revoke execute on function es.person_problem(text, jsonb) from public;
revoke execute on function es.read_wishes(jsonb) from public;
grant execute on function es.person_problem(text, jsonb) to es_system;
grant execute on function es.read_wishes(jsonb) to es_system;
