-- Faults in what is sold, over all tenants; no row when rule R20 holds and everything fits together.
-- Called from: tests after every scenario, `admin check`, as es_system.
-- Raises: nothing. It reads everything: not for a request.
-- after: stock

create or replace function public.check_stock_integrity()
returns table (fault text, object_id uuid, detail text)
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select 'counter_differs_from_claims', p.id, format('counter %s, claims %s', p.claimed, coalesce(sum(c.quantity), 0))
  from capacity_pools p
  left join pool_claims c on c.pool_id = p.id and c.released_at is null
  group by p.id
  having p.claimed <> coalesce(sum(c.quantity), 0)

  union all
  select 'pool_oversold', p.id, format('capacity %s, counter %s', p.capacity, p.claimed)
  from capacity_pools p
  where p.claimed > p.capacity

  union all
  select 'claim_outlives_registration', c.id, format('registration %s is %s', r.id, r.status)
  from pool_claims c
  join registrations r on r.id = c.registration_id
  where c.released_at is null
    and (
      r.status in ('cancelled', 'rejected')
      or (r.status = 'expired' and (c.expires_at is null or c.expires_at > es.clock()))
    )

  union all
  select 'claim_released_too_early', c.id, format('registration %s is %s', r.id, r.status)
  from pool_claims c
  join registrations r on r.id = c.registration_id
  where c.released_at is not null
    and r.status in ('held', 'pending_approval', 'pending_payment', 'confirmed')
    and not r.waits_without_stock
    and exists (
      select
      from registration_items i
      join ticket_type_pools l on l.ticket_type_id = i.ticket_type_id
      where i.registration_id = r.id
        and i.cancelled_at is null
        and l.pool_id = c.pool_id
        and l.created_at < r.placed_at
    )
    and not exists (
      select
      from pool_claims live
      where live.registration_id = r.id
        and live.pool_id = c.pool_id
        and live.released_at is null
    )

  union all
  select 'claim_expires_apart', c.id, format('registration %s is %s until %s, claim until %s', r.id, r.status, r.expires_at, c.expires_at)
  from pool_claims c
  join registrations r on r.id = c.registration_id
  where c.released_at is null
    and (
      (r.status = 'held' and c.expires_at is distinct from r.expires_at)
      or (r.status in ('pending_approval', 'pending_payment', 'confirmed') and c.expires_at is not null)
    )

  union all
  -- Links made after the sale bind later sales only; a link taken away leaves its claims.
  select 'claim_misses_items', d.registration_id, format('pool %s: %s items, claimed %s', d.pool_id, d.items, coalesce(c.quantity, 0))
  from (
    select i.registration_id, l.pool_id, count(*) as items
    from registration_items i
    join registrations r on r.id = i.registration_id
    join ticket_type_pools l on l.ticket_type_id = i.ticket_type_id
    join capacity_pools p on p.id = l.pool_id
    where r.status in ('held', 'pending_approval', 'pending_payment', 'confirmed')
      and not r.waits_without_stock
      and i.cancelled_at is null
      and l.created_at < r.placed_at
      and (p.occurrence_id is null or p.occurrence_id = r.occurrence_id)
    group by i.registration_id, l.pool_id
  ) d
  left join pool_claims c on c.registration_id = d.registration_id and c.pool_id = d.pool_id and c.released_at is null
  where coalesce(c.quantity, 0) < d.items

  union all
  select 'claim_exceeds_items', c.id, format('claimed %s', c.quantity)
  from pool_claims c
  where c.released_at is null
    and c.registration_id is not null
    and c.quantity > (
      select count(*)
      from registration_items i
      where i.registration_id = c.registration_id
        and i.cancelled_at is null
    )

  union all
  -- What staff set aside: every claim of a hold is what is not sold from it yet, until the hold expires.
  select 'hold_differs_from_claims', h.id, format('keeps %s, claims %s', h.quantity - h.sold, c.quantity)
  from stock_holds h
  join pool_claims c on c.hold_id = h.id and c.released_at is null
  where h.status = 'active'
    and (c.quantity <> h.quantity - h.sold or c.expires_at is distinct from h.expires_at)

  union all
  select 'hold_without_claims', h.id, format('keeps %s', h.quantity - h.sold)
  from stock_holds h
  where h.status = 'active'
    and h.sold < h.quantity
    and (h.expires_at is null or h.expires_at > es.clock())
    and not exists (select from pool_claims c where c.hold_id = h.id and c.released_at is null)

  union all
  select 'claim_outlives_hold', c.id, format('hold %s is %s', h.id, h.status)
  from pool_claims c
  join stock_holds h on h.id = c.hold_id
  where c.released_at is null
    and h.status <> 'active'
    and (h.status = 'released' or c.expires_at > es.clock())

  union all
  -- R9: a code reserves no more than its unused uses.
  select 'code_reserves_used_uses', k.id, format('%s unused, claims %s', u.capacity - u.claimed + es.pool_expired(u.id, es.clock()), c.quantity)
  from promo_codes k
  join capacity_pools u on u.id = k.pool_id
  join pool_claims c on c.promo_code_id = k.id and c.released_at is null
  where (c.expires_at is null or c.expires_at > es.clock())
    and c.quantity > u.capacity - u.claimed + es.pool_expired(u.id, es.clock())

  union all
  -- Offers: an open one claims what its entry waits for; one that ended claims nothing that still counts.
  select 'offer_misses_lines', o.id, format('pool %s: %s wanted, claimed %s', d.pool_id, d.units, coalesce(c.quantity, 0))
  from waitlist_offers o
  join waitlist_entries w on w.id = o.entry_id
  join (
    select x.entry_id, l.pool_id, sum(x.quantity) as units, max(l.created_at) as linked_at
    from waitlist_lines x
    join ticket_type_pools l on l.ticket_type_id = x.ticket_type_id
    group by x.entry_id, l.pool_id
  ) d on d.entry_id = w.id
  join capacity_pools p on p.id = d.pool_id
  left join pool_claims c on c.waitlist_offer_id = o.id and c.pool_id = d.pool_id and c.released_at is null
  where o.status = 'offered'
    and o.expires_at > es.clock()
    and d.linked_at < o.offered_at
    and (p.occurrence_id is null or p.occurrence_id = w.occurrence_id)
    and (coalesce(c.quantity, 0) <> d.units or c.expires_at is distinct from o.expires_at)

  union all
  select 'claim_outlives_offer', c.id, format('offer %s is %s', o.id, o.status)
  from pool_claims c
  join waitlist_offers o on o.id = c.waitlist_offer_id
  where c.released_at is null
    and o.status <> 'offered'
    and (o.status <> 'expired' or c.expires_at > es.clock())

  union all
  select 'entry_differs_from_offers', w.id, format('entry is %s, %s open offers', w.status, count(o.id))
  from waitlist_entries w
  left join waitlist_offers o on o.entry_id = w.id and o.status = 'offered'
  group by w.id
  having (w.status = 'offered') <> (count(o.id) = 1)

  union all
  select 'total_differs_from_items', r.id, format('total %s', r.total_minor)
  from registrations r
  where (r.total_minor, r.discount_minor, r.fee_minor, r.tax_minor, r.added_minor) is distinct from (
    select (
      coalesce(sum(i.total_minor), 0)::bigint, coalesce(sum(i.discount_minor), 0)::bigint,
      coalesce(sum(i.fee_minor), 0)::bigint, coalesce(sum(i.tax_minor), 0)::bigint, coalesce(sum(i.added_minor), 0)::bigint
    )
    from registration_items i
    where i.registration_id = r.id
      and i.cancelled_at is null
  )

  union all
  -- Each fee and tax has a row of its own; the item has their sums.
  select 'charges_differ_from_item', i.id, format('fees %s, taxes %s', i.fee_minor, i.tax_minor)
  from registration_items i
  left join registration_item_charges c on c.item_id = i.id
  group by i.id
  having i.fee_minor <> coalesce(sum(c.amount_minor) filter (where c.kind = 'fee'), 0)
    or i.tax_minor <> coalesce(sum(c.amount_minor) filter (where c.kind <> 'fee'), 0)

  union all
  -- Only what was priced with the code has something off by it.
  select 'item_coded_without_code', i.id, format('registration %s', r.id)
  from registration_items i
  join registrations r on r.id = i.registration_id
  where i.coded
    and r.promo_code_id is null

  union all
  select 'tier_claim_without_items', c.id, format('registration %s, claimed %s', r.id, c.quantity)
  from pool_claims c
  join capacity_pools p on p.id = c.pool_id and p.kind = 'tier'
  join price_tiers t on t.pool_id = p.id
  join registrations r on r.id = c.registration_id
  where c.released_at is null
    and r.status in ('held', 'pending_approval', 'pending_payment', 'confirmed')
    and not exists (
      select
      from registration_items i
      where i.registration_id = r.id
        and i.tier_id = t.id
        and i.cancelled_at is null
    )

  union all
  select 'tier_claim_differs', d.registration_id, format('pool %s: %s items, claimed %s', d.pool_id, d.items, coalesce(c.quantity, 0))
  from (
    select i.registration_id, t.pool_id, count(*) as items
    from registration_items i
    join registrations r on r.id = i.registration_id
    join price_tiers t on t.id = i.tier_id
    where r.status in ('held', 'pending_approval', 'pending_payment', 'confirmed')
      and not r.waits_without_stock
      and i.cancelled_at is null
    group by i.registration_id, t.pool_id
  ) d
  left join pool_claims c on c.registration_id = d.registration_id and c.pool_id = d.pool_id and c.released_at is null
  where coalesce(c.quantity, 0) <> d.items

  union all
  -- A use of the code is a place, or all of them together: a code may count otherwise now than when it was used.
  select 'code_claim_differs', d.id, format('code %s: %s items use it, claimed %s', d.promo_code_id, d.items, d.claimed)
  from (
    select
      r.id,
      r.promo_code_id,
      (
        select count(*)
        from registration_items i
        where i.registration_id = r.id
          and i.coded
          and i.cancelled_at is null
      ) as items,
      coalesce(sum(c.quantity), 0) as claimed
    from registrations r
    join promo_codes k on k.id = r.promo_code_id
    left join pool_claims c on c.registration_id = r.id and c.pool_id = k.pool_id and c.released_at is null
    where r.status in ('held', 'pending_approval', 'pending_payment', 'confirmed')
      and not r.waits_without_stock
    group by r.id
  ) d
  where d.claimed not between least(d.items, 1) and d.items

  union all
  select 'confirmed_without_ticket', i.id, format('registration %s', r.id)
  from registration_items i
  join registrations r on r.id = i.registration_id
  where r.status = 'confirmed'
    and i.cancelled_at is null
    and not exists (select from tickets t where t.item_id = i.id and t.status in ('valid', 'blocked'))

  union all
  select 'ticket_of_cancelled_item', t.id, format('item %s', i.id)
  from registration_items i
  join tickets t on t.item_id = i.id
  where i.cancelled_at is not null
    and t.status in ('valid', 'blocked')

  union all
  select 'waits_with_stock', c.id, format('registration %s', r.id)
  from registrations r
  join pool_claims c on c.registration_id = r.id
  where r.waits_without_stock
    and c.released_at is null

  union all
  select 'given_away_without_holder', i.id, format('registration %s', r.id)
  from registration_items i
  join registrations r on r.id = i.registration_id
  where r.status = 'confirmed'
    and i.cancelled_at is null
    and i.given_away is distinct from exists (
      select
      from tickets t
      where t.item_id = i.id
        and t.received
        and t.status in ('valid', 'blocked')
    )

  union all
  select 'ticket_without_confirmation', t.id, format('registration %s is %s', r.id, r.status)
  from tickets t
  join registrations r on r.id = t.registration_id
  where t.status in ('valid', 'blocked')
    and r.status <> 'confirmed'

  union all
  select 'ticket_differs_from_item', t.id, format('item %s', i.id)
  from tickets t
  join registration_items i on i.id = t.item_id
  where t.registration_id <> i.registration_id
    or (t.status in ('valid', 'blocked') and t.ticket_type_id <> i.ticket_type_id)

  union all
  select 'status_without_instant', r.id, r.status
  from registrations r
  where (r.status = 'confirmed' and r.confirmed_at is null)
    or (r.status = 'cancelled' and r.cancelled_at is null)
$body$;

alter function public.check_stock_integrity() owner to es_system;
revoke execute on function public.check_stock_integrity() from public;
