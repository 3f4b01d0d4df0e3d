-- Sets registrations to expired whose time has passed, over all tenants, and gives their stock back; how many were
-- set. Nothing depends on it being run in time: an expired hold counts as free from its instant on (R2). An unpaid
-- registration (pending_payment) keeps its stock until this sets it to expired (R3).
-- Pools are locked first, by id, then registrations with skip locked: it waits for no registration, so it stands in
-- nobody's way who locks a registration and then its pools.
-- Nobody who may just have paid is dropped: while a payment of theirs is open and its provider was not asked since the
-- registration ran out, it stays (payment_checks asks).
-- Called from: the sweep of the jobs worker, as es_system.
-- Raises: ES400 for a limit below 1.

create or replace function public.expire_registrations(p_limit integer)
returns integer
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now timestamptz := es.clock();
  v_due uuid[];
  v_pools uuid[];
begin
  if p_limit is null or p_limit < 1 then
    raise exception 'a limit of at least 1 is needed' using errcode = 'ES400';
  end if;
  -- The second part finds claims left behind by whoever ended a hold while its pools were busy.
  select array_agg(distinct due.id)
  into v_due
  from (
    (
      select r.id
      from registrations r
      where r.status in ('held', 'pending_payment')
        and r.expires_at <= v_now
        and not es.payment_may_come(r.id, v_now)
      order by r.expires_at
      limit p_limit
    )
    union all
    (
      select c.registration_id
      from pool_claims c
      where c.registration_id is not null
        and c.released_at is null
        and c.expires_at <= v_now
      order by c.expires_at
      limit p_limit
    )
  ) due;
  if v_due is null then
    return 0;
  end if;

  select array_agg(p.id)
  into v_pools
  from (
    select p.id
    from capacity_pools p
    where p.id in (
      select c.pool_id
      from pool_claims c
      where c.registration_id = any (v_due)
        and c.released_at is null
    )
    order by p.id
    for no key update
  ) p;
  v_now := es.clock();
  select array_agg(r.id)
  into v_due
  from (
    select r.id
    from registrations r
    where r.id = any (v_due)
      and (r.status = 'expired' or (r.status in ('held', 'pending_payment') and r.expires_at <= v_now))
      and not es.payment_may_come(r.id, v_now)
    order by r.id
    for no key update skip locked
  ) r;
  return es.expire_locked(v_due, v_pools, v_now);
end
$body$;

alter function public.expire_registrations(integer) owner to es_system;
revoke execute on function public.expire_registrations(integer) from public;
