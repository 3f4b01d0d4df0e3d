-- An amount of minor units as a decimal number, with as many places as its currency has (ISO 4217).
-- Called from: compiled statements, for the field amount of Money; of sums of amounts, which may be larger than any
-- amount, the second.
-- Raises: nothing of its own.
-- A product of decimal numbers is exact; a quotient is rounded after 16 digits or so.
-- Their bodies are parsed when they are made, so they need no search_path; with one they could not be inlined, and a
-- call would cost far more than its work.

create or replace function es.money_sum_text(p_minor numeric, p_currency text)
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
    then (p_minor * 0.001)::text
  when p_currency in ('CLF', 'UYW')
    then (p_minor * 0.0001)::text
  else (p_minor * 0.01)::text
end;

create or replace function es.money_text(p_minor bigint, p_currency text)
returns text
language sql
immutable
parallel safe
return es.money_sum_text(p_minor::numeric, p_currency);

alter function es.money_sum_text(numeric, text) owner to es_owner;
revoke execute on function es.money_sum_text(numeric, text) from public;
grant execute on function es.money_sum_text(numeric, text) to es_verbs, es_system, es_public, es_attendee, es_member;

alter function es.money_text(bigint, text) owner to es_owner;
revoke execute on function es.money_text(bigint, text) from public;
grant execute on function es.money_text(bigint, text) to es_verbs, es_system, es_public, es_attendee, es_member;
