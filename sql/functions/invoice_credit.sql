-- Credit notes: what of an invoice no longer holds. An invoice is never changed; a registration that is changed gets a credit
-- note over all that is left of its invoice, and a new one. At most one invoice of a registration has anything left.
--   es.credit_invoice: of the newest invoice, at most p_amount (null: all that is left); null when nothing is.
--   es.correct_invoice: after a change of what a confirmed registration costs.
--   es.credit_cancelled: of registrations that were cancelled, all but what is kept (registrations.kept_minor).
--   es.credit_refund: of a refund that is done: as far as the invoice asks for more than was kept. What was overpaid, or was
--     credited when the registration was cancelled, is not credited again.
-- Called from: es.write_sums, es.cancel_locked, es.end_refund, with the registration locked.
-- Raises: as invoice_issue.
-- after: invoice_issue
-- after: price_arithmetic

-- What an invoice asks for after its credit notes.
create or replace function es.invoice_left(p_invoice uuid)
returns bigint
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select coalesce(sum(case when i.kind = 'invoice' then i.total_minor else -i.total_minor end), 0)::bigint
  from invoices i
  where i.id = p_invoice
    or i.corrects_id = p_invoice
$body$;

-- The share of each line that a credit note takes, and the tax in it: the whole of what is left when the amount is.
create or replace function es.lines_to_credit(
  p_invoice uuid,
  p_amount bigint,
  out places integer[],
  out totals bigint[],
  out taxes bigint[]
)
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  with lines as (
    select
      l.position,
      l.total_minor - coalesce(sum(c.total_minor), 0)::bigint as total_left,
      l.tax_minor - coalesce(sum(c.tax_minor), 0)::bigint as tax_left
    from invoice_lines l
    left join invoices n on n.corrects_id = l.invoice_id
    left join invoice_lines c on c.invoice_id = n.id and c.position = l.position
    where l.invoice_id = p_invoice
    group by l.id
  ),
  shares as (
    select s.position, s.total, s.tax_left, s.total_left
    from (
      select
        array_agg(l.position order by l.position) as positions,
        array_agg(l.total_left order by l.position) as left_over,
        array_agg(l.tax_left order by l.position) as taxes_left
      from lines l
    ) a
    cross join unnest(a.positions, es.allot(p_amount, a.left_over), a.taxes_left, a.left_over)
      as s (position, total, tax_left, total_left)
  )
  select
    array_agg(s.position order by s.position),
    array_agg(s.total order by s.position),
    array_agg(
      case when s.total = 0 then 0 else es.round_div(s.tax_left::numeric * s.total, s.total_left) end
      order by s.position
    )
  from shares s
$body$;

-- The same for its taxes by rate: taxes as they are left, and what they are on together with what is not taxed.
create or replace function es.taxes_to_credit(p_invoice invoices, p_tax bigint, p_net bigint)
returns table (place integer, net_minor bigint, tax_minor bigint)
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  with rates as (
    select
      t.position,
      t.net_minor - coalesce(sum(c.net_minor), 0)::bigint as net_left,
      t.tax_minor - coalesce(sum(c.tax_minor), 0)::bigint as tax_left
    from invoice_taxes t
    left join invoices n on n.corrects_id = t.invoice_id
    left join invoice_taxes c on c.invoice_id = n.id and c.position = t.position
    where t.invoice_id = p_invoice.id
    group by t.id
  ),
  whole as (
    select
      array_agg(r.position order by r.position) as positions,
      array_agg(r.net_left order by r.position) as nets,
      array_agg(r.tax_left order by r.position) as taxes,
      sum(r.net_left)::bigint as taxed,
      p_invoice.net_minor - coalesce((select sum(n.net_minor) from invoices n where n.corrects_id = p_invoice.id), 0)::bigint
        as net_left
    from rates r
  )
  select
    s.position,
    -- Two taxes on one price are each on all of it: then what they are on does not add up to the whole.
    case
      when w.taxed <= w.net_left then s.net
      when w.net_left = 0 then 0
      else es.round_div(s.left_over::numeric * p_net, w.net_left)
    end,
    s.tax
  from whole w
  cross join unnest(
    w.positions, (es.allot(p_net, w.nets || greatest(w.net_left - w.taxed, 0)))[:cardinality(w.positions)],
    es.allot(p_tax, w.taxes), w.nets
  ) as s (position, net, tax, left_over)
$body$;

create or replace function es.credit_invoice(p_registration uuid, p_amount bigint, p_reason text, p_refund uuid)
returns uuid
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_id constant uuid := es.new_id();
  v_invoice invoices;
  v_amount bigint;
  v_lines record;
  v_rates record;
  v_drawn record;
  v_tax bigint;
