-- Promo codes: which one a text means at an event, whether it may be used now, and by whom how often.
-- Called from: price_cart, place_registration, price_checkout, and the verbs that change registrations.
-- Raises: nothing.

-- The code of that text: the event's own before the organization's. A row of nulls when there is none.
create or replace function es.find_code(p_event events, p_text text)
returns promo_codes
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_code promo_codes;
begin
  select c.*
  into v_code
  from promo_codes c
  where c.org_id = p_event.org_id
    and c.code = upper(btrim(p_text))
    and (c.event_id = p_event.id or c.event_id is null)
    and c.active
  order by c.event_id is null
  limit 1;
  return v_code;
end
$body$;

-- Ticket types of the event that the code is for; null for all.
create or replace function es.types_of_code(p_code promo_codes, p_event uuid)
returns uuid[]
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select case
    when exists (select from promo_code_ticket_types l where l.promo_code_id = p_code.id)
      then array(
        select l.ticket_type_id
        from promo_code_ticket_types l
        where l.promo_code_id = p_code.id
          and l.event_id = p_event
      )
  end
$body$;

-- Hidden ticket types that whoever shows the code may buy; none outside its window.
create or replace function es.types_unlocked(p_code promo_codes, p_event uuid, p_now timestamptz)
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select array(
      select t.id
      from ticket_types t
      where p_code.unlocks_hidden
        and (p_code.starts_at is null or p_code.starts_at <= p_now)
        and (p_code.ends_at is null or p_code.ends_at > p_now)
        and t.event_id = p_event
        and t.hidden
        and t.id = any (coalesce(es.types_of_code(p_code, p_event), array[t.id]))
    )
  );
end
$body$;

-- Null when the code may be used now, else code_unknown, code_not_yet_valid or code_expired. A text that no code has
-- and a code that is switched off are told alike.
create or replace function es.code_problem(p_text text, p_code promo_codes, p_now timestamptz)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select case
      when p_text is null then null
      when p_code.id is null then jsonb_build_object('outcome', 'code_unknown')
      when p_code.starts_at > p_now
        then jsonb_build_object('outcome', 'code_not_yet_valid', 'starts_at', p_code.starts_at)
      when p_code.ends_at <= p_now
        then jsonb_build_object('outcome', 'code_expired', 'ends_at', p_code.ends_at)
    end
  );
end
$body$;

-- The code of a registration, or a row of nulls: when it has none, and when what is asked for is a code that may be used
-- now (p_open) and it may not.
create or replace function es.code_of(p_registration registrations, p_open boolean, p_now timestamptz)
returns promo_codes
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select c
  from promo_codes c
  where c.id = p_registration.promo_code_id
    and (not p_open or (c.active and es.code_problem(c.code, c, p_now) is null))
$body$;

-- Uses that a cart makes of the code: one, or one for each place it is for.
create or replace function es.code_uses(p_code promo_codes, p_event uuid, p_types uuid[], p_quantities integer[])
returns integer
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select case
    when count(*) = 0 then 0
    when p_code.counted_by = 'registration' then 1
    else sum(w.quantity)::integer
  end
  from unnest(p_types, p_quantities) as w (id, quantity)
  join ticket_types t on t.id = w.id and t.price_kind = 'fixed'
  where w.id = any (coalesce(es.types_of_code(p_code, p_event), p_types))
$body$;

-- Uses that a buyer has made: over holds that have not run out and registrations that count (R10), by account and by
-- address. Under the lock of the code's pool nobody else can add one meanwhile.
create or replace function es.code_uses_of_buyer(p_code promo_codes, p_user uuid, p_email text, p_now timestamptz)
returns integer
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return (
    select coalesce(sum(c.quantity), 0)
    from registrations r
    join pool_claims c on c.registration_id = r.id and c.pool_id = p_code.pool_id and c.released_at is null
    where r.promo_code_id = p_code.id
      and (
        r.user_id = p_user
        or r.buyer_email = lower(btrim(p_email))
        or (p_user = es.current_user_id() and r.buyer_email = es.own_address())
      )
      and (
        r.status in ('pending_approval', 'confirmed')
        or (r.status in ('held', 'pending_payment') and (c.expires_at is null or c.expires_at > p_now))
      )
  );
