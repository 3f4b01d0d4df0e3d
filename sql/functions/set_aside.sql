-- What claims stock without being a registration: holds of staff, codes that reserve, offers to those who wait. How
-- such claims are given back, and how they end by the clock.
-- The row of the hold, or the entry of the offer, is locked before pools, as registrations are; whoever holds pools
-- already locks it with skip locked. A code's claims change under the locks of their pools alone.
-- Called from: release_expired_claims, serve_waitlist, the verbs of holds and of the waitlist; expire_set_aside by the
--   sweep of the jobs worker, as es_system.
-- Raises: ES400 for a limit below 1.

-- Gives back these claims, whose pools the caller has locked.
create or replace function es.give_back(p_claims uuid[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  with freed as (
    update pool_claims c
    set released_at = p_now
    where c.id = any (p_claims)
      and c.released_at is null
    returning c.pool_id, c.quantity
  )
  update capacity_pools p
  set claimed = p.claimed - f.quantity
  from (
    select pool_id, sum(quantity)::integer as quantity
    from freed
    group by pool_id
  ) f
  where p.id = f.pool_id;
end
$body$;

-- Marks locked holds and the offers of locked entries as expired, where their time has passed.
create or replace function es.mark_lapsed(p_holds uuid[], p_entries uuid[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_gone record;
begin
  for v_gone in
    update stock_holds h
    set
      status = 'expired',
      ended_at = p_now
    where h.id = any (p_holds)
      and h.status = 'active'
      and h.expires_at <= p_now
    returning h.*
  loop
    perform emit_event(
      v_gone.org_id, 'hold.expired', 'hold', v_gone.id,
      jsonb_build_object('event_id', v_gone.event_id, 'expired_at', v_gone.expires_at)
    );
    perform record_audit(
      v_gone.org_id, 'hold.expired', 'hold', v_gone.id,
      jsonb_build_object('status', 'active'), jsonb_build_object('status', 'expired')
    );
  end loop;

  for v_gone in
    update waitlist_offers o
    set
      status = 'expired',
      answered_at = p_now
    where o.entry_id = any (p_entries)
      and o.status = 'offered'
      and o.expires_at <= p_now
    returning o.*
  loop
    update waitlist_entries w
    set status = 'expired'
    where w.id = v_gone.entry_id;
    perform record_audit(
      v_gone.org_id, 'waitlist.expired', 'waitlist_entry', v_gone.entry_id,
      jsonb_build_object('status', 'offered'), jsonb_build_object('status', 'expired', 'expires_at', v_gone.expires_at)
    );
  end loop;
end
$body$;

-- Gives back what has expired of all that was set aside in these locked pools; how many claims. A claim in another pool
-- stays until somebody meets it there: it has expired, so it counts as free meanwhile.
create or replace function es.release_lapsed(p_pools uuid[], p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_lapsed uuid[];
  v_holds uuid[];
  v_entries uuid[];
begin
  select array_agg(c.id)
  into v_lapsed
  from pool_claims c
  where c.pool_id = any (p_pools)
    and c.released_at is null
    and c.expires_at <= p_now
    and c.registration_id is null;
  if v_lapsed is null then
    return 0;
  end if;

  select array_agg(h.id)
  into v_holds
  from (
    select h.id
    from stock_holds h
    where h.id in (select c.hold_id from pool_claims c where c.id = any (v_lapsed))
    order by h.id
    for no key update skip locked
  ) h;
  select array_agg(w.id)
  into v_entries
  from (
    select w.id
    from waitlist_entries w
    where w.id in (
      select o.entry_id
      from pool_claims c
      join waitlist_offers o on o.id = c.waitlist_offer_id
      where c.id = any (v_lapsed)
    )
    order by w.id
    for no key update skip locked
  ) w;
  perform es.mark_lapsed(v_holds, v_entries, p_now);

  select array_agg(c.id)
  into v_lapsed
  from pool_claims c
  left join waitlist_offers o on o.id = c.waitlist_offer_id
  where c.id = any (v_lapsed)
    and c.released_at is null
    and c.expires_at <= p_now
    and (c.promo_code_id is not null or c.hold_id = any (v_holds) or o.entry_id = any (v_entries));
  perform es.give_back(v_lapsed, p_now);
  return coalesce(cardinality(v_lapsed), 0);
end
$body$;

-- Gives back, over all tenants, what was set aside and has expired; how many claims. Nothing depends on its being run
-- in time (R2).
create or replace function public.expire_set_aside(p_limit integer)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now timestamptz := es.clock();
  v_pools uuid[];
  v_used_up uuid[];
begin
  if p_limit is null or p_limit < 1 then
    raise exception 'a limit of at least 1 is needed' using errcode = 'ES400';
  end if;
  -- Holds that everything was sold from keep nothing any more.
  select array_agg(h.id)
  into v_used_up
  from (
    select h.id
    from stock_holds h
    where h.status = 'active'
      and h.expires_at <= v_now
      and h.sold = h.quantity
    order by h.id
    limit p_limit
    for no key update skip locked
  ) h;
  perform es.mark_lapsed(v_used_up, null, v_now);

  select array_agg(distinct due.pool_id)
  into v_pools
  from (
    select c.pool_id
    from pool_claims c
    where c.released_at is null
      and c.expires_at <= v_now
      and c.registration_id is null
    order by c.expires_at
    limit p_limit
  ) due;
  if v_pools is null then
    return 0;
  end if;
  perform from capacity_pools p where p.id = any (v_pools) order by p.id for no key update;
  return es.release_lapsed(v_pools, es.clock());
end
$body$;

alter function es.give_back(uuid[], timestamptz) owner to es_verbs;
alter function es.mark_lapsed(uuid[], uuid[], timestamptz) owner to es_verbs;
alter function es.release_lapsed(uuid[], timestamptz) owner to es_verbs;
alter function public.expire_set_aside(integer) owner to es_system;
revoke execute on function es.give_back(uuid[], timestamptz) from public;
revoke execute on function es.mark_lapsed(uuid[], uuid[], timestamptz) from public;
revoke execute on function es.release_lapsed(uuid[], timestamptz) from public;
revoke execute on function public.expire_set_aside(integer) from public;
grant execute on function es.give_back(uuid[], timestamptz) to es_system;
grant execute on function es.mark_lapsed(uuid[], uuid[], timestamptz) to es_system;
grant execute on function es.release_lapsed(uuid[], timestamptz) to es_system;
