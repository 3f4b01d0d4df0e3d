-- The data of the benches: 100 organizations, 10,000 events with 3 ticket types and 5 sessions each, 2,000 speakers,
-- 200,000 registrations, 300,000 tickets, a check-in for every other ticket. Deterministic: every value is made of row
-- numbers. Run as es_owner in one transaction on a migrated, empty database; `vacuum analyze` follows.
--
-- Foreign keys are checked row by row, and by a poor plan while nothing is known about a table: each is analyzed at
-- once.
--
-- Keys tell what they are of: 01900000-00tt-7000-8000-nnnnnnnnnnnn, tt the kind and n the row in decimal digits.

create function pg_temp.key(kind int, n bigint) returns uuid
language sql immutable
return ('01900000-00' || lpad(kind::text, 2, '0') || '-7000-8000-' || lpad(n::text, 12, '0'))::uuid;

-- A number from 0 to 1 that is always the same for the same two numbers.
create function pg_temp.dice(n bigint, salt int) returns double precision
language sql immutable
return (hashint8extended(n, salt) & 9007199254740991)::double precision / 9007199254740992;

insert into organizations (id, slug, name, country, time_zone, default_currency)
select pg_temp.key(1, n), 'house-' || n, 'House ' || n, 'DE', 'Europe/Berlin', 'EUR'
from generate_series(1, 100) as n;
analyze organizations;

insert into roles (org_id, key, name, description, permissions, built_in)
select pg_temp.key(1, n), 'owner', 'Owner', 'Everything.',
  (select array_agg(code order by code) from permissions where 'owner' = any (default_roles)), true
from generate_series(1, 100) as n;
analyze roles;

insert into branding (org_id)
select pg_temp.key(1, n)
from generate_series(1, 100) as n;
analyze branding;

insert into venues (id, org_id, name, address_line, city, postal_code, country, time_zone)
select pg_temp.key(2, n), pg_temp.key(1, (n - 1) / 5 + 1), 'Hall ' || n, 'Long Street ' || n, 'City ' || n % 40,
  lpad(n::text, 5, '0'), 'DE', 'Europe/Berlin'
from generate_series(1, 500) as n;
analyze venues;

insert into speakers (id, org_id, name, title, company, bio)
select pg_temp.key(3, n), pg_temp.key(1, (n - 1) / 20 + 1), 'Speaker ' || n, 'Head of Things ' || n % 90,
  'Company ' || n % 300, repeat('Somebody who knows a lot about very little. ', 3 + n % 4)
from generate_series(1, 2000) as n;
analyze speakers;

-- Event n belongs to organization n mod 100; those of 1 to 10 are the large ones, each in an organization of its own.
insert into events (
  id, org_id, venue_id, slug, title, summary, description, status, visibility, format, time_zone, currency, starts_at,
  ends_at, published_at
)
select
  pg_temp.key(4, n),
  pg_temp.key(1, (n - 1) % 100 + 1),
  case when n % 10 < 8 then pg_temp.key(2, (n - 1) % 100 * 5 + n % 5 + 1) end,
  'event-' || n,
  'Event ' || n || ' of many',
  'What event ' || n || ' is about, in a sentence or two that a list can show.',
  repeat('A paragraph about the event and why to come, as organizers write it. ', 8 + n % 8),
  case when n > 10 and n % 20 = 0 then 'draft' when n > 10 and n % 20 = 7 then 'completed' when n > 10 and n % 40 = 3 then 'cancelled' else 'published' end,
  case when n > 10 and n % 15 = 1 then 'unlisted' when n > 10 and n % 25 = 4 then 'private' else 'public' end,
  (array['in_person', 'in_person', 'hybrid', 'online'])[n % 4 + 1],
  'Europe/Berlin', 'EUR', s.starts_at, s.starts_at + interval '9 hours',
  case when n <= 10 or n % 20 <> 0 then timestamptz '2026-01-02 09:00+00' end
from generate_series(1, 10000) as n
cross join lateral (
  select timestamptz '2026-06-01 08:00+00' + make_interval(mins => (pg_temp.dice(n, 1) * 1000000)::int)
) as s (starts_at);
analyze events;

insert into occurrences (id, org_id, event_id, starts_at, ends_at)
select pg_temp.key(5, n), org_id, id, starts_at, ends_at
from generate_series(1, 10000) as n
join events on id = pg_temp.key(4, n);
analyze occurrences;

