-- Places a registration: takes stock, fixes prices, holds both until expires_at. The transaction acts in the
-- organization of the event (es.org); the buyer is es.user, or a guest who shows the secret later.
-- Request: {event_id, occurrence_id?, buyer: {name, email}, items: [{ticket_type_id, quantity, price_minor?, currency?,
--   attendees?: [{name, email} or null]}], code?, expected_total_minor?, expected_currency?, hold_id? or hold_key_hash?
--   (hex), source? (as es.source_id), idempotency_key, argument_hash (hex), guest_secret_hash? (hex)}. Without
--   occurrence_id: the next one.
--   price_minor: for donations. With a hold, or a code that reserves (see credit.sql), places are taken from what was set
--   aside, not from what is on sale.
-- Outcomes, in the key `outcome`; an answer told again carries `replayed`: true:
--   placed                 registration_id, confirmation_number, status, expires_at, total_minor, currency
--   sold_out               ticket_types: [{ticket_type_id, requested, available}]
--   event_not_found        also drafts, archived and private events
--   sale_not_open          ticket_types: those outside their window; none when the event is over or cancelled
--   occurrence_not_found
--   ticket_type_not_found  ticket_types: [{ticket_type_id}]; inactive ones too, and for visitors hidden ones that their
--                          code does not unlock
--   already_registered     the event takes one registration an address, and there is one
--   quantity_out_of_range  ticket_types: [{ticket_type_id, requested, minimum, maximum}]; or requested, maximum of the event
--   hold_not_found         also one of another event, and a wrong key
--   hold_ended             hold_id; it was released, or has expired
--   hold_keeps_others      hold_id; none of what is asked for
--   hold_used_up           hold_id, left
--   offer_expired          offer_id; only told to accept_waitlist_offer
--   add_on_out_of_range    ticket_types: [{ticket_type_id, requested, minimum, maximum}]
--   price_out_of_range     ticket_types: [{ticket_type_id, requested, minimum}]
--   code_unknown, code_not_yet_valid, code_expired, code_not_applicable, code_used_up, code_used_by_buyer
--   price_changed          total_minor, currency, unit (one minor unit as a decimal number): what it costs now; it was
--                          expected to cost something else
--   invalid                field, message
-- Called from: the verb placeRegistration; accept_waitlist_offer (es.try_to_place).
-- Raises: ES400 and ES409 as es.idempotency_begin; ES404 without an organization; 22P02 when an id is no UUID.
-- after: price_codes
-- Lines between lock:begin and lock:end are what keeps pools, those of tiers and codes among them, from being oversold;
-- a test takes them out and watches.

