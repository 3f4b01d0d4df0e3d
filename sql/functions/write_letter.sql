-- Writes a letter whose text is there already, and the job that delivers it, in the transaction of what it is about.
-- Called from: es.tell_owners_of_webhook. What else is written goes through es.write_messages, whose text is made when it is
--   delivered.
-- Raises: nothing of its own. Owned by es_system, for letters hold codes and no other role may read them.

create or replace function es.write_letter(p_org uuid, p_kind text, p_recipient text, p_subject text, p_body text)
returns void
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_letter uuid;
begin
  insert into mail_messages (org_id, kind, recipient, subject, body_text)
  values (p_org, p_kind, p_recipient, p_subject, p_body)
  returning id into v_letter;
  perform es.enqueue_jobs(
    jsonb_build_array(
      jsonb_build_object(
        'kind', 'mail.deliver', 'org_id', p_org, 'key', v_letter,
        'payload', jsonb_build_object('letter_id', v_letter)
      )
    )
  );
end
$body$;

alter function es.write_letter(uuid, text, text, text, text) owner to es_system;
revoke execute on function es.write_letter(uuid, text, text, text, text) from public;
