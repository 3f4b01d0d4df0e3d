-- Faults in the documents, over all tenants: no row when every invoice and credit note adds up, numbers have no gaps, no
-- invoice is credited twice, and what invoices ask for is what confirmed registrations cost.
-- Called from: check_ledger_integrity.
-- Raises: nothing. It reads everything: not for a request.
-- after: invoice_credit

create or replace function es.invoice_faults()
returns table (fault text, object_id uuid, detail text)
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select
    'invoice_does_not_add_up', i.id,
    format('total %s, tax %s; lines %s, %s; taxes %s', i.total_minor, i.tax_minor, l.total, l.tax, t.tax)
  from invoices i
  left join lateral (
    select sum(x.total_minor) as total, sum(x.tax_minor) as tax from invoice_lines x where x.invoice_id = i.id
  ) l on true
  left join lateral (
    select coalesce(sum(x.tax_minor), 0) as tax from invoice_taxes x where x.invoice_id = i.id
  ) t on true
  where i.total_minor is distinct from l.total
    or i.tax_minor is distinct from l.tax
    or i.tax_minor is distinct from t.tax

  union all
  select
    'invoice_numbers_have_gaps', s.id,
    format('%s %s: last %s, %s documents, least %s, greatest %s', s.kind, s.year, s.last_number, n.many, n.least, n.greatest)
  from invoice_series s
  left join lateral (
    select count(*) as many, min(i.series_number) as least, max(i.series_number) as greatest
    from invoices i
    where i.org_id = s.org_id
      and i.kind = s.kind
      and i.year = s.year
  ) n on true
  where n.many <> s.last_number
    or (n.many > 0 and (n.least <> 1 or n.greatest <> n.many))

  union all
  select 'invoice_without_a_series', i.id, i.number
  from invoices i
  where not exists (
    select from invoice_series s where s.org_id = i.org_id and s.kind = i.kind and s.year = i.year
  )

  union all
  select 'more_credited_than_invoiced', i.id, format('left %s', es.invoice_left(i.id))
  from invoices i
  where i.kind = 'invoice'
    and es.invoice_left(i.id) < 0

  union all
  -- The newest invoice is of the price of now; what came before it was taken back whole.
  select
    'invoiced_otherwise', r.id,
    format('%s, total %s, kept %s; newest invoice %s, left %s', r.status, r.total_minor, r.kept_minor, n.newest, n.asked)
  from registrations r
  join lateral (
    select
      (array_agg(i.total_minor order by i.issued_at desc, i.id desc))[1] as newest,
      (array_agg(es.invoice_left(i.id) order by i.issued_at desc, i.id desc))[1] as newest_left,
      sum(es.invoice_left(i.id)) as asked
    from invoices i
    where i.registration_id = r.id
      and i.kind = 'invoice'
  ) n on n.newest is not null
  where case
    when n.asked <> n.newest_left then true
    when r.status = 'confirmed' and r.total_minor > 0 then n.newest <> r.total_minor
    when r.status = 'confirmed' then n.asked <> 0
    else n.asked > r.kept_minor
  end

  union all
  -- Since there are invoices.
  select 'confirmed_without_invoice', r.id, format('total %s', r.total_minor)
  from registrations r
  where r.status = 'confirmed'
    and r.total_minor > 0
    and not exists (select from invoices i where i.registration_id = r.id)
    and r.confirmed_at > (select min(s.created_at) from invoice_series s where s.org_id = r.org_id)
$body$;

alter function es.invoice_faults() owner to es_system;
revoke execute on function es.invoice_faults() from public;
