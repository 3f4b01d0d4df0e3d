-- Accounts at providers, through which all messages of a channel of an organization go.
-- save_message_account: makes or replaces the one of a channel. Request: {channel, provider, name, sender, sealed (hex),
--   webhook_key?}. Outcomes: saved (account_id).
-- delete_message_account: request {account_id}. Outcomes: deleted, not_found.
-- write_test_message: writes one message of made-up things. Request: {kind, channel, recipient}. Outcomes: written
--   (delivery_id), no_account (for a channel that needs one).
-- Called from: the verbs saveMessageAccount, deleteMessageAccount, sendTestMessage.
-- Raises: ES403 without organization:write; for a test messages:write. 22P02 when an id is no UUID.
-- after: message_write

create or replace function public.save_message_account(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_saved message_accounts;
begin
  perform es.demand_permission('organization:write');
  insert into message_accounts as known (org_id, channel, provider, name, sender, webhook_key)
  values (
    v_org, p_request ->> 'channel', p_request ->> 'provider', p_request ->> 'name', p_request ->> 'sender',
    p_request ->> 'webhook_key'
  )
  on conflict on constraint message_accounts_key do update
  set
    provider = excluded.provider,
    name = excluded.name,
    sender = excluded.sender,
    webhook_key = excluded.webhook_key
  returning known.* into v_saved;
  insert into message_account_secrets as known (account_id, org_id, sealed)
  values (v_saved.id, v_org, decode(p_request ->> 'sealed', 'hex'))
  on conflict (account_id) do update
  set sealed = excluded.sealed;
  perform record_audit(
    v_org, 'message_account.saved', 'message_account', v_saved.id, null,
    jsonb_build_object('channel', v_saved.channel, 'provider', v_saved.provider, 'name', v_saved.name)
  );
  return jsonb_build_object('outcome', 'saved', 'account_id', v_saved.id);
end
$body$;

create or replace function public.delete_message_account(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_gone message_accounts;
begin
  perform es.demand_permission('organization:write');
  delete from message_accounts a
  where a.org_id = es.current_org()
    and a.id = (p_request ->> 'account_id')::uuid
  returning a.* into v_gone;
  if v_gone.id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  perform record_audit(
    v_gone.org_id, 'message_account.deleted', 'message_account', v_gone.id,
    jsonb_build_object('channel', v_gone.channel, 'provider', v_gone.provider, 'name', v_gone.name), null
  );
  return jsonb_build_object('outcome', 'deleted');
end
$body$;

create or replace function public.write_test_message(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_org constant uuid := es.current_org();
  v_about constant uuid := es.new_id();
  v_delivery uuid;
begin
  perform es.demand_permission('messages:write');
  if p_request ->> 'channel' <> 'email'
    and not exists (
      select
      from message_accounts a
      where a.org_id = v_org
        and a.channel = p_request ->> 'channel'
    )
  then
    return jsonb_build_object('outcome', 'no_account');
  end if;
  perform es.write_messages(
    jsonb_build_array(
      jsonb_build_object(
        'kind', p_request ->> 'kind', 'channel', p_request ->> 'channel', 'recipient', p_request ->> 'recipient',
        'about', v_about, 'occasion', 'test', 'variables', jsonb_build_object('example', true)
      )
    )
  );
  select d.id into v_delivery from message_deliveries d where d.org_id = v_org and d.about = v_about;
  return jsonb_build_object('outcome', 'written', 'delivery_id', v_delivery);
end
$body$;

alter function public.save_message_account(jsonb) owner to es_verbs;
alter function public.delete_message_account(jsonb) owner to es_verbs;
alter function public.write_test_message(jsonb) owner to es_verbs;
revoke execute on function public.save_message_account(jsonb) from public;
revoke execute on function public.delete_message_account(jsonb) from public;
revoke execute on function public.write_test_message(jsonb) from public;
grant execute on function public.save_message_account(jsonb) to es_member;
grant execute on function public.delete_message_account(jsonb) to es_member;
grant execute on function public.write_test_message(jsonb) to es_member;
