-- Two groups of twenty public events: those of 2030 have 100 sessions each, those of 2031 have 10,000.

insert into organizations (id, slug, name)
values ('01900000-0001-7000-8000-000000000001', 'house-1', 'House 1');

insert into events (id, org_id, slug, title, status, visibility, format, time_zone, currency, starts_at, ends_at)
select
  ('01900000-0004-7000-8000-' || lpad(n::text, 12, '0'))::uuid, '01900000-0001-7000-8000-000000000001', 'event-' || n,
  'Event ' || n, 'published', 'public', 'online', 'UTC', 'EUR', s.starts_at, s.starts_at + interval '9 hours'
from generate_series(1, 40) as n
cross join lateral (
  select make_timestamptz(case when n <= 20 then 2030 else 2031 end, 3, n % 20 + 1, 9, 0, 0, 'UTC')
) as s (starts_at);

insert into sessions (id, org_id, event_id, title, starts_at, ends_at, position)
select
  gen_random_uuid(), e.org_id, e.id, 'Session ' || place, e.starts_at + make_interval(secs => place),
  e.starts_at + make_interval(secs => place + 60), place
from events e
cross join lateral generate_series(1, case when e.starts_at < '2031-01-01' then 100 else 10000 end) as place;
