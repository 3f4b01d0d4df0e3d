\set event 30 * random(0, 332) + 5
\startpipeline
begin read only;
select set_config('es.user', '', true), set_config('es.org', '', true), set_config('es.permissions', '', true),
  set_config('es.actor', 'anonymous', true), set_config('es.guest', '', true), set_config('es.revealed', '', true),
  set_config('role', 'es_public', true);
select json_build_object('event', (
  select json_build_object(
    'id', e.id, 'slug', e.slug, 'title', e.title, 'summary', e.summary, 'description', e.description,
    'status', e.status, 'format', e.format, 'timeZone', e.time_zone, 'startsAt', e.starts_at, 'endsAt', e.ends_at,
    'organization', (
      select json_build_object('id', o.id, 'slug', o.slug, 'name', o.name)
      from organizations o
      where o.id = e.org_id
    ),
    'ticketTypes', json_build_object('nodes', (
      select coalesce(json_agg(json_build_object(
        'id', t.id, 'name', t.name, 'description', t.description,
        'price', json_build_object('minorUnits', t.price_minor::text, 'currencyCode', t.currency),
        'salesStartAt', t.sales_start_at, 'salesEndAt', t.sales_end_at
      )), '[]')
      from (select * from ticket_types t where t.event_id = e.id order by t.position, t.id limit 10) as t
    )),
    'sessions', json_build_object('nodes', (
      select coalesce(json_agg(json_build_object(
        'id', s.id, 'title', s.title, 'room', s.room, 'track', s.track, 'startsAt', s.starts_at, 'endsAt', s.ends_at,
        'sessionSpeakers', json_build_object('nodes', (
          select coalesce(json_agg(json_build_object('speaker', (
            select json_build_object('id', p.id, 'name', p.name, 'title', p.title, 'company', p.company)
            from speakers p
            where p.id = l.speaker_id
          ))), '[]')
          from (
            select l.speaker_id
            from session_speakers l
            where l.session_id = s.id
            order by l.position, l.id
            limit 5
          ) as l
        ))
      )), '[]')
      from (select * from sessions s where s.event_id = e.id order by s.starts_at, s.id limit 30) as s
    ))
  )
  from events e
  where e.id = ('01900000-0004-7000-8000-' || lpad(:event::text, 12, '0'))::uuid
));
commit;
\endpipeline