-- Everything about a cart that can be refused without a look at stock: event, date, ticket types, code, prices chosen.
create or replace function es.judge_cart(
  p_request jsonb,
  p_event events,
  p_types uuid[],
  p_quantities integer[],
  p_now timestamptz,
  out problem jsonb,
  out occurrence uuid,
  out code promo_codes,
  out closes_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_chosen record;
  v_judged record;
begin
  problem := es.event_problem(p_event);
  if problem is not null then
    return;
  end if;
  v_chosen := es.choose_occurrence(p_event.id, (p_request ->> 'occurrence_id')::uuid, p_now);
  problem := v_chosen.problem;
  occurrence := v_chosen.id;
  if problem is not null then
    return;
  end if;
  if p_request ->> 'code' is not null then
    code := es.find_code(p_event, p_request ->> 'code');
    problem := es.code_problem(p_request ->> 'code', code, p_now);
    if problem is not null then
      return;
    end if;
  end if;
  v_judged := es.judge_wishes(p_event, p_types, p_quantities, p_now, es.types_unlocked(code, p_event.id, p_now));
  closes_at := v_judged.closes_at;
  problem := coalesce(
    v_judged.problem,
    es.add_on_problem(p_event.id, p_types, p_quantities),
    es.chosen_price_problem(p_event, p_request -> 'items')
  );
end
$body$;

create or replace function es.try_to_place(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_event_id constant uuid := (p_request ->> 'event_id')::uuid;
  v_email constant text := p_request -> 'buyer' ->> 'email';
  v_event events;
  v_wished record;
  v_judged record;
  v_demand record;
  v_credit record;
  v_weighed record;
  v_extra record;
  v_locked uuid[];
  v_cart es.priced_cart;
  v_total bigint;
  v_problem jsonb;
  v_now timestamptz := es.clock();
begin
  v_wished := es.read_wishes(p_request -> 'items');
  v_problem := coalesce(v_wished.problem, es.person_problem('buyer', p_request -> 'buyer'));
  if v_problem is not null then
    return v_problem;
  end if;

  perform pg_advisory_xact_lock_shared(es.event_lock(v_event_id));
  select e.* into v_event from events e where e.id = v_event_id;
  v_judged := es.judge_cart(p_request, v_event, v_wished.types, v_wished.quantities, v_now);
  if v_judged.problem is not null then
    return v_judged.problem;
  end if;

  v_problem := es.already_registered(v_event, p_request, null);
  if v_problem is not null then
    return v_problem;
  end if;

  v_demand := es.pool_demand(v_judged.occurrence, v_wished.types, v_wished.quantities);
  v_credit := es.open_credit(p_request, v_event_id, v_judged.code);
  if v_credit.problem is not null then
    return v_credit.problem;
  end if;
  -- Who comes too late hears so without standing in the queue for the lock.
  if v_credit.kind is null and v_credit.pools = '{}' then
    v_problem := es.shortage(v_demand.pools, v_demand.needs, v_wished.types, v_wished.quantities, v_now, false);
  end if;
  v_problem := coalesce(
    v_problem,
    es.code_use_problem(v_judged.code, v_event, v_wished.types, v_wished.quantities, es.current_user_id(), v_email, v_now, false)
  );
  if v_problem is not null then
    return v_problem;
  end if;
  v_extra := es.price_pools(v_wished.types, v_wished.quantities, v_judged.code, v_now);
  v_locked := v_demand.pools || v_extra.pools || v_credit.pools;

  -- lock:begin
  perform from capacity_pools p where p.id = any (v_locked) order by p.id for no key update;
  -- lock:end
  v_now := es.clock();
  v_weighed := es.weigh_credit(
    v_credit.kind, v_credit.id, v_judged.code, v_judged.occurrence, v_wished.types, v_wished.quantities,
    v_demand.pools, v_demand.needs, v_now
  );
  if v_weighed.problem is not null then
    return v_weighed.problem;
  end if;
  perform es.release_expired_claims(v_locked, v_weighed.needs || v_extra.needs, v_now);
  v_problem := es.shortage(v_demand.pools, v_weighed.needs, v_wished.types, v_wished.quantities, v_now, true);
  if v_problem is not null then
    return v_problem;
  end if;
  if v_now >= v_judged.closes_at then
    return (es.judge_wishes(v_event, v_wished.types, v_wished.quantities, v_now)).problem;
  end if;
  v_problem := coalesce(
    es.code_problem(p_request ->> 'code', v_judged.code, v_now),
    es.code_use_problem(v_judged.code, v_event, v_wished.types, v_wished.quantities, es.current_user_id(), v_email, v_now, true)
  );
  if v_problem is not null then
    return v_problem;
  end if;

  v_cart := es.price_cart(v_event, p_request -> 'items', v_judged.code, v_now, true);
  v_total := (es.cart_sums(v_cart)).total_minor;
  v_problem := es.unexpected_total(p_request, v_total, v_event.currency);
  if v_problem is not null then
    return v_problem;
  end if;
  v_extra := es.cart_demand(v_cart, v_judged.code, v_event.id, v_wished.types, v_wished.quantities);
  perform es.spend_credit(v_credit.kind, v_credit.id, v_weighed.units, v_judged.code, v_weighed.code_units, v_now);
  return es.write_registration(
    p_request, v_event, v_judged.occurrence, v_cart, v_judged.code,
    v_demand.pools || v_extra.pools, v_demand.needs || v_extra.needs, v_now
  );
end
$body$;

-- What the priced cart draws from the pools of tiers and of its code.
create or replace function es.cart_demand(
  p_cart es.priced_cart,
  p_code promo_codes,
  p_event uuid,
  p_types uuid[],
  p_quantities integer[],
  out pools uuid[],
  out needs integer[]
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  select array_agg(d.pool_id), array_agg(d.need)
  into pools, needs
  from (
    select t.pool_id, count(*)::integer as need
    from unnest(p_cart.units) as u
    join price_tiers t on t.id = u.tier_id
    group by t.pool_id
    union all
    select p_code.pool_id, es.code_uses(p_code, p_event, p_types, p_quantities)
    where p_code.id is not null
  ) d;
end
$body$;

create or replace function public.place_registration(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
-- As in open_as_guest.
set plan_cache_mode = force_generic_plan
as $body$
declare
  v_told jsonb;
begin
  if es.current_org() is null then
    raise exception 'no such event' using errcode = 'ES404';
  end if;
  v_told := es.idempotency_begin('place_registration', p_request ->> 'idempotency_key', p_request ->> 'argument_hash');
  v_told := coalesce(v_told, es.tell('place_registration', p_request, es.try_to_place(p_request)));
  return es.opened_to_guest('placed', p_request, v_told);
end
$body$;

alter function es.judge_cart(jsonb, events, uuid[], integer[], timestamptz) owner to es_verbs;
alter function es.try_to_place(jsonb) owner to es_verbs;
alter function es.cart_demand(es.priced_cart, promo_codes, uuid, uuid[], integer[]) owner to es_verbs;
alter function public.place_registration(jsonb) owner to es_verbs;
revoke execute on function es.judge_cart(jsonb, events, uuid[], integer[], timestamptz) from public;
revoke execute on function es.try_to_place(jsonb) from public;
revoke execute on function es.cart_demand(es.priced_cart, promo_codes, uuid, uuid[], integer[]) from public;
revoke execute on function public.place_registration(jsonb) from public;
grant execute on function public.place_registration(jsonb) to es_public, es_attendee, es_member;
