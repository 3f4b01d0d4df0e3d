-- One sale, place and confirm, in one transaction and one flight, by the functions that serve one buyer.
\set a random(1, 9000000000000000000)
\set b random(1, 9000000000000000000)
\startpipeline
begin;
select set_config('es.user', '', true), set_config('es.org', '01900000-0001-7000-8000-000000000001', true),
  set_config('es.permissions', '', true), set_config('es.actor', 'anonymous', true), set_config('es.guest', '', true),
  set_config('es.revealed', '', true), set_config('role', 'es_attendee', true);
select public.confirm_registration(jsonb_build_object(
  'registration_id', placed.answer -> 'registration_id',
  'idempotency_key', :a || '-confirm-' || :b,
  'argument_hash', encode(sha256((:a || 'c' || :b)::text::bytea), 'hex'),
  'tickets', (
    select jsonb_agg(jsonb_build_object(
      'ticket_id', gen_random_uuid(), 'item_id', i.item_id, 'code', 'v1' || repeat('x', 130) || :a || '-' || :b
    ))
    from public.registration_items_to_issue((placed.answer ->> 'registration_id')::uuid) as i
  )
))
from (
  select public.place_registration(jsonb_build_object(
    'event_id', '01900000-0004-7000-8000-000000000001',
    'buyer', jsonb_build_object('name', 'Buyer ' || :a, 'email', 'buyer-' || :a || '@guests.example'),
    'items', jsonb_build_array(jsonb_build_object(
      'ticket_type_id', '01900000-0008-7000-8000-000000000001',
      'quantity', 1,
      'attendees', jsonb_build_array(jsonb_build_object('name', 'Guest ' || :a, 'email', 'guest-' || :a || '@guests.example'))
    )),
    'idempotency_key', :a || '-place-' || :b,
    'argument_hash', encode(sha256((:a || 'p' || :b)::text::bytea), 'hex'),
    'guest_secret_hash', encode(sha256((:a || 's' || :b)::text::bytea), 'hex')
  )) as answer
  offset 0
) as placed;
commit;
\endpipeline
