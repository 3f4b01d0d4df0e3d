-- What a registration has paid and how it stands with its price (R6), from the ledger: nothing of it is stored. Money that
-- was promised back counts as given back, and so does what a lost dispute took; an open dispute is told before anything
-- else. What is rejected or has expired costs nothing, what is cancelled the fee that was kept.
-- Both speak only of registrations that the actor may see; of others they say nothing.
-- Called from: fields paid and paymentState of a registration.
-- Raises: nothing.
-- after: ledger_entries

create or replace function es.sees_registration(p_registration registrations)
returns boolean
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select coalesce(p_registration.user_id = es.current_user_id(), false)
    or p_registration.id = any (es.guest_registrations())
    or (p_registration.org_id = es.current_org() and es.has_permission('registrations:read'))
$body$;

create or replace function public.registration_paid(p_registration uuid)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select es.paid_minor(r.id)
  from registrations r
  where r.id = p_registration
    and es.sees_registration(r)
$body$;

create or replace function public.registration_payment_state(p_registration uuid)
returns text
language sql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select case
    when sums.disputed then 'disputed'
    when sums.returned > 0 and sums.captured = sums.returned then 'refunded'
    when sums.captured - sums.returned > sums.total then 'overpaid'
    when sums.captured - sums.returned = sums.total and (sums.captured > 0 or sums.live) then 'paid'
    when sums.returned > 0 then 'partially_refunded'
    when sums.captured > 0 then 'partially_paid'
    else 'unpaid'
  end
  from (
    select
      r.status not in ('cancelled', 'rejected', 'expired') as live,
      case
        when r.status = 'cancelled' then r.kept_minor
        when r.status in ('rejected', 'expired') then 0
        else r.total_minor
      end as total,
      exists (select from disputes d where d.registration_id = r.id and d.status = 'open') as disputed,
      coalesce(sum(l.amount_minor) filter (where l.kind = 'capture'), 0) as captured,
      coalesce(sum(l.amount_minor) filter (where l.kind in ('refund_promised', 'dispute_lost')), 0)
        - coalesce(sum(l.amount_minor) filter (where l.kind = 'refund_returned'), 0) as returned
    from registrations r
    left join ledger_entries l on l.registration_id = r.id
    where r.id = p_registration
      and es.sees_registration(r)
    group by r.id
  ) sums
$body$;

alter function es.sees_registration(registrations) owner to es_system;
alter function public.registration_paid(uuid) owner to es_system;
alter function public.registration_payment_state(uuid) owner to es_system;
revoke execute on function es.sees_registration(registrations) from public;
revoke execute on function public.registration_paid(uuid) from public;
revoke execute on function public.registration_payment_state(uuid) from public;
grant execute on function public.registration_paid(uuid) to es_public, es_attendee, es_member;
grant execute on function public.registration_payment_state(uuid) to es_public, es_attendee, es_member;
