-- Removes GraphQL documents that the organization trusted: all that are named, or none.
-- Request: {ids: [uuid]}.
-- Outcomes: removed (removed: how many), not_found (missing: [index]), forbidden.
-- Who may: documents:write.
-- Called from: the verb removeTrustedDocuments.
-- Raises: 22P02 when an id is no UUID.

create or replace function public.remove_trusted_documents(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_ids constant uuid[] := array(
    select wanted::uuid
    from jsonb_array_elements_text(p_request -> 'ids') with ordinality as w (wanted, position)
    order by position
  );
  v_actor record;
  v_missing jsonb;
  v_gone record;
  v_removed integer := 0;
begin
  v_actor := es.lock_members();
  if not coalesce('documents:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  select jsonb_agg(w.position - 1 order by w.position)
  into v_missing
  from unnest(v_ids) with ordinality as w (id, position)
  where not exists (
    select
    from trusted_documents t
    where t.org_id = v_org
      and t.id = w.id
  );
  if v_missing is not null then
    return jsonb_build_object('outcome', 'not_found', 'missing', v_missing);
  end if;

  for v_gone in
    delete from trusted_documents t
    where t.org_id = v_org
      and t.id = any (v_ids)
    returning t.id, t.sha256, t.name, t.document_id
  loop
    v_removed := v_removed + 1;
    perform record_audit(
      v_org, 'trusted_document.removed', 'trusted_document', v_gone.id, to_jsonb(v_gone) - 'id'
    );
  end loop;
  return jsonb_build_object('outcome', 'removed', 'removed', v_removed);
end
$body$;

alter function public.remove_trusted_documents(jsonb) owner to es_verbs;
revoke execute on function public.remove_trusted_documents(jsonb) from public;
grant execute on function public.remove_trusted_documents(jsonb) to es_member;
