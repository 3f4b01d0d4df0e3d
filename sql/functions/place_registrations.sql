-- Places the registrations of many buyers at one organization in one transaction: what place_registration does for
-- each, with the pools locked once, checks and writes in statements over all of them, and one flush of the log.
-- Batch: [{actor, user_id?, request}], in the order in which they came; the request as place_registration takes it,
-- actor as the program names it in the audit log. Buyers only: no member's permissions are looked at.
-- Answer: [{outcome, occurrence_id?, items?}] in the same order. outcome is what place_registration would answer, or
--   {"outcome": "key_conflict"} (ES409); occurrence_id and the ids of the items in their order are told of a new
--   registration, for the program, which signs their tickets next.
-- A cart that cannot be placed as it stands, and one whose key came twice, is asked of es.try_to_place, in this
-- transaction, after the others.
-- Called from: the counter of the sale, as es_system in the buyers' organization. It believes what it is told of
-- actors, so nobody else may call it; it is bound to that organization as all verbs are.
-- Raises: ES404 without an organization. Any error is of all of them: the caller rolls back and asks one by one.
-- Lines between lock:begin and lock:end are what keeps a pool from being oversold; a test takes them out and watches.

-- Who fits, first come, first served, into pools with that much left (null: unlimited): for
-- those who do not, by place, what place_registration says when it is sold out.
create or replace function es.fit_carts(
  p_lines es.cart_line[],
  p_demands es.cart_demand[],
  p_pools uuid[],
  p_free integer[],
  out refused jsonb
)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_cart record;
  v_free integer[] := p_free;
  v_short boolean;
begin
  refused := '{}';
  for v_cart in
    select
      d.n,
      array_agg(array_position(p_pools, d.pool_id)) as places,
      array_agg(d.need) as needs
    from unnest(p_demands) as d
    group by d.n
    order by d.n
  loop
    select bool_or(v_free[w.place] < w.need)
    into v_short
    from unnest(v_cart.places, v_cart.needs) as w (place, need);
    if v_short then
      refused := refused || jsonb_build_object(v_cart.n::text, jsonb_build_object(
        'outcome', 'sold_out',
        'ticket_types', (
          select jsonb_agg(
            jsonb_build_object('ticket_type_id', t.id, 'requested', t.quantity, 'available', t.available)
            order by t.id
          )
          from (
            select l.ticket_type_id as id, l.quantity, greatest(0, min(v_free[w.place])) as available
            from (
              select c.ticket_type_id, sum(c.quantity) as quantity
              from unnest(p_lines) as c
              where c.n = v_cart.n
              group by c.ticket_type_id
            ) l
            join ticket_type_pools k on k.ticket_type_id = l.ticket_type_id
            join unnest(v_cart.places, v_cart.needs) as w (place, need) on p_pools[w.place] = k.pool_id
            where v_free[w.place] < w.need
            group by l.ticket_type_id, l.quantity
          ) t
        )
      ));
    else
      for v_at in 1 .. cardinality(v_cart.places) loop
        v_free[v_cart.places[v_at]] := v_free[v_cart.places[v_at]] - v_cart.needs[v_at];
      end loop;
    end if;
  end loop;
end
$body$;

