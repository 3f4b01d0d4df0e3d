//! Events with their occurrences, venues, programme and the keys that sign their tickets.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000004_events", up(), DOWN.to_owned());

const VENUE: &str = "name, address_line, city, region, postal_code, country, time_zone";
const SESSION: &str =
    "occurrence_id, title, description, room, track, starts_at, ends_at, position";
const SPEAKER: &str = "name, title, company, bio, photo_url";

/// What a visitor may see of an event's parts: whatever event row the same role sees.
const OF_VISIBLE_EVENT: &str = "exists (select 1 from events e where e.id = event_id)";

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("venues")
            .verbs("select")
            .member_reads("events:read")
            .member_writes("events:write", &format!("id, org_id, {VENUE}"), VENUE)
            .visitors_see("exists (select 1 from events e where e.venue_id = venues.id)")
            .touched()
            .up(),
        Fence::tenant("events")
            .verbs("select, insert, update, delete")
            .member_reads("events:read")
            .visitors_see(
                "status in ('published', 'completed', 'cancelled') \
                 and (visibility = 'public' \
                 or (visibility = 'unlisted' and id = any ((select es.revealed_events())::uuid[])))",
            )
            .touched()
            .up(),
        Fence::tenant("occurrences")
            .verbs("select, insert, update, delete")
            .member_reads("events:read")
            .visitors_see(OF_VISIBLE_EVENT)
            .touched()
            .up(),
        Fence::tenant("event_online_access")
            .verbs("select, insert, update, delete")
            .member_reads("events:read")
            .member_writes("events:write", "id, org_id, event_id, join_url, instructions", "join_url, instructions")
            .touched()
            .up(),
        Fence::tenant("event_signing_keys").verbs("select, insert, delete").up(),
        Fence::tenant("sessions")
            .verbs("select, insert, delete")
            .member_reads("events:read")
            .member_writes("events:write", &format!("id, org_id, event_id, {SESSION}"), SESSION)
            .visitors_see(OF_VISIBLE_EVENT)
            .touched()
            .up(),
        Fence::tenant("speakers")
            .verbs("select")
            .member_reads("events:read")
            .member_writes("events:write", &format!("id, org_id, {SPEAKER}"), SPEAKER)
            .visitors_see("exists (select 1 from session_speakers s where s.speaker_id = speakers.id)")
            .touched()
            .up(),
        Fence::tenant("session_speakers")
            .verbs("select, insert, delete")
            .member_reads("events:read")
            .member_writes(
                "events:write",
                "id, org_id, event_id, session_id, speaker_id, position",
                "position",
            )
            .visitors_see(OF_VISIBLE_EVENT)
            .touched()
            .up(),
        POLICIES.to_owned(),
    ]
    .concat()
}

const TABLES: &str = r#"
create table venues (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  name text collate "C" not null,
  address_line text not null default '',
  city text not null default '',
  region text not null default '',
  postal_code text not null default '',
  country text,
  time_zone text not null default 'UTC',
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint venues_name_length check (char_length(name) between 1 and 200),
  constraint venues_address_line_length check (char_length(address_line) <= 500),
  constraint venues_city_length check (char_length(city) <= 200),
  constraint venues_region_length check (char_length(region) <= 200),
  constraint venues_postal_code_length check (char_length(postal_code) <= 40),
  constraint venues_time_zone_known check (es.is_time_zone(time_zone)),
  constraint venues_country_shape check (country ~ '^[A-Z]{2}$')
);
create index venues_name_idx on venues (org_id, name, id);

create table events (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  venue_id uuid,
  slug text collate "C" not null,
  title text collate "C" not null,
  summary text not null default '',
  description text not null default '',
  status text not null default 'draft'
    constraint events_status check (status in ('draft', 'published', 'completed', 'cancelled', 'archived')),
  visibility text not null default 'public'
    constraint events_visibility check (visibility in ('public', 'unlisted', 'private')),
  format text not null default 'in_person'
    constraint events_format check (format in ('in_person', 'online', 'hybrid')),
  time_zone text not null,
  currency text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  hold_seconds integer not null default 900,
  max_tickets_per_registration integer not null default 20,
  requires_approval boolean not null default false,
  calendar_sequence integer not null default 0,
  published_at timestamptz,
  cancelled_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, id, currency),
  constraint events_slug_key unique (org_id, slug),
  constraint events_slug_shape check (slug ~ '^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?$'),
  constraint events_title_length check (char_length(title) between 1 and 200),
  constraint events_summary_length check (char_length(summary) <= 500),
  constraint events_description_length check (char_length(description) <= 20000),
  constraint events_time_zone_known check (es.is_time_zone(time_zone)),
  constraint events_ends_after_start check (ends_at > starts_at),
  constraint events_currency_shape check (currency ~ '^[A-Z]{3}$'),
  constraint events_hold_seconds_range check (hold_seconds between 30 and 86400),
  constraint events_max_tickets_range check (max_tickets_per_registration between 1 and 100),
  constraint events_venue_fk foreign key (org_id, venue_id) references venues (org_id, id) on delete set null (venue_id)
);
create index events_starts_idx on events (org_id, starts_at, id);
create index events_created_idx on events (org_id, created_at, id);
create index events_title_idx on events (org_id, title, id);
create index events_status_idx on events (org_id, status, starts_at, id);
create index events_venue_idx on events (venue_id, starts_at, id);
-- Visitors ask over all organizations. A partial index on what is public would not serve them: their policy also
-- lets in what was revealed to them and what they registered for, which such a predicate does not follow from.
create index events_all_starts_idx on events (starts_at, id);
create index events_all_created_idx on events (created_at, id);
create index events_all_title_idx on events (title, id);
create index events_all_status_idx on events (status, starts_at, id);

