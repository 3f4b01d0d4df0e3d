-- An amount of minor units as a decimal number, with as many places as its currency has (ISO 4217).
-- Called from: compiled statements, for the field amount of Money.
-- Raises: nothing of its own.
-- Its body is parsed when it is made, so it needs no search_path; with one it could not be inlined, and a call would
-- cost far more than its work.

create or replace function es.money_text(p_minor bigint, p_currency text)
returns text
language sql
immutable
parallel safe
return case
  when p_currency in (
    'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG',
    'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
  ) then p_minor::text
  when p_currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND')
    then (p_minor / 1000::numeric)::numeric(30, 3)::text
  when p_currency in ('CLF', 'UYW')
    then (p_minor / 10000::numeric)::numeric(30, 4)::text
  else (p_minor / 100::numeric)::numeric(30, 2)::text
end;

alter function es.money_text(bigint, text) owner to es_owner;
revoke execute on function es.money_text(bigint, text) from public;
grant execute on function es.money_text(bigint, text) to es_verbs, es_system, es_public, es_attendee, es_member;
