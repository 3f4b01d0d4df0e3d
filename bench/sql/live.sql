-- What the bench of subscriptions watches: 100 organizations with two events each, 1 to 100 on sale and watched while they
-- sell, 101 to 200 watched while nothing happens. Run as es_owner in one transaction on a migrated, empty database.
--
-- Keys tell what they are of, as in dataset.sql.

create function pg_temp.key(kind int, n bigint) returns uuid
language sql immutable
return ('01900000-00' || lpad(kind::text, 2, '0') || '-7000-8000-' || lpad(n::text, 12, '0'))::uuid;

insert into organizations (id, slug, name, country, time_zone, default_currency)
select pg_temp.key(1, n), 'house-' || n, 'House ' || n, 'DE', 'Europe/Berlin', 'EUR'
from generate_series(1, 100) as n;

insert into roles (org_id, key, name, description, permissions, built_in)
select pg_temp.key(1, n), 'owner', 'Owner', 'Everything.',
  (select array_agg(code order by code) from permissions where 'owner' = any (default_roles)), true
from generate_series(1, 100) as n;

insert into branding (org_id)
select pg_temp.key(1, n)
from generate_series(1, 100) as n;

insert into events (
  id, org_id, slug, title, summary, description, status, visibility, format, time_zone, currency, starts_at, ends_at,
  published_at
)
select
  pg_temp.key(4, n), pg_temp.key(1, 1 + (n - 1) % 100), 'event-' || n, 'Event ' || n, 'What event ' || n || ' is about.',
  repeat('A paragraph about the event and why to come, as organizers write it. ', 8 + n % 8),
  'published', 'public', 'in_person', 'Europe/Berlin', 'EUR', now() + interval '90 days', now() + interval '91 days', now()
from generate_series(1, 200) as n;

insert into occurrences (id, org_id, event_id, starts_at, ends_at)
select pg_temp.key(5, n), org_id, id, starts_at, ends_at
from generate_series(1, 200) as n
join events on id = pg_temp.key(4, n);

insert into ticket_types (id, org_id, event_id, name, description, price_minor, currency)
select pg_temp.key(8, n), e.org_id, e.id, 'Standard', 'Includes everything but lunch.', 0, 'EUR'
from generate_series(1, 200) as n
join events e on e.id = pg_temp.key(4, n);

insert into capacity_pools (id, org_id, event_id, name, capacity)
select pg_temp.key(13, n), e.org_id, e.id, 'Seats', 10000000
from generate_series(1, 200) as n
join events e on e.id = pg_temp.key(4, n);

insert into ticket_type_pools (org_id, event_id, ticket_type_id, pool_id)
select e.org_id, e.id, pg_temp.key(8, n), pg_temp.key(13, n)
from generate_series(1, 200) as n
join events e on e.id = pg_temp.key(4, n);
