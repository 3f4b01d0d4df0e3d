-- Rejects registrations that wait for approval and gives their stock back.
-- Request: {registration_ids: [1 to 100], reason?, error_policy: reject_all or skip_failed, idempotency_key?,
--   argument_hash? (hex)}.
-- Outcomes: decided (results: [{registration_id, outcome, ...}] in the order asked). Of each: rejected (already: true
--   when it was before), or registration_not_found, not_pending (status). With reject_all one refusal leaves everything
--   as it is (outcome: refused); invalid (field, message).
-- Who may: members with registrations:write.
-- Called from: the verbs rejectRegistration, rejectRegistrations.
-- Raises: as approve_registrations.

create or replace function es.reject_one(p_id uuid, p_reason text)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_found registrations;
  v_now constant timestamptz := es.clock();
begin
  select r.* into v_found from registrations r where r.id = p_id;
  if not found or not es.may_act_on(v_found) then
    return jsonb_build_object('outcome', 'registration_not_found');
  end if;
  if v_found.status = 'rejected' then
    return jsonb_build_object('outcome', 'rejected', 'already', true);
  end if;
  if v_found.status <> 'pending_approval' then
    return jsonb_build_object('outcome', 'not_pending', 'status', v_found.status);
  end if;

  perform es.release_claims(array[p_id], es.claimed_pools(array[p_id]), v_now);
  update registrations r
  set
    status = 'rejected',
    waits_without_stock = false,
    rejected_at = v_now,
    reject_reason = p_reason
  where r.id = p_id;
  perform emit_event(
    v_found.org_id, 'registration.rejected', 'registration', p_id,
    jsonb_build_object('event_id', v_found.event_id, 'reason', p_reason)
  );
  perform record_audit(
    v_found.org_id, 'registration.rejected', 'registration', p_id,
    jsonb_build_object('status', v_found.status),
    jsonb_build_object('status', 'rejected', 'reject_reason', p_reason)
  );
  return jsonb_build_object('outcome', 'rejected', 'already', false);
end
$body$;

create or replace function es.try_to_reject(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_reason constant text := nullif(btrim(p_request ->> 'reason'), '');
begin
  if char_length(v_reason) > 1000 then
    return jsonb_build_object('outcome', 'invalid', 'field', 'reason', 'message', 'a reason has at most 1000 characters');
  end if;
  return es.decide_each(p_request, false, v_reason);
end
$body$;

create or replace function public.reject_registrations(p_request jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_told jsonb;
begin
  perform es.demand_permission('registrations:write');
  v_told := es.told_before('reject_registrations', p_request);
  return coalesce(v_told, es.tell('reject_registrations', p_request, es.try_to_reject(p_request)));
end
$body$;

alter function es.reject_one(uuid, text) owner to es_verbs;
alter function es.try_to_reject(jsonb) owner to es_verbs;
alter function public.reject_registrations(jsonb) owner to es_verbs;
revoke execute on function es.reject_one(uuid, text) from public;
revoke execute on function es.try_to_reject(jsonb) from public;
revoke execute on function public.reject_registrations(jsonb) from public;
grant execute on function public.reject_registrations(jsonb) to es_member;
