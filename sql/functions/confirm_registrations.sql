-- Confirms the holds of many buyers at one organization in one transaction: what confirm_registration does for each,
-- with checks and writes in statements over all of them, and one flush of the log.
-- Batch: [{actor, user_id?, guest_hashes?: [hex], request}], in the order in which they came; the request as
-- confirm_registration takes it, with a key, and with tickets signed for the items. Buyers only: no member's
-- permissions are looked at.
-- Answer: [{outcome}] in the same order: what confirm_registration would answer, or {"outcome": "key_conflict"} (ES409).
-- Here free holds become confirmed whose buyers have nothing more to say. All others are asked of es.try_to_confirm,
-- in this transaction, after them.
-- Called from: the counter of the sale, as es_system in the buyers' organization; see place_registrations.
-- Raises: ES404 without an organization; ES400 when tickets do not match the items. Any error is of all of them: the
-- caller rolls back and asks one by one.

-- Locks the registrations that the requests name, in the order of their ids, and gives those that can be confirmed as
-- they stand; a registration that is named twice, once. Their time is judged after the lock.
create or replace function es.lock_holds(p_batch jsonb, p_keys uuid[])
returns es.confirmation[]
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_holds es.confirmation[];
  v_now timestamptz;
begin
  -- Under row level security only values that are ready are looked up in an index; hence materialized.
  with asked as materialized (
    select
      b.n::integer, b.item ->> 'actor' as actor, p_keys[b.n] as key_id,
      (b.item #>> '{request,registration_id}')::uuid as registration_id,
      (b.item ->> 'user_id')::uuid as user_id,
      array(
        select decode(h.hash, 'hex')
        from jsonb_array_elements_text(b.item -> 'guest_hashes') as h (hash)
        limit 10
      ) as guest_hashes,
      b.item #> '{request,attendees}' as attendees,
      b.item #> '{request,tickets}' as tickets
    from jsonb_array_elements(p_batch) with ordinality as b (item, n)
    where p_keys[b.n] is not null
  )
  select array_agg(row(l.n, l.actor, l.key_id, l.id, l.event_id, l.expires_at, l.tickets)::es.confirmation order by l.n)
  into v_holds
  from (
    select f.*, row_number() over (partition by f.id order by f.n) as turn
    from (
      select
        a.*, r.id, r.event_id, r.user_id as buyer, r.status, r.total_minor, r.expires_at
      from asked a
      join registrations r on r.id = a.registration_id
      order by r.id
      for no key update of r
    ) f
  ) l
  where l.turn = 1
    and l.status = 'held'
    and l.total_minor = 0
    and coalesce(l.attendees, '[]') in ('[]', 'null')
    and jsonb_typeof(l.tickets) = 'array'
    and (
      l.buyer = l.user_id
      or exists (
        select
        from registration_secrets s
        where s.registration_id = l.id
          and s.secret_hash = any (l.guest_hashes)
      )
    )
    and not (select e.requires_approval from events e where e.id = l.event_id);

  v_now := es.clock();
  if exists (select from unnest(v_holds) as h where h.expires_at <= v_now) then
    select array_agg(h order by h.n)
    into v_holds
    from unnest(v_holds) as h
    where h.expires_at > v_now;
  end if;
  return v_holds;
end
$body$;

-- Confirms locked holds that were found fit for it: as es.apply_confirmation does for one. Outcomes by place.
create or replace function es.confirm_holds(p_holds es.confirmation[])
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_now constant timestamptz := es.clock();
  v_registrations constant uuid[] := array(select h.registration_id from unnest(p_holds) as h);
  v_given bigint;
  v_issued bigint;
  v_items bigint;
begin
  update registrations r
  set
    status = 'confirmed',
    expires_at = null,
    confirmed_at = v_now
  where r.id = any (v_registrations);

  -- R3: from here on the stock is kept until somebody sets the registration to expired.
  update pool_claims c
  set expires_at = null
  where c.registration_id = any (v_registrations)
    and c.released_at is null;

  with given as materialized (
    select
      h.n, h.registration_id,
      (t.ticket ->> 'ticket_id')::uuid as ticket_id,
      (t.ticket ->> 'item_id')::uuid as item_id,
      t.ticket ->> 'code' as code
    from unnest(p_holds) as h
    cross join lateral jsonb_array_elements(h.tickets) as t (ticket)
  ),
  issued as (
    insert into tickets (id, org_id, event_id, registration_id, item_id, ticket_type_id, attendee_id, code, issued_at)
    select
      g.ticket_id, v_org, i.event_id, i.registration_id, i.id, i.ticket_type_id, i.attendee_id, g.code, v_now
    from given g
    cross join lateral (
      select found.*
      from registration_items found
      where found.id = g.item_id
        and found.registration_id = g.registration_id
        and found.cancelled_at is null
      limit 1
    ) i
    order by g.n, i.position
    returning id, event_id, registration_id, item_id
  ),
  numbered as (
    insert into outbox_sequences (org_id, object_type, object_id, last_sequence)
    select v_org, 'ticket', i.id, 1
    from issued i
  ),
  told as (
    insert into outbox (org_id, type, object_type, object_id, sequence, payload)
    select
      v_org, 'ticket.issued', 'ticket', i.id, 1,
      jsonb_build_object('event_id', i.event_id, 'registration_id', i.registration_id, 'item_id', i.item_id)
    from issued i
  )
  select count(*)
  into v_issued
  from issued;
  -- tickets_live_item_key keeps an item from getting two, so equal numbers mean one each.
  select sum(jsonb_array_length(h.tickets)) into v_given from unnest(p_holds) as h;
  select count(*)
  into v_items
  from registration_items i
  where i.registration_id = any (v_registrations)
    and i.cancelled_at is null;
  if v_issued <> v_items or v_issued <> v_given then
    raise exception 'tickets do not match the items of the registrations' using errcode = 'ES400';
  end if;

  with numbered as (
    insert into outbox_sequences as known (org_id, object_type, object_id, last_sequence)
    select v_org, 'registration', h.registration_id, 1
    from unnest(p_holds) as h
    order by h.registration_id
    on conflict (org_id, object_type, object_id) do update
    set last_sequence = known.last_sequence + 1
    returning known.object_id, known.last_sequence
  )
  insert into outbox (org_id, type, object_type, object_id, sequence, payload)
  select
    v_org, 'registration.confirmed', 'registration', s.object_id, s.last_sequence,
    jsonb_build_object('event_id', h.event_id) || coalesce(
      (
        select jsonb_build_object('source', es.source_texts(f))
        from registrations r
        join registration_sources f on f.id = r.source_id
        where r.id = h.registration_id
      ),
      '{}'
    )
  from numbered s
  join unnest(p_holds) as h on h.registration_id = s.object_id
  order by h.n;

  insert into audit_log (org_id, actor, action, object_type, object_id, before, after)
  select
    v_org, h.actor, 'registration.confirmed', 'registration', h.registration_id,
    '{"status": "held"}', '{"status": "confirmed"}'
  from unnest(p_holds) as h
  order by h.n;

  return (
    select jsonb_object_agg(h.n, jsonb_build_object(
      'outcome', 'confirmed', 'registration_id', h.registration_id, 'status', 'confirmed',
      'expires_at', null, 'already', false
    ))
    from unnest(p_holds) as h
  );
end
$body$;

-- One request of a batch by itself, its key taken already or, if it came twice, not.
create or replace function es.confirm_alone(p_item jsonb, p_key uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_request constant jsonb := p_item -> 'request';
  v_outcome jsonb;
begin
  if p_key is null then
    return es.batch_twin(
      'confirm_registration', p_item ->> 'actor', v_request ->> 'idempotency_key', v_request ->> 'argument_hash'
    );
  end if;
  perform es.batch_act_as(
    p_item ->> 'actor',
    (p_item ->> 'user_id')::uuid,
    (
      select array_agg(decode(h.hash, 'hex'))
      from jsonb_array_elements_text(p_item -> 'guest_hashes') as h (hash)
    )
  );
  v_outcome := es.try_to_confirm(v_request);
  update idempotency_keys k
  set outcome = v_outcome
  where k.id = p_key;
  return v_outcome;
end
$body$;

create or replace function public.confirm_registrations(p_batch jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
-- As in place_registrations.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $body$
declare
  v_keys record;
  v_holds es.confirmation[];
  v_outcomes jsonb := '{}';
  v_answers jsonb;
  v_other record;
begin
  if es.current_org() is null then
    raise exception 'no such organization' using errcode = 'ES404';
  end if;
  select k.*
  into v_keys
  from (
    select
      array_agg(es.batch_actor(b.item ->> 'actor') order by b.n) as actors,
      array_agg(b.item #>> '{request,idempotency_key}' order by b.n) as keys,
      array_agg(b.item #>> '{request,argument_hash}' order by b.n) as hashes
    from jsonb_array_elements(p_batch) with ordinality as b (item, n)
  ) a
  cross join lateral es.batch_keys('confirm_registration', a.actors, a.keys, a.hashes) k;

  v_holds := es.lock_holds(p_batch, v_keys.ids);
  if v_holds is not null then
    v_outcomes := es.confirm_holds(v_holds);
    update idempotency_keys k
    set outcome = v_outcomes -> array_position(v_keys.ids, k.id)::text
    where k.id = any (v_keys.ids)
      and v_outcomes ? array_position(v_keys.ids, k.id)::text;
  end if;
  select jsonb_agg(jsonb_build_object('outcome', coalesce(v_keys.answers[g.n], v_outcomes -> g.n::text)) order by g.n)
  into v_answers
  from generate_series(1, jsonb_array_length(p_batch)) as g (n);

  for v_other in
    select b.n, b.item
    from jsonb_array_elements(p_batch) with ordinality as b (item, n)
    where v_answers -> (b.n - 1)::integer -> 'outcome' = 'null'
    order by b.n
  loop
    v_answers := jsonb_set(
      v_answers,
      array[(v_other.n - 1)::text, 'outcome'],
      es.confirm_alone(v_other.item, v_keys.ids[v_other.n])
    );
  end loop;
  return v_answers;
end
$body$;

alter function es.lock_holds(jsonb, uuid[]) owner to es_verbs;
alter function es.confirm_holds(es.confirmation[]) owner to es_verbs;
alter function es.confirm_alone(jsonb, uuid) owner to es_verbs;
alter function public.confirm_registrations(jsonb) owner to es_verbs;
revoke execute on function es.lock_holds(jsonb, uuid[]) from public;
revoke execute on function es.confirm_holds(es.confirmation[]) from public;
revoke execute on function es.confirm_alone(jsonb, uuid) from public;
revoke execute on function public.confirm_registrations(jsonb) from public;
grant execute on function public.confirm_registrations(jsonb) to es_system;
