-- Confirmation numbers: REG-YYYYMMDD-XXXXXXXXC, for people to read aloud. They open no door.
--
-- YYYYMMDD is the date in the organization's zone. XXXXXXXX are 40 random bits in Crockford's base 32 (no I, L, O, U).
-- C is a check character over the eight digits of the date and the eight characters: the Luhn algorithm with 32 in
-- place of 10. From the right, every second value, the one next to C first, is doubled and its two base-32 digits are
-- added; C is what is missing to a multiple of 32. It finds every single wrong character and every swap of two
-- neighbours but 0 with Z.
-- Called from: place_registration, which takes another number when this one exists; tests and forms (well-formed).
-- Raises: ES404 when there is no such organization.

create or replace function es.luhn32(p_text text)
returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_alphabet constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  v_sum integer := 0;
  v_value integer;
begin
  for v_place in 1 .. length(p_text) loop
    v_value := strpos(v_alphabet, substr(p_text, v_place, 1)) - 1;
    if (length(p_text) - v_place) % 2 = 0 then
      v_value := 2 * v_value;
      v_value := v_value / 32 + v_value % 32;
    end if;
    v_sum := v_sum + v_value;
  end loop;
  return substr(v_alphabet, (32 - v_sum % 32) % 32 + 1, 1);
end
$body$;

create or replace function public.confirmation_number_is_well_formed(p_number text)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_number is null or p_number !~ '^REG-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{9}$' then
    return false;
  end if;
  return substr(p_number, 22, 1) = es.luhn32(substr(p_number, 5, 8) || substr(p_number, 14, 8));
end
$body$;

create or replace function public.new_confirmation_number(p_org uuid)
returns text
language plpgsql
volatile
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_alphabet constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  v_zone text;
  v_day text;
  v_bits bit(40);
  v_random text := '';
begin
  select o.time_zone
  into v_zone
  from organizations o
  where o.id = p_org;
  if not found then
    raise exception 'no such organization' using errcode = 'ES404';
  end if;

  v_day := to_char(es.clock() at time zone v_zone, 'YYYYMMDD');
  v_bits := ('x' || encode(extensions.gen_random_bytes(5), 'hex'))::bit(40);
  for v_place in 0 .. 7 loop
    v_random := v_random || substr(v_alphabet, substring(v_bits from v_place * 5 + 1 for 5)::bit(5)::integer + 1, 1);
  end loop;
  return 'REG-' || v_day || '-' || v_random || es.luhn32(v_day || v_random);
end
$body$;

-- The same for many, where the date is known and its part of the check character counted: p_day_check is the value of
-- es.luhn32(p_day || '00000000'), p_bits are 40 random bits. What each of the eight characters adds to the sum is taken
-- from that value: a doubled value v adds v / 16 + 2 v % 32.
create or replace function es.number_of_bits(p_day text, p_day_check integer, p_bits bigint)
returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_alphabet constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  v_a constant integer := (p_bits >> 35) & 31;
  v_b constant integer := (p_bits >> 30) & 31;
  v_c constant integer := (p_bits >> 25) & 31;
  v_d constant integer := (p_bits >> 20) & 31;
  v_e constant integer := (p_bits >> 15) & 31;
  v_f constant integer := (p_bits >> 10) & 31;
  v_g constant integer := (p_bits >> 5) & 31;
  v_h constant integer := p_bits & 31;
begin
  return 'REG-' || p_day || '-'
    || substr(v_alphabet, v_a + 1, 1) || substr(v_alphabet, v_b + 1, 1)
    || substr(v_alphabet, v_c + 1, 1) || substr(v_alphabet, v_d + 1, 1)
    || substr(v_alphabet, v_e + 1, 1) || substr(v_alphabet, v_f + 1, 1)
    || substr(v_alphabet, v_g + 1, 1) || substr(v_alphabet, v_h + 1, 1)
    || substr(
      v_alphabet,
      (
        256 + p_day_check - v_a - v_c - v_e - v_g
        - v_b / 16 - 2 * v_b % 32 - v_d / 16 - 2 * v_d % 32
        - v_f / 16 - 2 * v_f % 32 - v_h / 16 - 2 * v_h % 32
      ) % 32 + 1,
      1
    );
end
$body$;

alter function es.number_of_bits(text, integer, bigint) owner to es_verbs;
revoke execute on function es.number_of_bits(text, integer, bigint) from public;
alter function es.luhn32(text) owner to es_verbs;
alter function public.confirmation_number_is_well_formed(text) owner to es_verbs;
alter function public.new_confirmation_number(uuid) owner to es_verbs;
revoke execute on function es.luhn32(text) from public;
revoke execute on function public.confirmation_number_is_well_formed(text) from public;
revoke execute on function public.new_confirmation_number(uuid) from public;
grant execute on function es.luhn32(text) to es_system, es_public, es_attendee, es_member;
grant execute on function public.confirmation_number_is_well_formed(text) to es_system, es_public, es_attendee, es_member;
grant execute on function public.new_confirmation_number(uuid) to es_system;
