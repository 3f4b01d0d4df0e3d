-- Takes an invitation back: its code is no longer good.
-- Request: {invitation_id}.
-- Outcomes: revoked (invitation_id), invitation_not_found, invitation_not_pending, forbidden.
-- Who may: members:write.
-- Called from: the verb revokeInvitation.
-- Raises: 22P02 when the id is no UUID.

create or replace function public.revoke_invitation(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_actor record;
  v_found invitations;
begin
  v_actor := es.lock_members();
  if not coalesce('members:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  select i.* into v_found
  from invitations i
  where i.org_id = v_org
    and i.id = (p_request ->> 'invitation_id')::uuid
  for no key update;
  if not found then
    return jsonb_build_object('outcome', 'invitation_not_found');
  end if;
  if v_found.status <> 'pending' then
    return jsonb_build_object('outcome', 'invitation_not_pending');
  end if;

  update invitations i
  set status = 'revoked'
  where i.org_id = v_org
    and i.id = v_found.id;
  perform record_audit(
    v_org, 'invitation.revoked', 'invitation', v_found.id,
    jsonb_build_object('status', v_found.status),
    jsonb_build_object('status', 'revoked')
  );
  return jsonb_build_object('outcome', 'revoked', 'invitation_id', v_found.id);
end
$body$;

alter function public.revoke_invitation(jsonb) owner to es_verbs;
revoke execute on function public.revoke_invitation(jsonb) from public;
grant execute on function public.revoke_invitation(jsonb) to es_member;
