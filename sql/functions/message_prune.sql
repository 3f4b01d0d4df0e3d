-- Letters and the log of them are kept for a set time: what a letter said first, then its line in the log. Who must not be
-- written to stays listed. A letter that was never delivered stays as long as its line: its job may be replayed.
-- Lines are what keeps a message from being written twice, so they outlive what could write it again: events and dead jobs
-- are kept for 30 days, and the program asks for more than that.
-- Request: {limit, letter_days, log_days}. Answer: {letters, deliveries}: how many were removed; fewer than `limit` of each
-- means that none is left.
-- Called from: the scheduled job messages.prune, as es_system.
-- Raises: nothing of its own.

create or replace function public.prune_messages(p_request jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_now constant timestamptz := es.clock();
  v_limit constant integer := (p_request ->> 'limit')::integer;
  v_letters_before constant timestamptz := v_now - make_interval(days => (p_request ->> 'letter_days')::integer);
  v_log_before constant timestamptz := v_now - make_interval(days => (p_request ->> 'log_days')::integer);
  v_letters integer;
  v_deliveries integer;
begin
  delete from mail_messages m
  where m.id in (
    select old.id
    from mail_messages old
    where old.created_at < v_letters_before
      and (old.delivered_at is not null or old.created_at < v_log_before)
    order by old.created_at
    limit v_limit
    for update skip locked
  );
  get diagnostics v_letters = row_count;
  delete from message_deliveries d
  where d.id in (
    select old.id
    from message_deliveries old
    where old.created_at < v_log_before
    order by old.created_at
    limit v_limit
    for update skip locked
  );
  get diagnostics v_deliveries = row_count;
  return jsonb_build_object('letters', v_letters, 'deliveries', v_deliveries);
end
$body$;

alter function public.prune_messages(jsonb) owner to es_system;
revoke execute on function public.prune_messages(jsonb) from public;
