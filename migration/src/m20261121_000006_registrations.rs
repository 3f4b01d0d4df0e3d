//! Who registered for what: registrations with a row per unit, their claims on stock, attendees, and tickets.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000006_registrations", up(), DOWN.to_owned());

/// The keys are gathered once a statement and then looked up in an index. Asked row by row (`exists`), the same rule
/// would read the whole table whenever nothing else narrows it down.
const OF_VISIBLE_REGISTRATION: &str =
    "registration_id = any (array(select r.id from registrations r))";

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("attendees")
            .verbs("select, insert, update")
            .member_reads("attendees:read")
            .member_writes("attendees:write", "", "name, email")
            .attendees_see("id = any (array(select i.attendee_id from registration_items i))")
            .touched()
            .up(),
        Fence::tenant("registrations")
            .verbs("select, insert, update")
            .member_reads("registrations:read")
            .attendees_see(
                "user_id = (select es.current_user_id()) \
                 or id = any ((select es.guest_registrations())::uuid[])",
            )
            .touched()
            .up(),
        Fence::tenant("registration_secrets")
            .verbs("select, insert, delete")
            .up(),
        Fence::tenant("registration_items")
            .verbs("select, insert, update")
            .member_reads("registrations:read")
            .attendees_see(OF_VISIBLE_REGISTRATION)
            .touched()
            .up(),
        Fence::tenant("pool_claims")
            .verbs("select, insert, update")
            .touched()
            .up(),
        Fence::tenant("tickets")
            .verbs("select, insert, update")
            .member_reads("registrations:read")
            .attendees_see(OF_VISIBLE_REGISTRATION)
            .touched()
            .up(),
        POLICIES.to_owned(),
    ]
    .concat()
}

const TABLES: &str = r#"
create table attendees (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  user_id uuid references users (id) on delete set null,
  email text collate "C" not null,
  name text collate "C" not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint attendees_person_key unique (org_id, email, name),
  constraint attendees_email_shape check (char_length(email) <= 254 and email ~ '^[^@\s]+@[^@\s]+$' and email = lower(email)),
  constraint attendees_name_length check (char_length(name) between 1 and 200)
);
create index attendees_email_idx on attendees (org_id, email, id);
create index attendees_name_idx on attendees (org_id, name, id);
create index attendees_created_idx on attendees (org_id, created_at, id);
create index attendees_user_idx on attendees (user_id);

create table registrations (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  occurrence_id uuid not null,
  user_id uuid references users (id) on delete set null,
  confirmation_number text collate "C" not null,
  status text not null
    constraint registrations_status check (
      status in ('held', 'pending_approval', 'pending_payment', 'confirmed', 'rejected', 'expired', 'cancelled')
    ),
  buyer_name text not null,
  buyer_email text collate "C" not null,
  currency text not null,
  total_minor bigint not null,
  expires_at timestamptz,
  placed_at timestamptz not null default es.clock(),
  confirmed_at timestamptz,
  cancelled_at timestamptz,
  cancel_reason text,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  constraint registrations_number_key unique (org_id, confirmation_number),
  constraint registrations_event_fk foreign key (org_id, event_id) references events (org_id, id),
  constraint registrations_occurrence_fk foreign key (org_id, event_id, occurrence_id)
    references occurrences (org_id, event_id, id),
  constraint registrations_total_range check (total_minor >= 0),
  constraint registrations_buyer_name_length check (char_length(buyer_name) between 1 and 200),
  constraint registrations_buyer_email_shape
    check (char_length(buyer_email) <= 254 and buyer_email ~ '^[^@\s]+@[^@\s]+$' and buyer_email = lower(buyer_email)),
  -- Only a hold and an unpaid registration run out; a confirmed one never does.
  constraint registrations_expiry_by_status check (
    case
      when status = 'held' then expires_at is not null
      when status in ('pending_approval', 'confirmed') then expires_at is null
      else true
    end
  )
);
create index registrations_event_idx on registrations (event_id, placed_at, id);
create index registrations_org_placed_idx on registrations (org_id, placed_at, id);
create index registrations_status_idx on registrations (org_id, status, placed_at, id);
create index registrations_occurrence_idx on registrations (occurrence_id, placed_at, id);
create index registrations_user_idx on registrations (user_id, placed_at, id);
create index registrations_buyer_email_idx on registrations (org_id, buyer_email);
create index registrations_expiring_idx on registrations (expires_at) where status in ('held', 'pending_payment');