insert into sessions (id, org_id, event_id, occurrence_id, title, description, room, track, starts_at, ends_at, position)
select
  pg_temp.key(6, n), e.org_id, e.id, pg_temp.key(5, (n - 1) / 5 + 1), 'Session ' || n,
  repeat('What is said there, and to whom. ', 4), 'Room ' || n % 7, 'Track ' || n % 3,
  e.starts_at + make_interval(hours => ((n - 1) % 5)::int), e.starts_at + make_interval(hours => ((n - 1) % 5)::int + 1),
  ((n - 1) % 5)::int
from generate_series(1, 50000) as n
join events e on e.id = pg_temp.key(4, (n - 1) / 5 + 1);
analyze sessions;

-- One speaker or two, of the twenty of the organization.
insert into session_speakers (id, org_id, event_id, session_id, speaker_id, position)
select
  pg_temp.key(7, 2 * n + p), s.org_id, s.event_id, s.id,
  pg_temp.key(3, ((n - 1) / 5 % 100) * 20 + (n * 7 + p * 3) % 20 + 1), p
from generate_series(1, 50000) as n
join sessions s on s.id = pg_temp.key(6, n)
cross join generate_series(0, 1) as p
where p = 0 or n % 2 = 0;
analyze session_speakers;

insert into ticket_types (id, org_id, event_id, name, description, price_minor, currency, position, sales_start_at)
select
  pg_temp.key(8, n), e.org_id, e.id, (array['Standard', 'Reduced', 'Patron'])[(n - 1) % 3 + 1],
  'Includes everything but lunch.', (array[4900, 2900, 12900])[(n - 1) % 3 + 1] + n % 10 * 100, 'EUR', ((n - 1) % 3)::int,
  timestamptz '2026-01-02 09:00+00'
from generate_series(1, 30000) as n
join events e on e.id = pg_temp.key(4, (n - 1) / 3 + 1);
analyze ticket_types;

-- How many register: ten events above 5,000, some hundreds with some hundreds, the rest below 50.
create temporary table demand on commit drop as
with wanted as (
  select n, case when n <= 10 then 5100 + n * 211 when n % 100 = 11 then 250 + n % 7 * 20 else (n * 7919 % 22)::bigint end as registrations
  from generate_series(1, 10000) as n
),
spread as (
  select n, row_number() over (order by n) as place, count(*) over () as places
  from wanted
  where registrations < 25
),
missing as (
  select 200000 - sum(registrations)::bigint as left_over from wanted
)
select
  w.n,
  w.registrations + coalesce(m.left_over / s.places + (s.place <= m.left_over % s.places)::int, 0) as registrations
from wanted w
cross join missing m
left join spread s on s.n = w.n;

-- Numbered by the instant at which they were placed, so that those of one event lie apart, as in real life.
create temporary table visits on commit drop as
select
  row_number() over (order by placed_at, event, place) as n, event, place, placed_at
from (
  select d.n as event, place,
    timestamptz '2026-01-05 08:00+00' + make_interval(secs => pg_temp.dice(d.n * 100000 + place, 2) * 12000000) as placed_at
  from demand d, generate_series(1, d.registrations) as place
) as drawn;
alter table visits add primary key (n);
analyze visits;

insert into registrations (
  id, org_id, event_id, occurrence_id, confirmation_number, status, buyer_name, buyer_email, currency, total_minor,
  placed_at, confirmed_at, cancelled_at, cancel_reason, created_at, updated_at
)
select
  pg_temp.key(9, n), pg_temp.key(1, (event - 1) % 100 + 1), pg_temp.key(4, event), pg_temp.key(5, event),
  'REG-' || to_char(placed_at, 'YYYYMMDD') || '-' || lpad(n::text, 9, '0'),
  case when n % 25 = 0 then 'cancelled' else 'confirmed' end,
  'Buyer ' || n % 50000, 'buyer' || n % 50000 || '@guests.example', 'EUR', 0, placed_at,
  placed_at + interval '70 seconds', case when n % 25 = 0 then placed_at + interval '3 days' end,
  case when n % 25 = 0 then 'cannot come' end, placed_at, placed_at + interval '70 seconds'
from visits
order by n;
analyze registrations;

