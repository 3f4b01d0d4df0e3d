\set event random(1, 10)
\set days random(40, 138)
\startpipeline
begin read only;
select set_config('es.user', '{user}', true),
  set_config('es.org', '01900000-0001-7000-8000-' || lpad(:event::text, 12, '0'), true),
  set_config('es.permissions', replace('{permissions}', '.', chr(58)), true), set_config('es.actor', 'user' || chr(58) || '{user}', true),
  set_config('es.guest', '', true), set_config('es.revealed', '', true), set_config('role', 'es_member', true);
select json_build_object('event', (
  select json_build_object(
    'id', e.id, 'title', e.title,
    'registrations', json_build_object(
      'totalCount', (
        select count(*)
        from registrations r
        where r.event_id = e.id
          and r.placed_at < timestamptz '20260105T080000Z' + :days * interval '1 day'
      ),
      'nodes', (
        select coalesce(json_agg(json_build_object(
          'id', r.id, 'confirmationNumber', r.confirmation_number, 'status', r.status, 'buyerName', r.buyer_name,
          'buyerEmail', r.buyer_email, 'placedAt', r.placed_at,
          'total', json_build_object('minorUnits', r.total_minor::text, 'currencyCode', r.currency),
          'tickets', json_build_object('nodes', (
            select coalesce(json_agg(json_build_object(
              'id', t.id, 'code', t.code, 'status', t.status, 'issuedAt', t.issued_at,
              'ticketType', (
                select json_build_object('id', k.id, 'name', k.name) from ticket_types k where k.id = t.ticket_type_id
              ),
              'checkIns', json_build_object('nodes', (
                select coalesce(json_agg(json_build_object(
                  'id', c.id, 'direction', c.direction, 'outcome', c.outcome, 'scannedAt', c.scanned_at
                )), '[]')
                from (
                  select * from check_ins c where c.ticket_id = t.id order by c.scanned_at desc, c.id desc limit 5
                ) as c
              ))
            )), '[]')
            from (
              select * from tickets t where t.registration_id = r.id order by t.issued_at desc, t.id desc limit 10
            ) as t
          ))
        )), '[]')
        from (
          select *
          from registrations r
          where r.event_id = e.id
            and r.placed_at < timestamptz '20260105T080000Z' + :days * interval '1 day'
          order by r.placed_at desc, r.id desc
          limit 50
        ) as r
      )
    )
  )
  from events e
  where e.id = ('01900000-0004-7000-8000-' || lpad(:event::text, 12, '0'))::uuid
));
commit;
\endpipeline
