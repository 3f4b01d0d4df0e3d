-- Holds the books against what payment providers say moved. It reports and changes nothing: what to do about a difference is
-- for people.
-- start_reconciliation: {account_id, from?, to?, idempotency_key?, argument_hash? (hex)}: payments that were begun in that
--   time, at most 92 days; the last three days when left out. What moved in the last minutes may still be on its way, so it
--   ends ten minutes ago.
--   Outcomes: started (reconciliation_id), payment_account_not_found, invalid (field, message).
--   Who may: members with payments:write.
-- due_reconciliations: {}. Starts one for each account that took money in the last three days. Answers how many. Crosses
--   tenants, as the clock does.
-- reconciliation_to_do: {reconciliation_id}. Answers {account_id, from, to, payments: [ids]}, or null when it is over.
-- finish_reconciliation: {reconciliation_id, whole: whether the provider listed all, listed: [{payment_id?, provider_reference,
--   captured_minor, refunded_minor?, disputed_minor?, currency}]}. Sums that are not said are not compared.
--   Outcomes: done (compared, differing), over.
-- fail_reconciliation: {reconciliation_id, failure}.
-- Called from: the verb reconcilePayments; the jobs payments.reconcile and payments.reconcile_all, as es_system.
-- Raises: ES403; ES400 and ES409 as es.idempotency_begin; 22P02.

create or replace function es.open_reconciliation(p_org uuid, p_account uuid, p_from timestamptz, p_to timestamptz)
returns uuid
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_id uuid;
begin
  insert into reconciliations (org_id, account_id, from_at, to_at)
  values (p_org, p_account, p_from, p_to)
  returning id into v_id;
  perform es.enqueue_jobs(jsonb_build_array(jsonb_build_object(
    'kind', 'payments.reconcile', 'org_id', p_org, 'payload', jsonb_build_object('reconciliation_id', v_id), 'key', v_id
  )));
  return v_id;
end
$body$;