-- The pools of the demands by id, with what all of them need together and what is left in each; what expired counts
-- as left when p_expired says so, but is only looked for where the pool is short.
create or replace function es.pools_of_carts(
  p_demands es.cart_demand[],
  p_now timestamptz,
  p_expired boolean,
  out pools uuid[],
  out needs integer[],
  out free integer[],
  out short boolean
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  select
    coalesce(array_agg(p.id order by p.id), '{}'),
    array_agg(d.need order by p.id),
    array_agg(
      p.capacity - p.claimed
      + case when p_expired and p.capacity - p.claimed < d.need then es.pool_expired(p.id, p_now) else 0 end
      order by p.id
    ),
    coalesce(bool_or(p.capacity - p.claimed < d.need), false)
  into pools, needs, free, short
  from (
    select c.pool_id, sum(c.need)::integer as need
    from unnest(p_demands) as c
    group by c.pool_id
  ) d
  join capacity_pools p on p.id = d.pool_id;
end
$body$;

-- Locks what the carts draw from and finds out who gets it: the carts that do, and outcomes of those who do not, by
-- place.
create or replace function es.take_stock(
  p_carts es.cart[],
  p_lines es.cart_line[],
  out carts es.cart[],
  out demands es.cart_demand[],
  out refused jsonb,
  out placed_at timestamptz
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_pools record;
  v_refused jsonb;
  v_waiting uuid[];
begin
  carts := p_carts;
  refused := '{}';
  select coalesce(array_agg(row(d.n, d.registration_id, d.event_id, d.hold, d.pool_id, d.need)::es.cart_demand), '{}')
  into demands
  from (
    select l.n, l.registration_id, l.event_id, l.hold, p.id as pool_id, sum(l.quantity)::integer as need
    from unnest(p_lines) as l
    join ticket_type_pools k on k.ticket_type_id = l.ticket_type_id
    join capacity_pools p on p.id = k.pool_id
    where p.occurrence_id is null
      or p.occurrence_id = l.occurrence_id
    group by l.n, l.registration_id, l.event_id, l.hold, p.id
  ) d;

  -- Who comes too late hears so without standing in the queue for the lock.
  placed_at := es.clock();
  v_pools := es.pools_of_carts(demands, placed_at, true);
  if v_pools.short then
    refused := es.fit_carts(p_lines, demands, v_pools.pools, v_pools.free);
    demands := es.demands_without(demands, refused);
    v_pools := es.pools_of_carts(demands, placed_at, true);
  end if;

  -- lock:begin
  perform from capacity_pools p where p.id = any (v_pools.pools) order by p.id for no key update;
  -- lock:end
  placed_at := es.clock();
  v_pools := es.pools_of_carts(demands, placed_at, false);
  if v_pools.short then
    perform es.release_expired_claims(v_pools.pools, v_pools.needs, placed_at);
    v_pools := es.pools_of_carts(demands, placed_at, false);
  end if;
  if v_pools.short then
    v_refused := es.fit_carts(p_lines, demands, v_pools.pools, v_pools.free);
    refused := refused || v_refused;
    demands := es.demands_without(demands, v_refused);
  end if;

  -- What went off sale while we waited is left to es.try_to_place, which knows what to say of it; so is an event where
  -- somebody has begun to wait for places.
  v_waiting := es.with_waiting(array(select distinct c.event_id from unnest(p_carts) as c));
  if refused <> '{}' or v_waiting <> '{}' or exists (select from unnest(carts) as c where c.closes_at <= placed_at) then
    select coalesce(array_agg(c order by c.n), '{}')
    into carts
    from unnest(p_carts) as c
    where not refused ? c.n::text
      and c.event_id <> all (v_waiting)
      and (c.closes_at is null or c.closes_at > placed_at);
    select coalesce(array_agg(d), '{}')
    into demands
    from unnest(demands) as d
    where exists (
      select
      from unnest(carts) as c
      where c.n = d.n
    );
  end if;
end
$body$;

-- The demands of carts that were not refused.
create or replace function es.demands_without(p_demands es.cart_demand[], p_refused jsonb)
returns es.cart_demand[]
language sql
immutable
return (
  select coalesce(array_agg(d), '{}')
  from unnest(p_demands) as d
  where not p_refused ? d.n::text
);

-- Writes the carts that were found possible: as es.write_registration does for one. Outcomes by place.
create or replace function es.write_carts(
  p_carts es.cart[],
  p_lines es.cart_line[],
  p_demands es.cart_demand[],
  p_requests jsonb[],
  p_now timestamptz,
  out outcomes jsonb
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
begin
  -- A number that exists already breaks registrations_number_key, and all are placed one by one: at 40 random bits
  -- that is cheaper than to be ready for it.
  insert into registrations (
    id, org_id, event_id, occurrence_id, user_id, confirmation_number, status,
    buyer_name, buyer_email, currency, total_minor, placed_at, expires_at, source_id
  )
  select
    c.registration_id, v_org, c.event_id, c.occurrence_id, c.user_id, c.confirmation_number, 'held',
    c.buyer_name, c.buyer_email, c.currency, c.total_minor, p_now, p_now + c.hold,
    case when p_requests[c.n] ? 'source' then es.source_id(p_requests[c.n] -> 'source') end
  from unnest(p_carts) as c
  order by c.n;

  insert into registration_secrets (registration_id, org_id, secret_hash)
  select c.registration_id, v_org, c.secret_hash
  from unnest(p_carts) as c
  where c.secret_hash is not null;

  insert into pool_claims (org_id, event_id, pool_id, registration_id, quantity, expires_at)
  select v_org, d.event_id, d.pool_id, d.registration_id, d.need, p_now + d.hold
  from unnest(p_demands) as d
  order by d.n, d.pool_id;

  update capacity_pools p
  set claimed = p.claimed + d.need
  from (
    select c.pool_id, sum(c.need)::integer as need
    from unnest(p_demands) as c
    group by c.pool_id
  ) d
  where p.id = d.pool_id;

  insert into outbox_sequences (org_id, object_type, object_id, last_sequence)
  select v_org, 'registration', c.registration_id, 1
  from unnest(p_carts) as c;

  insert into outbox (org_id, type, object_type, object_id, sequence, payload)
  select
    v_org, 'registration.held', 'registration', c.registration_id, 1,
    jsonb_build_object('event_id', c.event_id, 'expires_at', p_now + c.hold)
  from unnest(p_carts) as c
  order by c.n;

  insert into audit_log (org_id, actor, action, object_type, object_id, after)
  select
    v_org, c.actor, 'registration.placed', 'registration', c.registration_id,
    jsonb_build_object('status', 'held', 'event_id', c.event_id, 'total_minor', c.total_minor, 'currency', c.currency)
  from unnest(p_carts) as c
  order by c.n;

  select jsonb_object_agg(c.n, jsonb_build_object(
    'outcome', 'placed',
    'registration_id', c.registration_id,
    'confirmation_number', c.confirmation_number,
    'status', 'held',
    'expires_at', p_now + c.hold,
    'total_minor', c.total_minor,
    'currency', c.currency
  ))
  into outcomes
  from unnest(p_carts) as c;
end
$body$;

-- The items of written carts with their attendees, created where new; by place, what the
-- program is told of them.
create or replace function es.write_cart_items(p_carts es.cart[], p_lines es.cart_line[], out told jsonb)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
begin
  insert into attendees (org_id, email, name)
  select distinct v_org, lower(btrim(p.person ->> 'email')) as email, btrim(p.person ->> 'name') as name
  from unnest(p_lines) as l
  cross join lateral jsonb_array_elements(l.people) as p (person)
  where jsonb_typeof(p.person) = 'object'
  order by 2, 3
  on conflict on constraint attendees_person_key do nothing;

  if exists (select from unnest(p_carts) as c where c.user_id is not null) then
    update attendees a
    set user_id = own.user_id
    from es.own_addresses(array(select c.user_id from unnest(p_carts) as c)) as own (user_id, email)
    where a.org_id = v_org
      and a.email = own.email
      and a.user_id is null
      and exists (
        select
        from unnest(p_carts) as c
        join unnest(p_lines) as l on l.n = c.n
        cross join lateral jsonb_array_elements(l.people) as p (person)
        where c.user_id = own.user_id
          and jsonb_typeof(p.person) = 'object'
          and es.attendee_key(p.person) = a.email || ' ' || a.name
      );
  end if;

  -- Under row level security only values that are ready are looked up in an index; hence materialized.
  with named as materialized (
    select
      l.n, l.event_id, l.occurrence_id, l.registration_id, l.ticket_type_id, l.price_minor, l.currency,
      row_number() over (partition by l.n order by l.place, u.unit) as position,
      lower(btrim(l.people -> (u.unit - 1) ->> 'email')) as email,
      btrim(l.people -> (u.unit - 1) ->> 'name') as name
    from unnest(p_lines) as l
    cross join lateral generate_series(1, l.quantity) as u (unit)
  ),
  unit as materialized (
    select
      es.new_id() as id, w.*,
      (
        select a.id
        from attendees a
        where a.org_id = v_org
          and a.email = w.email
          and a.name = w.name
      ) as attendee_id
    from named w
  ),
  written as (
    insert into registration_items (
      id, org_id, event_id, registration_id, ticket_type_id, attendee_id, position, price_minor, currency
    )
    select
      u.id, v_org, u.event_id, u.registration_id, u.ticket_type_id, u.attendee_id, u.position, u.price_minor, u.currency
    from unit u
  )
  select jsonb_object_agg(w.n, jsonb_build_object('occurrence_id', w.occurrence_id, 'items', w.ids))
  into told
  from (
    select u.n, u.occurrence_id, jsonb_agg(u.id order by u.position) as ids
    from unit u
    group by u.n, u.occurrence_id
  ) w;
end
$body$;

-- The proved addresses of signed-in people, as es.own_address gives that of the transaction's own.
-- Crosses tenants: people belong to none, and the owner of the verbs reads no account.
create or replace function es.own_addresses(p_users uuid[])
returns table (user_id uuid, email text)
language sql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select u.id, u.email
  from users u
  where u.id = any (p_users)
    and u.email_verified_at is not null
$body$;

-- The outcomes of a batch so far, by place, and what the program is told beside them; the keys of what was decided hold their outcomes.
create or replace function es.try_to_place_many(
  p_actors text[],
  p_users uuid[],
  p_keys uuid[],
  p_requests jsonb[],
  out outcomes jsonb,
  out told jsonb
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_read record;
  v_taken record;
  v_lines es.cart_line[];
begin
  perform pg_advisory_xact_lock_shared(l.key)
  from (
    select distinct es.event_lock((r.request ->> 'event_id')::uuid) as key
    from unnest(p_requests, p_keys) as r (request, key_id)
    where r.key_id is not null
    order by 1
  ) l;
  v_read := es.read_carts(p_actors, p_users, p_keys, p_requests, es.clock());
  outcomes := '{}';
  told := '{}';
  if v_read.carts is null then
    return;
  end if;

  v_taken := es.take_stock(v_read.carts, v_read.lines);
  outcomes := v_taken.refused;
  if v_taken.carts <> '{}' then
    v_lines := v_read.lines;
    if cardinality(v_taken.carts) < cardinality(v_read.carts) then
      select array_agg(l order by l.n, l.place)
      into v_lines
      from unnest(v_read.lines) as l
      join unnest(v_taken.carts) as c on c.n = l.n;
    end if;
    outcomes := outcomes || es.write_carts(v_taken.carts, v_lines, v_taken.demands, p_requests, v_taken.placed_at);
    told := es.write_cart_items(v_taken.carts, v_lines);
  end if;
  update idempotency_keys k
  set outcome = outcomes -> array_position(p_keys, k.id)::text
  where k.id = any (p_keys)
    and outcomes ? array_position(p_keys, k.id)::text;
end
$body$;

create or replace function public.place_registrations(p_batch jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
-- A batch is small and looks everything up by its key. The planner takes a function's rows for many and would rather
-- read whole tables; and what it once planned is good for every batch.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $body$
declare
  v_actors text[];
  v_users uuid[];
  v_requests jsonb[];
  v_keys record;
  v_done record;
  v_answers jsonb;
  v_other record;
begin
  if es.current_org() is null then
    raise exception 'no such organization' using errcode = 'ES404';
  end if;
  select
    array_agg(b.item ->> 'actor' order by b.n),
    array_agg((b.item ->> 'user_id')::uuid order by b.n),
    array_agg(b.item -> 'request' order by b.n)
  into v_actors, v_users, v_requests
  from jsonb_array_elements(p_batch) with ordinality as b (item, n);

  select k.*
  into v_keys
  from (
    select
      array_agg(es.batch_actor(g.actor) order by g.n) as actors,
      array_agg(g.request ->> 'idempotency_key' order by g.n) as keys,
      array_agg(g.request ->> 'argument_hash' order by g.n) as hashes
    from unnest(v_actors, v_requests) with ordinality as g (actor, request, n)
  ) a
  cross join lateral es.batch_keys('place_registration', a.actors, a.keys, a.hashes) k;
  v_done := es.try_to_place_many(v_actors, v_users, v_keys.ids, v_requests);
  select jsonb_agg(
    jsonb_build_object('outcome', coalesce(v_keys.answers[g.n], v_done.outcomes -> g.n::text))
    || coalesce(v_done.told -> g.n::text, '{}')
    order by g.n
  )
  into v_answers
  from generate_series(1, cardinality(v_requests)) as g (n);

  for v_other in
    select g.n, g.actor, g.user_id, g.request
    from unnest(v_actors, v_users, v_requests) with ordinality as g (actor, user_id, request, n)
    where v_answers -> (g.n - 1)::integer -> 'outcome' = 'null'
    order by g.n
  loop
    v_answers := jsonb_set(
      v_answers,
      array[(v_other.n - 1)::text, 'outcome'],
      es.place_alone(v_other.actor, v_other.user_id, v_other.request, v_keys.ids[v_other.n])
    );
  end loop;
  return v_answers;
end
$body$;

-- One cart of a batch by itself, its key taken already or, if it came twice, not.
create or replace function es.place_alone(p_actor text, p_user uuid, p_request jsonb, p_key uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_outcome jsonb;
begin
  if p_key is null then
    return es.batch_twin(
      'place_registration', p_actor, p_request ->> 'idempotency_key', p_request ->> 'argument_hash'
    );
  end if;
  perform es.batch_act_as(p_actor, p_user, null);
  v_outcome := es.try_to_place(p_request);
  update idempotency_keys k
  set outcome = v_outcome
  where k.id = p_key;
  return v_outcome;
end
$body$;

alter function es.fit_carts(es.cart_line[], es.cart_demand[], uuid[], integer[]) owner to es_verbs;
alter function es.pools_of_carts(es.cart_demand[], timestamptz, boolean) owner to es_verbs;
alter function es.take_stock(es.cart[], es.cart_line[]) owner to es_verbs;
alter function es.demands_without(es.cart_demand[], jsonb) owner to es_verbs;
alter function es.write_carts(es.cart[], es.cart_line[], es.cart_demand[], jsonb[], timestamptz) owner to es_verbs;
alter function es.write_cart_items(es.cart[], es.cart_line[]) owner to es_verbs;
alter function es.own_addresses(uuid[]) owner to es_system;
alter function es.try_to_place_many(text[], uuid[], uuid[], jsonb[]) owner to es_verbs;
alter function es.place_alone(text, uuid, jsonb, uuid) owner to es_verbs;
alter function public.place_registrations(jsonb) owner to es_verbs;
revoke execute on function es.fit_carts(es.cart_line[], es.cart_demand[], uuid[], integer[]) from public;
revoke execute on function es.pools_of_carts(es.cart_demand[], timestamptz, boolean) from public;
revoke execute on function es.take_stock(es.cart[], es.cart_line[]) from public;
revoke execute on function es.demands_without(es.cart_demand[], jsonb) from public;
revoke execute on function es.write_carts(es.cart[], es.cart_line[], es.cart_demand[], jsonb[], timestamptz) from public;
revoke execute on function es.write_cart_items(es.cart[], es.cart_line[]) from public;
revoke execute on function es.own_addresses(uuid[]) from public;
revoke execute on function es.try_to_place_many(text[], uuid[], uuid[], jsonb[]) from public;
revoke execute on function es.place_alone(text, uuid, jsonb, uuid) from public;
revoke execute on function public.place_registrations(jsonb) from public;
grant execute on function es.own_addresses(uuid[]) to es_verbs;
grant execute on function public.place_registrations(jsonb) to es_system;