-- A thousand attendees in each organization.
insert into attendees (id, org_id, email, name)
select pg_temp.key(10, n), pg_temp.key(1, (n - 1) / 1000 + 1), 'guest' || n || '@guests.example', 'Guest ' || n
from generate_series(1, 100000) as n;
analyze attendees;

-- Every other registration has two places.
insert into registration_items (
  id, org_id, event_id, registration_id, ticket_type_id, attendee_id, position, price_minor, currency, created_at,
  updated_at
)
select
  pg_temp.key(11, 2 * v.n + p.place), t.org_id, t.event_id, pg_temp.key(9, v.n), t.id,
  pg_temp.key(10, (v.event - 1) % 100 * 1000 + (v.n * 7 + p.place) % 1000 + 1), p.place, t.price_minor, t.currency,
  v.placed_at, v.placed_at
from visits v
cross join generate_series(0, 1) as p (place)
join ticket_types t on t.id = pg_temp.key(8, (v.event - 1) * 3 + (v.n + p.place) % 3 + 1)
where p.place = 0 or v.n % 2 = 0
order by v.n, p.place;
analyze registration_items;

update registrations r
set total_minor = i.total
from (select registration_id, sum(price_minor) as total from registration_items group by registration_id) as i
where i.registration_id = r.id;

insert into tickets (
  id, org_id, event_id, registration_id, item_id, ticket_type_id, attendee_id, code, status, issued_at, created_at,
  updated_at
)
select
  pg_temp.key(12, place), i.org_id, i.event_id, i.registration_id, i.id, i.ticket_type_id, i.attendee_id,
  'v1.' || encode(sha256(i.id::text::bytea), 'hex') || encode(sha256(i.registration_id::text::bytea), 'hex'),
  case when r.status = 'confirmed' then 'valid' else 'cancelled' end, r.confirmed_at, r.confirmed_at, r.confirmed_at
from (select *, row_number() over (order by id) as place from registration_items) as i
join registrations r on r.id = i.registration_id
order by place;
analyze tickets;

insert into capacity_pools (id, org_id, event_id, name, capacity, claimed)
select pg_temp.key(13, n), e.org_id, e.id, 'Seats', (c.claimed + 20 + n % 80)::int, c.claimed::int
from generate_series(1, 10000) as n
join events e on e.id = pg_temp.key(4, n)
left join lateral (
  select count(*) as claimed from tickets t where t.event_id = e.id and t.status = 'valid'
) as c on true;
analyze capacity_pools;

insert into ticket_type_pools (id, org_id, event_id, ticket_type_id, pool_id, created_at)
select pg_temp.key(14, n), t.org_id, t.event_id, t.id, pg_temp.key(13, (n - 1) / 3 + 1), timestamptz '2026-01-01 00:00+00'
from generate_series(1, 30000) as n
join ticket_types t on t.id = pg_temp.key(8, n);
analyze ticket_type_pools;

insert into pool_claims (id, org_id, event_id, pool_id, registration_id, quantity, released_at, created_at)
select
  pg_temp.key(15, v.n), r.org_id, r.event_id, pg_temp.key(13, v.event), r.id, 1 + (v.n % 2 = 0)::int, r.cancelled_at,
  r.placed_at
from visits v
join registrations r on r.id = pg_temp.key(9, v.n)
order by v.n;
analyze pool_claims;

insert into check_in_lists (id, org_id, event_id, name)
select pg_temp.key(16, n), e.org_id, e.id, 'Main entrance'
from generate_series(1, 10000) as n
join events e on e.id = pg_temp.key(4, n);
analyze check_in_lists;

-- Every other ticket was scanned; one that was cancelled was refused.
insert into check_ins (
  id, org_id, event_id, list_id, ticket_id, direction, outcome, scanned_at, nonce, created_at, updated_at
)
select
  pg_temp.key(17, t.n), t.org_id, t.event_id, pg_temp.key(16, right(t.event_id::text, 12)::bigint), t.id, 'entry',
  case t.status when 'valid' then 'admitted' else 'cancelled' end, s.scanned_at, 'scan-' || lpad(t.n::text, 12, '0'),
  s.scanned_at, s.scanned_at
from (select *, row_number() over (order by id) as n from tickets) as t
join events e on e.id = t.event_id
cross join lateral (
  select e.starts_at + make_interval(secs => pg_temp.dice(t.n, 3) * 3600 - 1800)
) as s (scanned_at)
where t.n % 2 = 1
order by s.scanned_at;
analyze check_ins;