begin
  select i.*
  into v_invoice
  from invoices i
  where i.registration_id = p_registration
    and i.kind = 'invoice'
  order by i.issued_at desc, i.id desc
  limit 1;
  if not found then
    return null;
  end if;
  v_amount := es.invoice_left(v_invoice.id);
  v_amount := least(v_amount, coalesce(p_amount, v_amount));
  if v_amount <= 0 then
    return null;
  end if;
  v_lines := es.lines_to_credit(v_invoice.id, v_amount);
  v_tax := (select sum(t) from unnest(v_lines.taxes) as t);
  -- Before there is a note: it counts as credited from then on.
  select array_agg(t.place) as places, array_agg(t.net_minor) as nets, array_agg(t.tax_minor) as taxes
  into v_rates
  from es.taxes_to_credit(v_invoice, v_tax, v_amount - v_tax) t;
  v_drawn := es.draw_invoice_number(v_invoice.org_id, 'credit_note');
  insert into invoices (
    id, org_id, event_id, registration_id, kind, year, series_number, number, corrects_id, refund_id, reason, seller_name,
    seller_address, seller_tax_number, seller_country, buyer_name, buyer_email, event_title, net_minor, tax_minor,
    total_minor, currency, issued_at
  )
  values (
    v_id, v_invoice.org_id, v_invoice.event_id, v_invoice.registration_id, 'credit_note', v_drawn.drawn_year,
    v_drawn.drawn_number, es.invoice_number('credit_note', v_drawn.drawn_year, v_drawn.drawn_number), v_invoice.id, p_refund,
    p_reason, v_invoice.seller_name, v_invoice.seller_address, v_invoice.seller_tax_number, v_invoice.seller_country,
    v_invoice.buyer_name, v_invoice.buyer_email, v_invoice.event_title, v_amount - v_tax, v_tax, v_amount,
    v_invoice.currency, v_drawn.drawn_at
  );
  insert into invoice_lines (
    org_id, event_id, registration_id, invoice_id, position, kind, description, quantity, net_minor, tax_minor, total_minor,
    currency
  )
  select
    l.org_id, l.event_id, l.registration_id, v_id, l.position, l.kind, l.description, l.quantity, s.total - s.tax, s.tax,
    s.total, l.currency
  from unnest(v_lines.places, v_lines.totals, v_lines.taxes) as s (place, total, tax)
  join invoice_lines l on l.invoice_id = v_invoice.id and l.position = s.place
  where s.total <> 0;

  insert into invoice_taxes (
    org_id, event_id, registration_id, invoice_id, position, name, rate_millionths, net_minor, tax_minor, currency
  )
  select
    t.org_id, t.event_id, t.registration_id, v_id, t.position, t.name, t.rate_millionths, s.net, s.tax, t.currency
  from unnest(v_rates.places, v_rates.nets, v_rates.taxes) as s (place, net, tax)
  join invoice_taxes t on t.invoice_id = v_invoice.id and t.position = s.place;
  return v_id;
end
$body$;

create or replace function es.correct_invoice(p_registration uuid)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  perform es.credit_invoice(p_registration, null, 'changed', null);
  perform es.issue_invoice(p_registration);
end
$body$;

create or replace function es.credit_cancelled(p_registrations uuid[])
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_one record;
begin
  for v_one in
    select i.registration_id, es.invoice_left(i.id) - r.kept_minor as amount, r.cancel_reason
    from invoices i
    join registrations r on r.id = i.registration_id
    where i.registration_id = any (p_registrations)
      and i.kind = 'invoice'
      and es.invoice_left(i.id) > r.kept_minor
    order by i.registration_id
  loop
    perform es.credit_invoice(
      v_one.registration_id, v_one.amount, case v_one.cancel_reason when 'event_cancelled' then 'event_cancelled' else 'cancelled' end,
      null
    );
  end loop;
end
$body$;

create or replace function es.credit_refund(p_refund refunds)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_asked bigint;
  v_held bigint;
begin
  select sum(case when i.kind = 'invoice' then i.total_minor else -i.total_minor end)
  into v_asked
  from invoices i
  where i.registration_id = p_refund.registration_id;
  if coalesce(v_asked, 0) <= 0 then
    return;
  end if;
  -- What is promised and not gone yet is still there.
  select sum(case l.kind when 'capture' then l.amount_minor when 'refund_paid' then -l.amount_minor else 0 end)
  into v_held
  from ledger_entries l
  where l.registration_id = p_refund.registration_id;
  perform es.credit_invoice(p_refund.registration_id, least(p_refund.amount_minor, v_asked - v_held), 'refund', p_refund.id);
end
$body$;

alter function es.invoice_left(uuid) owner to es_verbs;
alter function es.lines_to_credit(uuid, bigint) owner to es_verbs;
alter function es.taxes_to_credit(invoices, bigint, bigint) owner to es_verbs;
alter function es.credit_invoice(uuid, bigint, text, uuid) owner to es_verbs;
alter function es.correct_invoice(uuid) owner to es_verbs;
alter function es.credit_cancelled(uuid[]) owner to es_verbs;
alter function es.credit_refund(refunds) owner to es_verbs;
revoke execute on function es.invoice_left(uuid) from public;
revoke execute on function es.lines_to_credit(uuid, bigint) from public;
revoke execute on function es.taxes_to_credit(invoices, bigint, bigint) from public;
revoke execute on function es.credit_invoice(uuid, bigint, text, uuid) from public;
revoke execute on function es.correct_invoice(uuid) from public;
revoke execute on function es.credit_cancelled(uuid[]) from public;
revoke execute on function es.credit_refund(refunds) from public;
grant execute on function es.invoice_left(uuid) to es_system;
