-- Lets PostgreSQL count again in tables that have twice the rows that it believes them to have, and at least `rows`.
-- Its autovacuum does so once a minute; on a young database a rush can have begun by then, and whoever planned on empty
-- tables takes any index for as good as the right one and keeps that plan.
-- Request: {rows}. Answer: {tables}: the names of those that were looked at; one that somebody else works on is left out.
-- Called from: the scheduled job database.statistics, as es_system; as es_owner, since only the owner may analyze.
-- Raises: nothing of its own.

create or replace function public.refresh_statistics(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $body$
declare
  v_rows constant bigint := (p_request ->> 'rows')::bigint;
  v_tables jsonb := '[]';
  v_table record;
begin
  for v_table in
    select c.oid::regclass as name, c.relname
    from pg_stat_user_tables s
    join pg_class c on c.oid = s.relid
    where c.relowner = current_user::regrole
      and s.n_live_tup >= v_rows
      -- Where rows come and go, as in a queue, they may be changed as often as they like.
      and s.n_live_tup >= 2 * c.reltuples
    order by c.oid
  loop
    execute format('analyze (skip_locked) %s', v_table.name);
    v_tables := v_tables || to_jsonb(v_table.relname);
  end loop;
  return jsonb_build_object('tables', v_tables);
end
$body$;

alter function public.refresh_statistics(jsonb) owner to es_owner;
revoke execute on function public.refresh_statistics(jsonb) from public;
grant execute on function public.refresh_statistics(jsonb) to es_system;
