-- What many buyers ask for, read and judged together, stock aside: es.read_wishes, es.event_problem,
-- es.choose_occurrence and es.judge_wishes said of many carts in one statement. A cart that any of them would find
-- fault with is left out here and judged by them, who know which fault to tell. So is one that does not cost just what
-- is listed: es.price_cart prices it, under the lock.
-- Called from: place_registrations.
-- Raises: 22P02, 22023 and the like for requests of another shape than place_registration takes.

-- Whether es.person_problem finds nothing. Without settings, so that it is inlined.
create or replace function es.is_person(p_person jsonb)
returns boolean
language sql
immutable
parallel safe
return jsonb_typeof(p_person) = 'object'
  and char_length(btrim(p_person ->> 'name')) between 1 and 200
  and char_length(p_person ->> 'email') <= 254
  and btrim(p_person ->> 'email') ~ '^[^@\s]+@[^@\s]+$';

-- p_keys holds the row of each cart's key; carts without one are not looked at.
create or replace function es.read_carts(
  p_actors text[],
  p_users uuid[],
  p_keys uuid[],
  p_requests jsonb[],
  p_now timestamptz,
  out carts es.cart[],
  out lines es.cart_line[]
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_day text;
  v_day_check integer;
begin
  select to_char(p_now at time zone o.time_zone, 'YYYYMMDD')
  into v_day
  from organizations o
  where o.id = es.current_org();
  v_day_check := strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', es.luhn32(v_day || '00000000')) - 1;

  with given as materialized (
    select
      g.n::integer, g.actor, g.user_id, g.key_id, g.request,
      (g.request ->> 'event_id')::uuid as event_id,
      (g.request ->> 'occurrence_id')::uuid as occurrence_wish,
      es.new_id() as registration_id,
      ('x' || encode(extensions.gen_random_bytes(5), 'hex'))::bit(40)::bigint as bits
    from unnest(p_actors, p_users, p_keys, p_requests) with ordinality as g (actor, user_id, key_id, request, n)
    where g.key_id is not null
      and es.is_plain_request(g.request)
  ),
  -- Asked once of each event: the planner would put the question below a distinct that it sees.
  sold as materialized (
    select distinct g.event_id
    from given g
  ),
  plain as materialized (
    select s.event_id
    from sold s
    where es.is_plain_sale(s.event_id)
  ),
  line as materialized (
    select
      g.n, g.event_id, l.place::integer,
      (l.line ->> 'ticket_type_id')::uuid as ticket_type_id,
      (l.line ->> 'quantity')::integer as quantity,
      case when jsonb_typeof(l.line -> 'attendees') = 'array' then l.line -> 'attendees' end as people,
      jsonb_typeof(l.line -> 'quantity') is not distinct from 'number' as counted
    from given g
    cross join lateral jsonb_array_elements(g.request -> 'items') with ordinality as l (line, place)
  ),
  priced as materialized (
    select l.*, t.price_minor, t.sales_end_at, t.min_per_registration, t.max_per_registration,
      coalesce(t.active and not t.hidden, false)
        and (t.sales_start_at is null or t.sales_start_at <= p_now)
        and (t.sales_end_at is null or t.sales_end_at > p_now)
        and l.counted
        and l.quantity between 1 and 100
        and (
          l.people is null
          or (
            jsonb_array_length(l.people) <= l.quantity
            and not exists (
              select
              from jsonb_array_elements(l.people) as p (person)
              where jsonb_typeof(p.person) <> 'null'
                and es.is_person(p.person) is not true
            )
          )
        ) as sound
    from line l
    left join ticket_types t on t.id = l.ticket_type_id and t.event_id = l.event_id
  ),
  wished as (
    select
      w.n,
      sum(w.quantity) as quantity,
      sum(w.price) as price,
      sum(w.lines) as lines,
      min(w.sales_end_at) as closes_at,
      bool_and(w.sound and w.quantity between w.least and w.most) as sound
    from (
      select
        p.n,
        sum(p.quantity) as quantity,
        sum(p.quantity * p.price_minor) as price,
        count(*) as lines,
        min(p.sales_end_at) as sales_end_at,
        bool_and(p.sound) as sound,
        min(p.min_per_registration) as least,
        min(p.max_per_registration) as most
      from priced p
      group by p.n, p.ticket_type_id
    ) w
    group by w.n
  ),
  date as (
    select d.event_id, d.wish, o.id, o.ends_at
    from (
      select distinct g.event_id, g.occurrence_wish as wish
      from given g
    ) d
    cross join lateral (
      select o.id, o.ends_at
      from occurrences o
      where o.event_id = d.event_id
        and o.status = 'scheduled'
        and (d.wish is null or o.id = d.wish)
      order by o.ends_at <= p_now, o.starts_at, o.id
      limit 1
    ) o
  ),
  judged as materialized (
    select
      g.n, g.actor, g.user_id, g.key_id, g.registration_id, g.event_id, d.id as occurrence_id,
      es.number_of_bits(v_day, v_day_check, g.bits) as confirmation_number,
      btrim(g.request #>> '{buyer,name}') as buyer_name,
      lower(btrim(g.request #>> '{buyer,email}')) as buyer_email,
      decode(g.request ->> 'guest_secret_hash', 'hex') as secret_hash,
      e.currency, w.price::bigint as total_minor,
      make_interval(secs => e.hold_seconds) as hold,
      w.closes_at
    from given g
    join wished w on w.n = g.n
    join events e on e.id = g.event_id
    join plain s on s.event_id = g.event_id
    join date d on d.event_id = g.event_id and d.wish is not distinct from g.occurrence_wish
    where w.sound
      and w.lines <= 100
      and w.quantity <= e.max_tickets_per_registration
      and e.status = 'published'
      and e.visibility <> 'private'
      and d.ends_at > p_now
      and es.is_person(g.request -> 'buyer')
  )
  select
    (
      select array_agg(j::es.cart order by j.n)
      from judged j
    ),
    (
      select array_agg(
        row(
          j.n, p.place, j.registration_id, j.event_id, j.occurrence_id, p.ticket_type_id,
          p.quantity, p.price_minor, j.currency, j.hold, p.people
        )::es.cart_line
        order by p.n, p.place
      )
      from priced p
      join judged j on j.n = p.n
    )
  into carts, lines;
end
$body$;

alter function es.is_person(jsonb) owner to es_verbs;
alter function es.read_carts(text[], uuid[], uuid[], jsonb[], timestamptz) owner to es_verbs;
revoke execute on function es.is_person(jsonb) from public;
revoke execute on function es.read_carts(text[], uuid[], uuid[], jsonb[], timestamptz) from public;
