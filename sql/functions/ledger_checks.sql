-- Faults in what is booked of disputes and of the platform's fees, over all tenants; no row when each dispute is booked as it
-- stands, fees go back in proportion to the money, and nobody has got back more than was paid but by a dispute.
-- Called from: check_ledger_integrity.
-- Raises: nothing. It reads everything: not for a request.
-- after: ledger_entries
-- after: ledger_fees

create or replace function es.ledger_faults()
returns table (fault text, object_id uuid, detail text)
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select 'dispute_booked_otherwise', d.id, format('dispute is %s, booked: %s', d.status, coalesce(l.kinds, 'nothing'))
  from disputes d
  left join (
    select
      dispute_id, string_agg(kind, ' ' order by kind) filter (where kind <> 'dispute_fee') as kinds,
      min(amount_minor) filter (where kind <> 'dispute_fee') as least,
      max(amount_minor) filter (where kind <> 'dispute_fee') as most,
      coalesce(sum(amount_minor) filter (where kind = 'dispute_fee'), 0) as fee,
      min(currency) as currency
    from ledger_entries
    where dispute_id is not null
      and kind <> 'platform_fee_returned'
    group by dispute_id
  ) l on l.dispute_id = d.id
  where l.kinds is distinct from case
      when d.status = 'lost' then 'dispute_lost dispute_withdrawn'
      when d.withdrawn_at is null then null
      when d.status = 'won' then 'dispute_returned dispute_withdrawn'
      else 'dispute_withdrawn'
    end
    or l.least <> d.amount_minor
    or l.most <> d.amount_minor
    or coalesce(l.fee, 0) <> d.fee_minor
    or l.currency <> d.currency

  union all
  -- A dispute may take what went back already; nothing else takes more than there is.
  select 'more_given_back_than_paid', p.id, format('left %s', es.refundable_minor(p.id))
  from payments p
  where es.refundable_minor(p.id) < 0
    and not exists (select from disputes d where d.payment_id = p.id)

  union all
  select
    'platform_fee_booked_otherwise', f.payment_id,
    format('fee %s of %s, to return %s, returned %s', f.fee, f.base, es.platform_fee_to_return(f.payment_id), f.returned)
  from (
    select
      l.payment_id,
      sum(l.amount_minor) filter (where l.kind = 'platform_fee') as fee,
      sum(l.base_minor) as base,
      coalesce(sum(l.amount_minor) filter (where l.kind = 'platform_fee_returned'), 0) as returned,
      coalesce(sum(l.amount_minor) filter (where l.kind = 'capture'), 0) as captured
    from ledger_entries l
    group by l.payment_id
  ) f
  where (f.fee is not null or f.returned > 0)
    and (
      f.fee is null
      or f.fee > f.captured
      or coalesce(f.base, 0) > f.captured
      or f.returned <> es.platform_fee_to_return(f.payment_id)
    )
$body$;

alter function es.ledger_faults() owner to es_system;
revoke execute on function es.ledger_faults() from public;
