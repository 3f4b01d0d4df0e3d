-- Invoices: what a confirmed registration costs, as a document that never changes. Numbers have no gaps: they are drawn
-- under the lock of their series (organization, kind of document, year in the organization's zone), in the transaction
-- that makes true what the document says. The lock is held until that ends, so nothing else is locked after it.
-- Called from: es.apply_confirmation, es.write_sums, es.cancel_locked, es.end_refund (by invoice_credit), with the
--   registration locked.
-- Raises: 23505 when a number is drawn twice: the last net below the lock.

create or replace function es.draw_invoice_number(
  p_org uuid,
  p_kind text,
  out drawn_year integer,
  out drawn_number integer,
  out drawn_at timestamptz
)
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_zone constant text := (select o.time_zone from organizations o where o.id = p_org);
begin
  loop
    drawn_year := extract(year from es.clock() at time zone v_zone);
    insert into invoice_series (org_id, kind, year)
    values (p_org, p_kind, drawn_year)
    on conflict on constraint invoice_series_key do nothing;
    select s.last_number + 1
    into drawn_number
    from invoice_series s
    where s.org_id = p_org
      and s.kind = p_kind
      and s.year = drawn_year
    -- lock:begin
    for no key update
    -- lock:end
    ;
    -- Who waited for the lock over New Year draws from the new year's numbers: numbers and times have one order.
    drawn_at := es.clock();
    exit when extract(year from drawn_at at time zone v_zone) = drawn_year;
  end loop;
  update invoice_series s
  set last_number = drawn_number
  where s.org_id = p_org
    and s.kind = p_kind
    and s.year = drawn_year;
end
$body$;

create or replace function es.invoice_number(p_kind text, p_year integer, p_number integer)
returns text
language sql
stable
return format(
  '%s-%s-%s', case p_kind when 'invoice' then 'INV' else 'CN' end, p_year,
  lpad(p_number::text, greatest(6, length(p_number::text)), '0')
);

-- What is charged for a registration now: a line for places of one kind and price, and one for their fees. Both add up to
-- the places' totals, cent for cent: what rounding over the whole document moved stays with the place.
create or replace function es.invoice_lines_of(p_registration uuid)
returns table (place bigint, line_kind text, description text, quantity integer, total_minor bigint, tax_minor bigint)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return query
  with units as (
    select
      i.position,
      t.name,
      i.total_minor,
      i.tax_minor,
      i.fee_minor + coalesce(c.on_top, 0) as fee_total,
      coalesce(c.fee_tax, 0) as fee_tax,
      c.fees
    from registration_items i
    join ticket_types t on t.id = i.ticket_type_id
    left join lateral (
      select
        sum(x.amount_minor) filter (where x.kind = 'fee_tax' and not x.inclusive)::bigint as on_top,
        sum(x.amount_minor) filter (where x.kind = 'fee_tax')::bigint as fee_tax,
        string_agg(distinct x.name, ', ' order by x.name) filter (where x.kind = 'fee') as fees
      from registration_item_charges x
      where x.item_id = i.id
    ) c on true
    where i.registration_id = p_registration
      and i.cancelled_at is null
  )
  select
    row_number() over (order by l.kind desc, l.first, l.description, l.unit_total, l.unit_tax), l.kind, l.description, l.quantity,
    l.quantity * l.unit_total, l.quantity * l.unit_tax
  from (
    select
      'ticket' as kind, min(u.position) as first, u.name as description, count(*)::integer as quantity,
      u.total_minor - u.fee_total as unit_total, u.tax_minor - u.fee_tax as unit_tax
    from units u
    group by u.name, u.total_minor - u.fee_total, u.tax_minor - u.fee_tax

    union all
    select 'fee', min(u.position), u.fees, count(*)::integer, u.fee_total, u.fee_tax
    from units u
    where u.fees is not null
    group by u.fees, u.fee_total, u.fee_tax
  ) l;
end
$body$;

-- Its taxes by name and rate, and what each is on, without any tax.
create or replace function es.invoice_taxes_of(p_registration uuid)
returns table (place bigint, name text, rate_millionths integer, net_minor bigint, tax_minor bigint)
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  return query
  select
    row_number() over (order by s.rate_millionths desc, s.name), s.name, s.rate_millionths, sum(s.net)::bigint,
    sum(s.amount_minor)::bigint
  from (
    select
      c.name, c.rate_millionths, c.amount_minor,
      case c.kind
        when 'fee_tax' then c.base_minor - case when c.inclusive then c.amount_minor else 0 end
        else i.net_minor - i.fee_minor + coalesce(
          sum(c.amount_minor) filter (where c.kind = 'fee_tax' and c.inclusive) over (partition by i.id), 0
        )
      end as net,
      c.kind
    from registration_items i
    join registration_item_charges c on c.item_id = i.id
    where i.registration_id = p_registration
      and i.cancelled_at is null
  ) s
  where s.kind in ('tax', 'fee_tax')
  group by s.name, s.rate_millionths;
end
$body$;

-- Issues the invoice of a locked registration as it stands now; null when it costs nothing.
create or replace function es.issue_invoice(p_registration uuid)
returns uuid
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_id constant uuid := es.new_id();
  v_found registrations;
  v_sums record;
  v_drawn record;
begin
  select r.* into v_found from registrations r where r.id = p_registration;
  select sum(i.total_minor)::bigint as total, sum(i.tax_minor)::bigint as tax
  into v_sums
  from registration_items i
  where i.registration_id = p_registration
    and i.cancelled_at is null;
  if coalesce(v_sums.total, 0) <= 0 then
    return null;
  end if;
  v_drawn := es.draw_invoice_number(v_found.org_id, 'invoice');
  insert into invoices (
    id, org_id, event_id, registration_id, kind, year, series_number, number, seller_name, seller_address,
    seller_tax_number, seller_country, buyer_name, buyer_email, event_title, net_minor, tax_minor, total_minor, currency,
    issued_at
  )
  select
    v_id, v_found.org_id, v_found.event_id, v_found.id, 'invoice', v_drawn.drawn_year, v_drawn.drawn_number,
    es.invoice_number('invoice', v_drawn.drawn_year, v_drawn.drawn_number), coalesce(o.legal_name, o.name),
    o.billing_address, o.tax_number, o.country, v_found.buyer_name, v_found.buyer_email, e.title,
    v_sums.total - v_sums.tax, v_sums.tax, v_sums.total, v_found.currency, v_drawn.drawn_at
  from organizations o
  join events e on e.id = v_found.event_id
  where o.id = v_found.org_id;

  insert into invoice_lines (
    org_id, event_id, registration_id, invoice_id, position, kind, description, quantity, net_minor, tax_minor, total_minor,
    currency
  )
  select
    v_found.org_id, v_found.event_id, v_found.id, v_id, l.place, l.line_kind, l.description, l.quantity,
    l.total_minor - l.tax_minor, l.tax_minor, l.total_minor, v_found.currency
  from es.invoice_lines_of(v_found.id) l;

  insert into invoice_taxes (
    org_id, event_id, registration_id, invoice_id, position, name, rate_millionths, net_minor, tax_minor, currency
  )
  select
    v_found.org_id, v_found.event_id, v_found.id, v_id, t.place, t.name, t.rate_millionths, t.net_minor, t.tax_minor,
    v_found.currency
  from es.invoice_taxes_of(v_found.id) t;
  return v_id;
end
$body$;

alter function es.draw_invoice_number(uuid, text) owner to es_verbs;
alter function es.invoice_number(text, integer, integer) owner to es_verbs;
alter function es.invoice_lines_of(uuid) owner to es_verbs;
alter function es.invoice_taxes_of(uuid) owner to es_verbs;
alter function es.issue_invoice(uuid) owner to es_verbs;
revoke execute on function es.draw_invoice_number(uuid, text) from public;
revoke execute on function es.invoice_number(text, integer, integer) from public;
revoke execute on function es.invoice_lines_of(uuid) from public;
revoke execute on function es.invoice_taxes_of(uuid) from public;
revoke execute on function es.issue_invoice(uuid) from public;
