-- Registers GraphQL documents that the organization trusts. The text is what a document is: the same text again gives
-- the entry that is there, with the name and the identifier that come with it now. An identifier never comes to mean
-- another text: whoever wants that removes the first.
-- Request: {documents: [{text, sha256 (hex), name, document_id?}], skip_failed}. Texts are valid and bounded, no text
--   and no identifier comes twice.
-- Outcomes: registered (ids: [uuid or null], in the order of the request; added; taken: [index]), refused (taken:
--   [index]; nothing was written), too_many, forbidden.
-- Who may: documents:write.
-- Called from: the verb registerTrustedDocuments.
-- Raises: 23514 when a hash is not that of its text.

create or replace function public.register_trusted_documents(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_most constant integer := 5000;
  v_actor record;
  v_taken jsonb;
  v_document record;
  v_id uuid;
  v_new boolean;
  v_ids jsonb := '[]';
  v_added integer := 0;
begin
  v_actor := es.lock_members();
  if not coalesce('documents:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;

  select coalesce(jsonb_agg(d.position - 1 order by d.position), '[]')
  into v_taken
  from jsonb_array_elements(p_request -> 'documents') with ordinality as d (body, position)
  join trusted_documents t
    on t.org_id = v_org
    and t.document_id = d.body ->> 'document_id'
    and t.sha256 <> d.body ->> 'sha256';
  if v_taken <> '[]' and not (p_request ->> 'skip_failed')::boolean then
    return jsonb_build_object('outcome', 'refused', 'taken', v_taken);
  end if;

  if v_most < (
    select count(*)
    from (
      select t.sha256
      from trusted_documents t
      where t.org_id = v_org
      union
      select d.body ->> 'sha256'
      from jsonb_array_elements(p_request -> 'documents') with ordinality as d (body, position)
      where not v_taken @> to_jsonb(d.position - 1)
    ) as kept
  ) then
    return jsonb_build_object('outcome', 'too_many');
  end if;

  for v_document in
    select d.body, v_taken @> to_jsonb(d.position - 1) as taken
    from jsonb_array_elements(p_request -> 'documents') with ordinality as d (body, position)
    order by d.position
  loop
    v_id := null;
    if not v_document.taken then
      insert into trusted_documents as known (org_id, sha256, document_id, name, text)
      values (
        v_org,
        v_document.body ->> 'sha256',
        v_document.body ->> 'document_id',
        v_document.body ->> 'name',
        v_document.body ->> 'text'
      )
      on conflict (org_id, sha256) do update
      set
        document_id = coalesce(excluded.document_id, known.document_id),
        name = excluded.name
      where (known.document_id, known.name)
        is distinct from (coalesce(excluded.document_id, known.document_id), excluded.name)
      returning known.id, known.xmax = 0 into v_id, v_new;
      if v_id is null then
        select t.id into v_id
        from trusted_documents t
        where t.org_id = v_org
          and t.sha256 = v_document.body ->> 'sha256';
      else
        v_added := v_added + v_new::integer;
        perform record_audit(
          v_org,
          case when v_new then 'trusted_document.registered' else 'trusted_document.renamed' end,
          'trusted_document',
          v_id,
          null,
          v_document.body - 'text'
        );
      end if;
    end if;
    v_ids := v_ids || jsonb_build_array(v_id);
  end loop;
  return jsonb_build_object('outcome', 'registered', 'ids', v_ids, 'added', v_added, 'taken', v_taken);
end
$body$;

alter function public.register_trusted_documents(jsonb) owner to es_verbs;
revoke execute on function public.register_trusted_documents(jsonb) from public;
grant execute on function public.register_trusted_documents(jsonb) to es_member;