create or replace function es.try_to_start_reconciliation(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_to constant timestamptz := coalesce((p_request ->> 'to')::timestamptz, v_now - interval '10 minutes');
  v_from constant timestamptz := coalesce((p_request ->> 'from')::timestamptz, v_to - interval '3 days');
  v_account uuid;
begin
  select a.id
  into v_account
  from payment_accounts a
  where a.id = (p_request ->> 'account_id')::uuid
    and a.org_id = es.current_org();
  if not found then
    return jsonb_build_object('outcome', 'payment_account_not_found');
  end if;
  if v_from >= v_to or v_to - v_from > interval '92 days' or v_to > v_now then
    return jsonb_build_object(
      'outcome', 'invalid', 'field', 'to', 'message', 'the time begins before it ends, has ended, and is at most 92 days long'
    );
  end if;
  return jsonb_build_object(
    'outcome', 'started', 'reconciliation_id', es.open_reconciliation(es.current_org(), v_account, v_from, v_to)
  );
end
$body$;

create or replace function public.start_reconciliation(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  perform es.demand_permission('payments:write');
  v_told := es.told_before('start_reconciliation', p_request);
  return coalesce(v_told, es.tell('start_reconciliation', p_request, es.try_to_start_reconciliation(p_request)));
end
$body$;

create or replace function public.due_reconciliations(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_to constant timestamptz := es.clock() - interval '10 minutes';
  v_from constant timestamptz := v_to - interval '3 days';
  v_started integer;
begin
  select count(es.open_reconciliation(a.org_id, a.id, v_from, v_to))
  into v_started
  from payment_accounts a
  where exists (
    select
    from payments p
    where p.account_id = a.id
      and p.created_at >= v_from
  );
  return jsonb_build_object('started', v_started);
end
$body$;

create or replace function public.reconciliation_to_do(p_request jsonb)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select jsonb_build_object(
    'account_id', c.account_id, 'from', c.from_at, 'to', c.to_at,
    'payments', (
      select coalesce(jsonb_agg(p.id order by p.created_at, p.id), '[]')
      from payments p
      where p.account_id = c.account_id
        and p.created_at >= c.from_at
        and p.created_at < c.to_at
    )
  )
  from reconciliations c
  where c.id = (p_request ->> 'reconciliation_id')::uuid
    and c.org_id = es.current_org()
    and c.status = 'running'
$body$;

-- What the books say of each payment of that account, beside what the provider says. A payment that was begun near the ends
-- of the time may be on one side only, because two clocks are never the same: what is missing on the other side is told
-- only well inside.
create or replace function es.compare_payments(p_run reconciliations, p_listed jsonb, p_whole boolean)
returns table (kind text, payment_id uuid, provider_reference text, ours_minor bigint, theirs_minor bigint, currency text)
language sql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
  with theirs as (
    select
      coalesce(
        (
          select p.id
          from payments p
          where p.account_id = p_run.account_id
            and p.provider_reference = l.provider_reference
        ),
        (select p.id from payments p where p.account_id = p_run.account_id and p.id = l.payment_id)
      ) as id,
      l.*
    from jsonb_to_recordset(p_listed) as l (
      payment_id uuid, provider_reference text, captured_minor bigint, refunded_minor bigint, disputed_minor bigint,
      currency text
    )
  ),
  ours as (
    select
      p.id, p.provider_reference, p.currency, p.created_at,
      coalesce(sum(e.amount_minor) filter (where e.kind = 'capture'), 0)::bigint as captured,
      coalesce(sum(e.amount_minor) filter (where e.kind = 'refund_paid'), 0)::bigint as refunded,
      coalesce(
        sum(
          case e.kind when 'dispute_withdrawn' then e.amount_minor when 'dispute_returned' then -e.amount_minor else 0 end
        ),
        0
      )::bigint as disputed
    from payments p
    left join ledger_entries e on e.payment_id = p.id
    where p.account_id = p_run.account_id
      and (
        p.id in (select t.id from theirs t)
        or (p.created_at >= p_run.from_at and p.created_at < p_run.to_at)
      )
    group by p.id
  )
  select
    'unknown_here', null::uuid, t.provider_reference, 0::bigint, t.captured_minor, t.currency
  from theirs t
  where t.id is null
    and t.captured_minor > 0

  union all
  select 'unknown_there', o.id, o.provider_reference, o.captured, 0, o.currency
  from ours o
  left join theirs t on t.id = o.id
  where t.id is null
    and o.captured > 0
    and (
      not p_whole
      or (o.created_at >= p_run.from_at + interval '10 minutes' and o.created_at < p_run.to_at - interval '10 minutes')
    )

  union all
  select s.kind, o.id, t.provider_reference, s.ours, s.theirs, t.currency
  from ours o
  join theirs t on t.id = o.id
  cross join lateral (
    values
      ('captured', o.captured, t.captured_minor),
      ('refunded', o.refunded, t.refunded_minor),
      ('disputed', o.disputed, t.disputed_minor)
  ) as s (kind, ours, theirs)
  where s.ours <> s.theirs

  union all
  select 'currency', o.id, t.provider_reference, o.captured, t.captured_minor, t.currency
  from ours o
  join theirs t on t.id = o.id
  where t.currency <> o.currency
$body$;

create or replace function public.finish_reconciliation(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_run reconciliations;
  v_differing integer;
begin
  select c.*
  into v_run
  from reconciliations c
  where c.id = (p_request ->> 'reconciliation_id')::uuid
    and c.org_id = es.current_org()
  for no key update;
  if v_run.status is distinct from 'running' then
    return jsonb_build_object('outcome', 'over');
  end if;
  insert into reconciliation_differences (
    org_id, reconciliation_id, kind, payment_id, provider_reference, ours_minor, theirs_minor, currency
  )
  select v_run.org_id, v_run.id, d.kind, d.payment_id, d.provider_reference, d.ours_minor, d.theirs_minor, d.currency
  from es.compare_payments(v_run, p_request -> 'listed', (p_request ->> 'whole')::boolean) d;
  get diagnostics v_differing = row_count;
  update reconciliations c
  set
    status = 'done',
    whole = (p_request ->> 'whole')::boolean,
    compared = jsonb_array_length(p_request -> 'listed'),
    differing = v_differing,
    finished_at = es.clock()
  where c.id = v_run.id;
  return jsonb_build_object(
    'outcome', 'done', 'compared', jsonb_array_length(p_request -> 'listed'), 'differing', v_differing
  );
end
$body$;

create or replace function public.fail_reconciliation(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  update reconciliations c
  set
    status = 'failed',
    failure = left(p_request ->> 'failure', 200),
    finished_at = es.clock()
  where c.id = (p_request ->> 'reconciliation_id')::uuid
    and c.org_id = es.current_org()
    and c.status = 'running';
  return jsonb_build_object('outcome', 'failed');
end
$body$;

alter function es.open_reconciliation(uuid, uuid, timestamptz, timestamptz) owner to es_verbs;
alter function es.try_to_start_reconciliation(jsonb) owner to es_verbs;
alter function public.start_reconciliation(jsonb) owner to es_verbs;
alter function public.due_reconciliations(jsonb) owner to es_system;
alter function public.reconciliation_to_do(jsonb) owner to es_verbs;
alter function es.compare_payments(reconciliations, jsonb, boolean) owner to es_verbs;
alter function public.finish_reconciliation(jsonb) owner to es_verbs;
alter function public.fail_reconciliation(jsonb) owner to es_verbs;
revoke execute on function es.open_reconciliation(uuid, uuid, timestamptz, timestamptz) from public;
revoke execute on function es.try_to_start_reconciliation(jsonb) from public;
revoke execute on function public.start_reconciliation(jsonb) from public;
revoke execute on function public.due_reconciliations(jsonb) from public;
revoke execute on function public.reconciliation_to_do(jsonb) from public;
revoke execute on function es.compare_payments(reconciliations, jsonb, boolean) from public;
revoke execute on function public.finish_reconciliation(jsonb) from public;
revoke execute on function public.fail_reconciliation(jsonb) from public;
grant execute on function es.open_reconciliation(uuid, uuid, timestamptz, timestamptz) to es_system;
grant execute on function public.start_reconciliation(jsonb) to es_member;
grant execute on function public.reconciliation_to_do(jsonb) to es_system;
grant execute on function public.finish_reconciliation(jsonb) to es_system;
grant execute on function public.fail_reconciliation(jsonb) to es_system;
