-- What a cart would cost now, part by part, judged and priced as placing does it but without a lock and without taking
-- anything. Whoever places the same cart and nothing has changed meanwhile pays the same, to the cent.
-- The transaction acts in the organization of the event (es.org), as for placing.
-- Request: {event_id, occurrence_id?, items: [{ticket_type_id, quantity, price_minor?, currency?}], code?}.
-- Outcomes: priced, with occurrence_id, currency, unit (one minor unit as a decimal number), subtotal_minor (after tiers, before discounts), discount_minor,
--   fee_minor, tax_minor (contained or on top), total_minor and
--     lines      [{ticket_type_id, tier_name, quantity, list_price_minor, tier_price_minor, price_minor (each of one),
--                discount_minor, fee_minor, tax_minor, total_minor (of the line)}], a line for each price of a wish
--     discounts  [{kind: automatic or code, name, amount_minor}]
--     fees       [{kind, name, amount_minor}]
--     taxes      [{name, rate_millionths, inclusive, on_fees, amount_minor}]
--   or what place_registration would answer: all of its refusals but price_changed and code_used_by_buyer of a guest.
-- Called from: the verb priceCheckout.
-- Raises: ES404 without an organization; 22P02 when an id is no UUID.
-- after: price_cart, place_registration

create or replace function es.cart_answer(p_event events, p_cart es.priced_cart, p_code promo_codes)
returns jsonb
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select to_jsonb(s) - 'added_minor' - 'code_minor' || jsonb_build_object(
    'currency', p_event.currency,
    'unit', es.money_text(1, p_event.currency),
    'lines', (
      select jsonb_agg(to_jsonb(l) - 'first' - 'line' order by l.first)
      from (
        select
          min(u.unit) as first,
          u.line,
          u.ticket_type_id,
          t.name as tier_name,
          count(*) as quantity,
          u.list_minor as list_price_minor,
          u.tier_minor as tier_price_minor,
          u.price_minor,
          sum(u.discount_minor + u.code_minor) as discount_minor,
          sum(u.fee_minor) as fee_minor,
          sum(u.tax_minor) as tax_minor,
          sum(u.price_minor + u.fee_minor + u.added_minor) as total_minor
        from unnest(p_cart.units) as u
        left join price_tiers t on t.id = u.tier_id
        group by u.line, u.ticket_type_id, u.tier_id, t.name, u.list_minor, u.tier_minor, u.price_minor
      ) l
    ),
    'discounts', (
      select coalesce(jsonb_agg(to_jsonb(d)), '[]')
      from (
        select 'automatic' as kind, r.name, s.discount_minor - s.code_minor as amount_minor
        from discount_rules r
        where r.id = p_cart.discount_rule_id
        union all
        select 'code', p_code.code, s.code_minor
        where s.code_minor > 0
      ) d
    ),
    'fees', (
      select coalesce(jsonb_agg(to_jsonb(f) - 'first' order by f.first), '[]')
      from (
        select c.fee_kind as kind, c.name, sum(c.amount_minor) as amount_minor, min(c.place) as first
        from unnest(p_cart.charges) with ordinality as c
          (unit, kind, fee_kind, name, rate_millionths, inclusive, amount_minor, base_minor, place)
        where c.kind = 'fee'
        group by c.fee_kind, c.name
      ) f
    ),
    'taxes', (
      select coalesce(jsonb_agg(to_jsonb(x) - 'first' order by x.first), '[]')
      from (
        select
          c.name, c.rate_millionths, c.inclusive, c.kind = 'fee_tax' as on_fees, sum(c.amount_minor) as amount_minor,
          min(c.place) as first
        from unnest(p_cart.charges) with ordinality as c
          (unit, kind, fee_kind, name, rate_millionths, inclusive, amount_minor, base_minor, place)
        where c.kind <> 'fee'
        group by c.name, c.rate_millionths, c.inclusive, c.kind
        having sum(c.amount_minor) > 0
      ) x
    )
  )
  from es.cart_sums(p_cart) s
$body$;

create or replace function public.price_checkout(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_event events;
  v_wished record;
  v_judged record;
  v_demand record;
  v_weighed record;
  v_problem jsonb;
begin
  if es.current_org() is null then
    raise exception 'no such event' using errcode = 'ES404';
  end if;
  v_wished := es.read_wishes(p_request -> 'items');
  if v_wished.problem is not null then
    return v_wished.problem;
  end if;
  select e.* into v_event from events e where e.id = (p_request ->> 'event_id')::uuid;
  v_judged := es.judge_cart(p_request, v_event, v_wished.types, v_wished.quantities, v_now);
  if v_judged.problem is not null then
    return v_judged.problem;
  end if;
  v_demand := es.pool_demand(v_judged.occurrence, v_wished.types, v_wished.quantities);
  -- What the code reserves is there for whoever shows it.
  v_weighed := es.weigh_credit(
    null, null, v_judged.code, v_judged.occurrence, v_wished.types, v_wished.quantities, v_demand.pools, v_demand.needs,
    v_now
  );
  v_problem := coalesce(
    es.shortage(v_demand.pools, v_weighed.needs, v_wished.types, v_wished.quantities, v_now, false),
    -- Of a guest's address nothing is told here: anybody could ask about anybody.
    es.code_use_problem(v_judged.code, v_event, v_wished.types, v_wished.quantities, es.current_user_id(), null, v_now, false)
  );
  if v_problem is not null then
    return v_problem;
  end if;
  return jsonb_build_object('outcome', 'priced', 'occurrence_id', v_judged.occurrence)
    || es.cart_answer(
      v_event, es.price_cart(v_event, p_request -> 'items', v_judged.code, v_now, false), v_judged.code
    );
end
$body$;

alter function es.cart_answer(events, es.priced_cart, promo_codes) owner to es_verbs;
alter function public.price_checkout(jsonb) owner to es_verbs;
revoke execute on function es.cart_answer(events, es.priced_cart, promo_codes) from public;
revoke execute on function public.price_checkout(jsonb) from public;
grant execute on function public.price_checkout(jsonb) to es_public, es_attendee, es_member;