end
$body$;

-- Null when so many more uses can be made of the code by this buyer, else code_used_up (left: uses that remain) or
-- code_used_by_buyer. Without the lock, holds that ran out count as free; under it those that could be given back have
-- been.
create or replace function es.code_limit_problem(
  p_code promo_codes,
  p_uses integer,
  p_user uuid,
  p_email text,
  p_now timestamptz,
  p_locked boolean
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_left integer;
begin
  if p_code.id is null or p_uses <= 0 then
    return null;
  end if;
  select p.capacity - p.claimed + case when p_locked then 0 else es.pool_expired(p.id, p_now) end
  into v_left
  from capacity_pools p
  where p.id = p_code.pool_id;
  if v_left < p_uses then
    return jsonb_build_object('outcome', 'code_used_up', 'requested', p_uses, 'left', greatest(0, v_left));
  end if;
  if p_code.max_uses_per_buyer - es.code_uses_of_buyer(p_code, p_user, p_email, p_now) < p_uses then
    return jsonb_build_object('outcome', 'code_used_by_buyer');
  end if;
  return null;
end
$body$;

-- Null when the cart may use the code so often, else code_not_applicable, or what code_limit_problem says. The buyer is
-- p_user, or the one of that address.
create or replace function es.code_use_problem(
  p_code promo_codes,
  p_event events,
  p_types uuid[],
  p_quantities integer[],
  p_user uuid,
  p_email text,
  p_now timestamptz,
  p_locked boolean
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_uses integer;
begin
  if p_code.id is null then
    return null;
  end if;
  v_uses := es.code_uses(p_code, p_event.id, p_types, p_quantities);
  if v_uses = 0 or p_code.currency <> p_event.currency then
    return jsonb_build_object('outcome', 'code_not_applicable');
  end if;
  return es.code_limit_problem(p_code, v_uses, p_user, p_email, p_now, p_locked);
end
$body$;

alter function es.find_code(events, text) owner to es_verbs;
alter function es.types_of_code(promo_codes, uuid) owner to es_verbs;
alter function es.types_unlocked(promo_codes, uuid, timestamptz) owner to es_verbs;
alter function es.code_problem(text, promo_codes, timestamptz) owner to es_verbs;
alter function es.code_of(registrations, boolean, timestamptz) owner to es_verbs;
alter function es.code_uses(promo_codes, uuid, uuid[], integer[]) owner to es_verbs;
alter function es.code_uses_of_buyer(promo_codes, uuid, text, timestamptz) owner to es_verbs;
alter function es.code_limit_problem(promo_codes, integer, uuid, text, timestamptz, boolean) owner to es_verbs;
alter function es.code_use_problem(promo_codes, events, uuid[], integer[], uuid, text, timestamptz, boolean) owner to es_verbs;
revoke execute on function es.find_code(events, text) from public;
revoke execute on function es.types_of_code(promo_codes, uuid) from public;
revoke execute on function es.types_unlocked(promo_codes, uuid, timestamptz) from public;
revoke execute on function es.code_problem(text, promo_codes, timestamptz) from public;
revoke execute on function es.code_of(registrations, boolean, timestamptz) from public;
revoke execute on function es.code_uses(promo_codes, uuid, uuid[], integer[]) from public;
revoke execute on function es.code_uses_of_buyer(promo_codes, uuid, text, timestamptz) from public;
revoke execute on function es.code_limit_problem(promo_codes, integer, uuid, text, timestamptz, boolean) from public;
revoke execute on function es.code_use_problem(promo_codes, events, uuid[], integer[], uuid, text, timestamptz, boolean) from public;
