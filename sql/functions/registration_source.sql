-- Where a buyer came from: kept once for everybody who came the same way, told again when they have confirmed.
-- Called from: place_registration(s) (source_id); confirm_registration(s), approve_registrations (what is told).
-- Raises: 23514 registration_sources_lengths; the program cuts and checks texts before.

-- The key of a source, {utm_source, utm_medium, utm_campaign, utm_term, utm_content, affiliate, referrer, landing_url},
-- each a text or absent; made when nobody came that way before. Null when nothing is said.
create or replace function es.source_id(p_source jsonb)
returns uuid
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
declare
  v_said constant jsonb := jsonb_strip_nulls(p_source);
  v_fingerprint bytea;
  v_id uuid;
begin
  if v_said is null or v_said in ('{}', 'null') then
    return null;
  end if;
  v_fingerprint := sha256(convert_to(v_said::text, 'UTF8'));
  for v_try in 1 .. 2 loop
    select s.id
    into v_id
    from registration_sources s
    where s.org_id = es.current_org()
      and s.fingerprint = v_fingerprint;
    if found then
      return v_id;
    end if;
    -- A second buyer who comes the same way at the same instant waits here and then finds it.
    insert into registration_sources (
      org_id, fingerprint, utm_source, utm_medium, utm_campaign, utm_term, utm_content, affiliate, referrer, landing_url
    )
    values (
      es.current_org(), v_fingerprint, v_said ->> 'utm_source', v_said ->> 'utm_medium', v_said ->> 'utm_campaign',
      v_said ->> 'utm_term', v_said ->> 'utm_content', v_said ->> 'affiliate', v_said ->> 'referrer',
      v_said ->> 'landing_url'
    )
    on conflict on constraint registration_sources_fingerprint_key do nothing
    returning id into v_id;
    if found then
      return v_id;
    end if;
  end loop;
  raise exception 'a source that is neither there nor new' using errcode = 'ES500';
end
$body$;

-- What a source says, for the outside.
create or replace function es.source_texts(p_source registration_sources)
returns jsonb
language sql
stable
return jsonb_strip_nulls(
  to_jsonb(p_source) - array['id', 'org_id', 'fingerprint', 'created_at', 'updated_at']
);

-- What the event registration.confirmed says.
create or replace function es.confirmed_payload(p_registration registrations)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if p_registration.source_id is null then
    return jsonb_build_object('event_id', p_registration.event_id);
  end if;
  return (
    select jsonb_build_object(
      'event_id', p_registration.event_id,
      'source', es.source_texts(s)
    )
    from registration_sources s
    where s.id = p_registration.source_id
  );
end
$body$;

alter function es.source_id(jsonb) owner to es_verbs;
alter function es.source_texts(registration_sources) owner to es_verbs;
revoke execute on function es.source_texts(registration_sources) from public;
alter function es.confirmed_payload(registrations) owner to es_verbs;
revoke execute on function es.source_id(jsonb) from public;
revoke execute on function es.confirmed_payload(registrations) from public;
