-- One GraphQL document that the organization of the transaction has registered, by its hash or by its identifier.
-- Whoever acts in the organization may have it executed, also those who may not list documents.
-- Request: {sha256 (hex)} or {document_id}.
-- Answers: {sha256 (hex), text}; {} when there is none.
-- Called from: the look-up of documents, before a request is executed.
-- Raises: nothing of its own.

create or replace function public.trusted_document(p_request jsonb)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
  select coalesce(
    (
      select jsonb_build_object('sha256', t.sha256, 'text', t.text)
      from trusted_documents t
      where t.org_id = es.current_org()
        and (t.sha256 = p_request ->> 'sha256' or t.document_id = p_request ->> 'document_id')
    ),
    '{}'
  )
$body$;

alter function public.trusted_document(jsonb) owner to es_verbs;
revoke execute on function public.trusted_document(jsonb) from public;
grant execute on function public.trusted_document(jsonb) to es_member;
