\set days random(0, 599)
\startpipeline
begin read only;
select set_config('es.user', '', true), set_config('es.org', '', true), set_config('es.permissions', '', true),
  set_config('es.actor', 'anonymous', true), set_config('es.guest', '', true), set_config('es.revealed', '', true),
  set_config('role', 'es_public', true);
select json_build_object('events', json_build_object('nodes', (
  select coalesce(json_agg(json_build_object(
    'id', e.id, 'slug', e.slug, 'title', e.title, 'summary', e.summary, 'format', e.format, 'startsAt', e.starts_at,
    'endsAt', e.ends_at,
    'organization', (
      select json_build_object('id', o.id, 'slug', o.slug, 'name', o.name)
      from organizations o
      where o.id = e.org_id
    ),
    'ticketTypes', json_build_object('nodes', (
      select coalesce(json_agg(json_build_object(
        'id', t.id, 'name', t.name,
        'price', json_build_object('minorUnits', t.price_minor::text, 'currencyCode', t.currency)
      )), '[]')
      from (select * from ticket_types t where t.event_id = e.id order by t.position, t.id limit 10) as t
    ))
  )), '[]')
  from (
    select *
    from events e
    where e.status = 'published'
      and e.starts_at >= timestamptz '20260601T000000Z' + :days * interval '1 day'
    order by e.starts_at, e.id
    limit 20
  ) as e
)));
commit;
\endpipeline
