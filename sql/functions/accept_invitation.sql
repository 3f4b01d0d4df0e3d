-- Makes the signed-in person a member of the organization of the transaction, by the code that was mailed to them.
-- Request: {token_hash (hex)}.
-- Outcomes: accepted (member_id, invitation_id), invitation_invalid (unknown, revoked, used or expired),
--   email_mismatch, already_member.
-- Who may: whoever holds the code and has confirmed the address that was invited.
-- Called from: the verb acceptInvitation, in the organization that invitation_org names.
-- Raises: nothing of its own.

create or replace function public.accept_invitation(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_user constant uuid := es.current_user_id();
  v_found invitations;
  v_new members;
begin
  perform es.lock_members();
  select i.* into v_found
  from invitations i
  join invitation_secrets s on s.org_id = i.org_id and s.invitation_id = i.id
  where i.org_id = v_org
    and s.token_hash = decode(p_request ->> 'token_hash', 'hex')
  for no key update of i;
  if not found or v_found.status <> 'pending' then
    return jsonb_build_object('outcome', 'invitation_invalid');
  end if;
  if v_found.expires_at <= es.clock() then
    update invitations i
    set status = 'expired'
    where i.org_id = v_org
      and i.id = v_found.id;
    return jsonb_build_object('outcome', 'invitation_invalid');
  end if;
  if v_found.email is distinct from es.own_verified_email() then
    return jsonb_build_object('outcome', 'email_mismatch');
  end if;

  insert into members (org_id, user_id, role_id)
  values (v_org, v_user, v_found.role_id)
  on conflict (org_id, user_id) do nothing
  returning * into v_new;
  if v_new.id is null then
    return jsonb_build_object('outcome', 'already_member');
  end if;
  update invitations i
  set
    status = 'accepted',
    accepted_at = es.clock()
  where i.org_id = v_org
    and i.id = v_found.id;
  perform record_audit(v_org, 'member.joined', 'member', v_new.id, null, to_jsonb(v_new));
  return jsonb_build_object('outcome', 'accepted', 'member_id', v_new.id, 'invitation_id', v_found.id);
end
$body$;

alter function public.accept_invitation(jsonb) owner to es_verbs;
revoke execute on function public.accept_invitation(jsonb) from public;
grant execute on function public.accept_invitation(jsonb) to es_attendee, es_member;
