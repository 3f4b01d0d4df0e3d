-- Events that a text finds, with how well it does: words in title, summary and the beginning of the description, the
-- last one by its beginning; and titles that look like the text, for slips of the finger. The best
-- ten thousand: what a client filters by is judged after that, so the end of the list must be far. Every event that is
-- found is ranked anyway; to give ten times as many keys costs nothing that could be measured.
-- The operators of search are not leakproof, so under row level security they could use no index: this function runs
-- as one who sees all and repeats the rule of who may see what (policies of events, but for events that are opened by
-- their address). Whoever calls it reads the rows under the policies again, so a rule forgotten here opens nothing.
-- Called from: the root field searchEvents.
-- Raises: nothing. A text without words finds nothing.

create or replace function public.search_events(p_text text)
returns table (id uuid, rank integer)
language plpgsql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_words constant text := es.search_words(left(p_text, 200));
  v_query tsquery := websearch_to_tsquery('simple', v_words);
  -- Who writes exactly what is meant does not mean what looks like it.
  v_forgiving constant boolean := v_words !~ '(^|\s)-|"';
  v_org constant uuid := es.current_org();
begin
  if querytree(v_query) in ('', 'T') then
    -- Nothing but words that must not be there: every event would have to be read.
    return;
  end if;
  if right(v_query::text, 1) = '''' then
    v_query := (v_query::text || ':*')::tsquery;
  end if;
  -- Not a setting of the function: only a superuser may give it one of a library that is not loaded yet.
  perform set_config('pg_trgm.word_similarity_threshold', '0.4', true);
  return query
  select
    e.id,
    round(
      100000 * (
        case when found.exact then 10 else 0 end
        -- Without the description, whose words count little and whose document costs most to make.
        + ts_rank(es.search_document(e.title, e.summary, ''), v_query)
        + extensions.word_similarity(v_words, es.search_words(e.title))
      )
    )::integer
  from (
    -- Two scans of an index each: put together by "or" every row found would have to be judged again.
    select candidate.id, bool_or(candidate.exact) as exact
    from (
      select x.id, true as exact
      from events x
      where es.search_document(x.title, x.summary, x.description) @@ v_query
        and (v_org is null or x.org_id = v_org)
      union all
      select x.id, false
      from events x
      where v_forgiving
        and v_words operator(extensions.<%) es.search_words(x.title)
        and (v_org is null or x.org_id = v_org)
    ) candidate
    group by candidate.id
  ) found
  join events e on e.id = found.id
  where case
      when v_org is not null then e.org_id = v_org and es.has_permission('events:read')
      else
        (e.status in ('published', 'completed', 'cancelled') and e.visibility = 'public')
        or e.id in (
          select r.event_id
          from registrations r
          where r.user_id = es.current_user_id()
            or r.id = any (es.guest_registrations())
        )
    end
  order by 2 desc, 1 desc
  limit 10000;
end
$body$;

alter function public.search_events(text) owner to es_system;
revoke execute on function public.search_events(text) from public;
grant execute on function public.search_events(text) to es_public, es_attendee, es_member;