create table occurrences (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  status text not null default 'scheduled'
    constraint occurrences_status check (status in ('scheduled', 'cancelled')),
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  constraint occurrences_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint occurrences_ends_after_start check (ends_at > starts_at)
);
create index occurrences_event_idx on occurrences (event_id, starts_at, id);

create table event_online_access (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null constraint event_online_access_event_key unique,
  join_url text not null,
  instructions text not null default '',
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint event_online_access_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint event_online_access_join_url_shape check (join_url ~ '^https://' and char_length(join_url) <= 2000),
  constraint event_online_access_instructions_length check (char_length(instructions) <= 5000)
);

create table event_signing_keys (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  key_number smallint not null,
  public_key bytea not null,
  private_key_encrypted bytea not null,
  retired_at timestamptz,
  created_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (event_id, key_number),
  foreign key (org_id, event_id) references events (org_id, id) on delete cascade
);

create table sessions (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  occurrence_id uuid,
  title text not null,
  description text not null default '',
  room text not null default '',
  track text collate "C" not null default '',
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  position integer not null default 0,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  constraint sessions_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint sessions_occurrence_fk foreign key (org_id, event_id, occurrence_id)
    references occurrences (org_id, event_id, id) on delete set null (occurrence_id),
  constraint sessions_title_length check (char_length(title) between 1 and 200),
  constraint sessions_description_length check (char_length(description) <= 20000),
  constraint sessions_room_length check (char_length(room) <= 200),
  constraint sessions_track_length check (char_length(track) <= 200),
  constraint sessions_ends_after_start check (ends_at > starts_at)
);
create index sessions_event_idx on sessions (event_id, starts_at, id);
create index sessions_occurrence_idx on sessions (occurrence_id, starts_at, id);
create index sessions_track_idx on sessions (event_id, track, starts_at, id);

create table speakers (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  name text collate "C" not null,
  title text not null default '',
  company text not null default '',
  bio text not null default '',
  photo_url text,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint speakers_name_length check (char_length(name) between 1 and 200),
  constraint speakers_title_length check (char_length(title) <= 200),
  constraint speakers_company_length check (char_length(company) <= 200),
  constraint speakers_bio_length check (char_length(bio) <= 10000),
  constraint speakers_photo_url_shape check (photo_url ~ '^https://' and char_length(photo_url) <= 2000)
);
create index speakers_name_idx on speakers (org_id, name, id);

create table session_speakers (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  session_id uuid not null,
  speaker_id uuid not null,
  position integer not null default 0,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint session_speakers_pair_key unique (session_id, speaker_id),
  constraint session_speakers_session_fk foreign key (org_id, event_id, session_id)
    references sessions (org_id, event_id, id) on delete cascade,
  constraint session_speakers_speaker_fk foreign key (org_id, speaker_id)
    references speakers (org_id, id) on delete cascade
);
create index session_speakers_speaker_idx on session_speakers (speaker_id, position, id);
create index session_speakers_session_idx on session_speakers (session_id, position, id);
"#;

const POLICIES: &str = "
create policy of_visible_event on organizations for select to es_public, es_attendee
  using (exists (select 1 from events e where e.org_id = organizations.id));
grant select on organizations to es_public;

create policy of_visible_organization on branding for select to es_public, es_attendee
  using (exists (select 1 from organizations o where o.id = org_id));
grant select on branding to es_public, es_attendee;
";

const DOWN: &str = "
drop policy of_visible_organization on branding;
revoke select on branding from es_public, es_attendee;
drop policy of_visible_event on organizations;
revoke select on organizations from es_public;
drop policy visitors_see on venues;
drop policy visitors_see on speakers;
drop table session_speakers;
drop table speakers;
drop table sessions;
drop table event_signing_keys;
drop table event_online_access;
drop table occurrences;
drop table events;
drop table venues;
";
