-- Writes a letter of the organization of the transaction; it is sent once the transaction is committed.
-- Called from: verbs of organizations (accounts write theirs through a door of their own).
-- Raises: nothing of its own. Owned by es_system, for letters hold codes and no other role may read them.

create or replace function es.enqueue_mail(p_kind text, p_recipient text, p_subject text, p_body text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  insert into mail_messages (org_id, kind, recipient, subject, body_text)
  values (es.current_org(), p_kind, p_recipient, p_subject, p_body);
end
$body$;

alter function es.enqueue_mail(text, text, text, text) owner to es_system;
revoke execute on function es.enqueue_mail(text, text, text, text) from public;
grant execute on function es.enqueue_mail(text, text, text, text) to es_verbs;
