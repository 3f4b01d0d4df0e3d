-- Invites an address into the organization of the transaction and writes the mail with the code.
-- Request: {email, role_id, token_hash (hex), code}.
-- Outcomes: invited (invitation_id), already_member, already_invited, role_not_found, exceeds_own_permissions,
--   forbidden.
-- Who may: members:write; nobody invites into a role that may more than they may, and only owners invite owners.
-- Called from: the verb inviteMember.
-- Raises: 22P02 when an id is no UUID.
-- after: message_write

create or replace function public.invite_member(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_email constant text := p_request ->> 'email';
  v_actor record;
  v_role roles;
  v_new invitations;
begin
  v_actor := es.lock_members();
  if not coalesce('members:write' = any (v_actor.held), false) then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  select r.* into v_role
  from roles r
  where r.org_id = v_org
    and r.id = (p_request ->> 'role_id')::uuid;
  if not found then
    return jsonb_build_object('outcome', 'role_not_found');
  end if;
  if not v_role.permissions <@ v_actor.held
    or (v_role.built_in and v_role.key = 'owner' and not v_actor.is_owner)
  then
    return jsonb_build_object('outcome', 'exceeds_own_permissions');
  end if;
  if es.is_member_address(v_email) then
    return jsonb_build_object('outcome', 'already_member');
  end if;

  update invitations i
  set status = 'expired'
  where i.org_id = v_org
    and i.email = v_email
    and i.status = 'pending'
    and i.expires_at <= es.clock();
  insert into invitations (org_id, email, role_id, invited_by, expires_at)
  values (v_org, v_email, v_role.id, es.current_user_id(), es.clock() + interval '7 days')
  on conflict (org_id, email) where status = 'pending' do nothing
  returning * into v_new;
  if v_new.id is null then
    return jsonb_build_object('outcome', 'already_invited');
  end if;

  insert into invitation_secrets (invitation_id, org_id, token_hash)
  values (v_new.id, v_org, decode(p_request ->> 'token_hash', 'hex'));
  perform es.write_message('invitation', v_email, v_new.id, null, jsonb_build_object('code', p_request ->> 'code'));
  perform record_audit(v_org, 'member.invited', 'invitation', v_new.id, null, to_jsonb(v_new));
  return jsonb_build_object('outcome', 'invited', 'invitation_id', v_new.id);
end
$body$;

alter function public.invite_member(jsonb) owner to es_verbs;
revoke execute on function public.invite_member(jsonb) from public;
grant execute on function public.invite_member(jsonb) to es_member;
