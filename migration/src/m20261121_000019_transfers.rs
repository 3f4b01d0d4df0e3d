//! Handing a ticket on: offers with their secrets, and who holds a ticket that was received.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000019_transfers", up(), down());

/// The buyer's own tickets. A ticket that was handed on has a new code, which is its holder's and nobody else's.
const BUYER_SEES: &str =
    "not received and registration_id = any (array(select r.id from registrations r))";
const BUYER_SAW: &str = "registration_id = any (array(select r.id from registrations r))";
const HOLDER_SEES: &str = "received and (holder_id = (select es.current_user_id()) \
     or id = any ((select es.guest_tickets())::uuid[]))";

/// Whoever was given away a place's ticket is not the buyer's to know.
const ATTENDEES_SEEN: &str = "id = any (array(select i.attendee_id from registration_items i where not i.given_away)) \
     or id = any (array(select t.attendee_id from tickets t))";
const ATTENDEES_WERE_SEEN: &str =
    "id = any (array(select i.attendee_id from registration_items i))";

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("ticket_transfers")
            .verbs("select, insert, update")
            .member_reads("registrations:read")
            .attendees_see(
                "ticket_id = any (array(select t.id from tickets t)) \
                 or new_ticket_id = any (array(select t.id from tickets t))",
            )
            .touched()
            .up(),
        Fence::tenant("ticket_transfer_secrets")
            .verbs("select, insert")
            .up(),
        Fence::tenant("ticket_secrets").verbs("select, insert").up(),
        format!(
            "drop policy attendees_see on tickets;
             create policy attendees_see on tickets for select to es_attendee using ({BUYER_SEES});
             create policy holders_see on tickets for select to es_attendee using ({HOLDER_SEES});
             drop policy attendees_see on attendees;
             create policy attendees_see on attendees for select to es_attendee using ({ATTENDEES_SEEN});"
        ),
        POLICIES.to_owned(),
    ]
    .concat()
}

const TABLES: &str = r#"
alter table tickets
  add column received boolean not null default false,
  add column holder_id uuid references users (id) on delete set null;
create index tickets_holder_idx on tickets (holder_id, issued_at, id) where received;

alter table registration_items
  add column given_away boolean not null default false;

create table ticket_transfers (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  ticket_id uuid not null,
  new_ticket_id uuid,
  recipient_email text collate "C" not null,
  status text not null default 'offered'
    constraint ticket_transfers_status check (status in ('offered', 'accepted', 'declined', 'cancelled', 'expired')),
  expires_at timestamptz not null,
  decided_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint ticket_transfers_event_fk foreign key (org_id, event_id) references events (org_id, id),
  constraint ticket_transfers_ticket_fk foreign key (org_id, ticket_id) references tickets (org_id, id),
  constraint ticket_transfers_new_ticket_fk foreign key (org_id, new_ticket_id) references tickets (org_id, id),
  constraint ticket_transfers_recipient_shape check (
    char_length(recipient_email) <= 254
    and recipient_email ~ '^[^@\s]+@[^@\s]+$'
    and recipient_email = lower(recipient_email)
  ),
  constraint ticket_transfers_accepted_with_ticket check ((status = 'accepted') = (new_ticket_id is not null))
);
create unique index ticket_transfers_open_key on ticket_transfers (ticket_id) where status = 'offered';
create index ticket_transfers_ticket_idx on ticket_transfers (ticket_id, created_at, id);
create index ticket_transfers_new_ticket_idx on ticket_transfers (new_ticket_id, created_at, id);
create index ticket_transfers_event_idx on ticket_transfers (event_id, created_at, id);
create index ticket_transfers_created_idx on ticket_transfers (org_id, created_at, id);
create index ticket_transfers_status_idx on ticket_transfers (org_id, status, created_at, id);

create table ticket_transfer_secrets (
  transfer_id uuid primary key,
  org_id uuid not null,
  secret_hash bytea not null constraint ticket_transfer_secrets_hash_key unique,
  foreign key (org_id, transfer_id) references ticket_transfers (org_id, id) on delete cascade
);

create table ticket_secrets (
  ticket_id uuid primary key,
  org_id uuid not null,
  secret_hash bytea not null constraint ticket_secrets_hash_key unique,
  foreign key (org_id, ticket_id) references tickets (org_id, id) on delete cascade
);

-- Tickets opened by a guest's secret; es.open_as_guest sets it. Absent in a transaction where nothing was opened.
create function es.guest_tickets()
returns uuid[]
stable
parallel safe
return string_to_array(coalesce(current_setting('es.guest_tickets', true), ''), ',')::uuid[];
revoke execute on function es.guest_tickets() from public;
grant execute on function es.guest_tickets() to es_verbs, es_system, es_public, es_attendee, es_member;
"#;

/// What a received ticket opens to its holder: the event and what was bought, whatever the event's visibility.
const POLICIES: &str = "
create policy of_own_ticket on events for select to es_attendee
  using (id = any (array(select t.event_id from tickets t where t.received)));
create policy of_own_ticket on ticket_types for select to es_attendee
  using (id = any (array(select t.ticket_type_id from tickets t where t.received)));
create policy of_own_ticket on event_online_access for select to es_attendee
  using (event_id = any (array(select t.event_id from tickets t where t.received and t.status = 'valid')));
";

fn down() -> String {
    format!(
        "drop policy of_own_ticket on event_online_access;
         drop policy of_own_ticket on ticket_types;
         drop policy of_own_ticket on events;
         drop table ticket_secrets;
         drop table ticket_transfer_secrets;
         drop table ticket_transfers;
         drop policy holders_see on tickets;
         drop policy attendees_see on tickets;
         create policy attendees_see on tickets for select to es_attendee using ({BUYER_SAW});
         drop policy attendees_see on attendees;
         create policy attendees_see on attendees for select to es_attendee using ({ATTENDEES_WERE_SEEN});
         drop function es.guest_tickets();
         alter table registration_items drop column given_away;
         alter table tickets
           drop column holder_id,
           drop column received;"
    )
}
