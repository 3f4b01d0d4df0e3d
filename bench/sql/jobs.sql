-- Whose jobs the bench of jobs runs: a hundred organizations. Run as es_owner in one transaction on a migrated, empty
-- database.

insert into organizations (id, slug, name, country, time_zone, default_currency)
select ('01900000-0001-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'house-' || n, 'House ' || n, 'DE', 'Europe/Berlin', 'EUR'
from generate_series(1, 100) as n;
