-- What was passed on, in its order: for those who tell it to people that watch. Positions may have gaps.
-- Request: {after: position, limit: rows looked at, types: [text]; to replay for somebody also upto: position, of: [uuid],
--   most: events}.
-- Answer: {upto: everything up to there was looked at, head: the last position, oldest: the first that is still kept,
--   items: [[position, id, organization, type, version, at, object, event, registration]]}, the oldest first. With `of` only
--   what is about one of these: the object, its event, its registration, or the organization.
-- Called from: the follower of each process that has somebody who watches (live/feed.rs), as es_system: people of all
--   organizations hang on one process. What of it anybody sees is decided when the object is read, as that person.
-- Raises: nothing of its own.

create or replace function public.live_feed(p_request jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_after constant bigint := (p_request ->> 'after')::bigint;
  v_limit constant integer := (p_request ->> 'limit')::integer;
  v_types constant text[] := array(select t from jsonb_array_elements_text(p_request -> 'types') as t);
  v_of constant uuid[] := array(select k::uuid from jsonb_array_elements_text(p_request -> 'of') as k);
  v_head bigint;
  v_oldest bigint;
  v_upto bigint;
  v_items jsonb;
begin
  select o.position into v_head from outbox o where o.position is not null order by o.position desc limit 1;
  select o.position into v_oldest from outbox o where o.position is not null order by o.position limit 1;
  -- Never by the sequence: what that gave last may not be committed yet.
  v_head := coalesce(v_head, 0);
  v_oldest := coalesce(v_oldest, v_head + 1);
  if v_limit > 0 and v_head > v_after then
    with looked_at as (
      select o.*
      from outbox o
      where o.position > v_after
        and o.position <= coalesce((p_request ->> 'upto')::bigint, v_head)
      order by o.position
      limit v_limit
    ),
    told as (
      select
        l.position,
        jsonb_build_array(
          l.position, l.id, l.org_id, l.type, l.version, l.created_at, l.object_id,
          case when l.object_type = 'event' then l.object_id::text else l.payload ->> 'event_id' end,
          case when l.object_type = 'registration' then l.object_id::text else l.payload ->> 'registration_id' end
        ) as item
      from looked_at l
      where l.type = any (v_types)
        and (
          cardinality(v_of) = 0
          or l.object_id = any (v_of)
          or l.org_id = any (v_of)
          or (l.payload ->> 'event_id')::uuid = any (v_of)
          or (l.payload ->> 'registration_id')::uuid = any (v_of)
        )
      order by l.position
      limit (p_request ->> 'most')::integer
    )
    select
      (select max(l.position) from looked_at l),
      (select jsonb_agg(t.item order by t.position) from told t)
    into v_upto, v_items;
  end if;
  return jsonb_build_object(
    'upto', coalesce(v_upto, v_head), 'head', v_head, 'oldest', v_oldest, 'items', coalesce(v_items, '[]')
  );
end
$body$;

alter function public.live_feed(jsonb) owner to es_system;
revoke execute on function public.live_feed(jsonb) from public;