create table registration_secrets (
  registration_id uuid primary key,
  org_id uuid not null,
  secret_hash bytea not null constraint registration_secrets_hash_key unique,
  foreign key (org_id, registration_id) references registrations (org_id, id) on delete cascade
);

create table registration_items (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  registration_id uuid not null,
  ticket_type_id uuid not null,
  attendee_id uuid,
  position integer not null,
  price_minor bigint not null,
  currency text not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  constraint registration_items_position_key unique (registration_id, position),
  constraint registration_items_registration_fk foreign key (org_id, event_id, registration_id)
    references registrations (org_id, event_id, id),
  constraint registration_items_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id),
  constraint registration_items_attendee_fk foreign key (org_id, attendee_id)
    references attendees (org_id, id) on delete set null (attendee_id),
  constraint registration_items_price_range check (price_minor >= 0)
);
create index registration_items_ticket_type_idx on registration_items (ticket_type_id);
create index registration_items_attendee_idx on registration_items (attendee_id);

create table pool_claims (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  pool_id uuid not null,
  registration_id uuid not null,
  quantity integer not null constraint pool_claims_quantity_positive check (quantity > 0),
  expires_at timestamptz,
  released_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint pool_claims_pool_fk foreign key (org_id, event_id, pool_id)
    references capacity_pools (org_id, event_id, id),
  constraint pool_claims_registration_fk foreign key (org_id, event_id, registration_id)
    references registrations (org_id, event_id, id)
);
create unique index pool_claims_live_key on pool_claims (registration_id, pool_id) where released_at is null;
create index pool_claims_expiring_idx on pool_claims (pool_id, expires_at)
  where released_at is null and expires_at is not null;
create index pool_claims_pool_idx on pool_claims (pool_id);

create table tickets (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  registration_id uuid not null,
  item_id uuid not null,
  ticket_type_id uuid not null,
  attendee_id uuid,
  code text collate "C" not null,
  status text not null default 'valid'
    constraint tickets_status check (status in ('valid', 'cancelled', 'transferred', 'blocked')),
  issued_at timestamptz not null default es.clock(),
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint tickets_code_key unique (org_id, code),
  constraint tickets_registration_fk foreign key (org_id, event_id, registration_id)
    references registrations (org_id, event_id, id),
  constraint tickets_item_fk foreign key (org_id, event_id, item_id)
    references registration_items (org_id, event_id, id),
  constraint tickets_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id),
  constraint tickets_attendee_fk foreign key (org_id, attendee_id)
    references attendees (org_id, id) on delete set null (attendee_id)
);
create unique index tickets_live_item_key on tickets (item_id) where status in ('valid', 'blocked');
create index tickets_registration_idx on tickets (registration_id, issued_at, id);
create index tickets_event_idx on tickets (event_id, issued_at, id);
create index tickets_org_issued_idx on tickets (org_id, issued_at, id);
create index tickets_status_idx on tickets (org_id, status, issued_at, id);
create index tickets_item_idx on tickets (item_id, issued_at, id);
create index tickets_ticket_type_idx on tickets (ticket_type_id, issued_at, id);
create index tickets_attendee_idx on tickets (attendee_id, issued_at, id);
"#;

/// What a registration opens to the one who made it: its event with all parts, whatever the event's visibility.
const POLICIES: &str = "
create policy of_own_registration on events for select to es_attendee
  using (id = any (array(select r.event_id from registrations r)));

create policy of_own_registration on ticket_types for select to es_attendee
  using (id = any (array(select i.ticket_type_id from registration_items i)));

create policy of_own_registration on event_online_access for select to es_attendee
  using (event_id = any (array(select r.event_id from registrations r where r.status = 'confirmed')));
grant select on event_online_access to es_attendee;
";

const DOWN: &str = "
drop policy of_own_registration on event_online_access;
revoke select on event_online_access from es_attendee;
drop policy of_own_registration on ticket_types;
drop policy of_own_registration on events;
drop policy attendees_see on attendees;
drop table tickets;
drop table pool_claims;
drop table registration_items;
drop table registration_secrets;
drop table registrations;
drop table attendees;
";
