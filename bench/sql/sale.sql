-- What the bench of the sale sells: 13 organizations. 1 has one event with a pool that is never empty, 2 to 11 have ten
-- each, 12 has the event whose page is asked beside the sale, 13 has ten events of 2,000 places each. Nothing is sold
-- yet. Run as es_owner in one transaction on a migrated, empty database; `vacuum analyze` follows.
--
-- Keys tell what they are of, as in dataset.sql.

create function pg_temp.key(kind int, n bigint) returns uuid
language sql immutable
return ('01900000-00' || lpad(kind::text, 2, '0') || '-7000-8000-' || lpad(n::text, 12, '0'))::uuid;

insert into organizations (id, slug, name, country, time_zone, default_currency)
select pg_temp.key(1, n), 'house-' || n, 'House ' || n, 'DE', 'Europe/Berlin', 'EUR'
from generate_series(1, 13) as n;

insert into roles (org_id, key, name, description, permissions, built_in)
select pg_temp.key(1, n), 'owner', 'Owner', 'Everything.',
  (select array_agg(code order by code) from permissions where 'owner' = any (default_roles)), true
from generate_series(1, 13) as n;

insert into branding (org_id)
select pg_temp.key(1, n)
from generate_series(1, 13) as n;

insert into speakers (id, org_id, name, title, company, bio)
select pg_temp.key(3, n), pg_temp.key(1, 12), 'Speaker ' || n, 'Head of Things ' || n, 'Company ' || n,
  repeat('Somebody who knows a lot about very little. ', 3 + n % 4)
from generate_series(1, 20) as n;

-- 1 is the hot one, 2 to 101 are spread, 102 is beside, 103 to 112 are scarce.
insert into events (
  id, org_id, slug, title, summary, description, status, visibility, format, time_zone, currency, starts_at, ends_at,
  published_at
)
select
  pg_temp.key(4, n),
  pg_temp.key(1, case when n = 1 then 1 when n <= 101 then 2 + (n - 2) / 10 when n = 102 then 12 else 13 end),
  'event-' || n, 'Event ' || n, 'What event ' || n || ' is about, in a sentence or two that a list can show.',
  repeat('A paragraph about the event and why to come, as organizers write it. ', 8 + n % 8),
  'published', 'public', 'in_person', 'Europe/Berlin', 'EUR', now() + interval '90 days', now() + interval '91 days',
  now()
from generate_series(1, 112) as n;

insert into occurrences (id, org_id, event_id, starts_at, ends_at)
select pg_temp.key(5, n), org_id, id, starts_at, ends_at
from generate_series(1, 112) as n
join events on id = pg_temp.key(4, n);

insert into sessions (id, org_id, event_id, occurrence_id, title, description, room, track, starts_at, ends_at, position)
select
  pg_temp.key(6, n), e.org_id, e.id, pg_temp.key(5, 102), 'Session ' || n, repeat('What is said there, and to whom. ', 4),
  'Room ' || n % 7, 'Track ' || n % 3, e.starts_at + make_interval(hours => n), e.starts_at + make_interval(hours => n + 1), n
from generate_series(1, 5) as n
join events e on e.id = pg_temp.key(4, 102);

insert into session_speakers (org_id, event_id, session_id, speaker_id, position)
select s.org_id, s.event_id, s.id, pg_temp.key(3, s.position * 3 + p), p
from sessions s
cross join generate_series(0, 1) as p;

insert into ticket_types (id, org_id, event_id, name, description, price_minor, currency)
select pg_temp.key(8, n), e.org_id, e.id, 'Standard', 'Includes everything but lunch.', 0, 'EUR'
from generate_series(1, 112) as n
join events e on e.id = pg_temp.key(4, n);

insert into capacity_pools (id, org_id, event_id, name, capacity)
select pg_temp.key(13, n), e.org_id, e.id, 'Seats', case when n <= 102 then 10000000 else 2000 end
from generate_series(1, 112) as n
join events e on e.id = pg_temp.key(4, n);

insert into ticket_type_pools (org_id, event_id, ticket_type_id, pool_id)
select e.org_id, e.id, pg_temp.key(8, n), pg_temp.key(13, n)
from generate_series(1, 112) as n
join events e on e.id = pg_temp.key(4, n);
