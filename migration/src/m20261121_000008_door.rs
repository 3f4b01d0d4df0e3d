//! The door: lists of whom to let in, and every scan with its answer, refused ones too.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000008_door", up(), DOWN.to_owned());

const LIST: &str = "occurrence_id, name, all_ticket_types, position";

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("check_in_lists")
            .verbs("select, insert, delete")
            .member_reads("check_ins:read")
            .member_writes(
                "events:write",
                &format!("id, org_id, event_id, {LIST}"),
                LIST,
            )
            .touched()
            .up(),
        Fence::tenant("check_in_list_ticket_types")
            .verbs("select, insert, delete")
            .member_reads("check_ins:read")
            .member_writes(
                "events:write",
                "id, org_id, event_id, list_id, ticket_type_id",
                "",
            )
            .touched()
            .up(),
        // Scans are written by verbs alone, and a buyer is not told of tries that were refused.
        Fence::tenant("check_ins")
            .verbs("select, insert, update")
            .member_reads("check_ins:read")
            .attendees_see(
                "outcome = 'admitted' and ticket_id = any (array(select t.id from tickets t))",
            )
            .touched()
            .up(),
    ]
    .concat()
}

const TABLES: &str = r#"
create table check_in_lists (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  occurrence_id uuid,
  name text not null,
  -- A flag, not "no links": a type that is deleted takes its links along, and must not open the list to everybody.
  all_ticket_types boolean not null default true,
  position integer not null default 0,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  constraint check_in_lists_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint check_in_lists_occurrence_fk foreign key (org_id, event_id, occurrence_id)
    references occurrences (org_id, event_id, id) on delete cascade,
  constraint check_in_lists_name_length check (char_length(name) between 1 and 200)
);
create index check_in_lists_event_idx on check_in_lists (event_id, position, id);
create index check_in_lists_occurrence_idx on check_in_lists (occurrence_id, position, id);

create table check_in_list_ticket_types (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  list_id uuid not null,
  ticket_type_id uuid not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint check_in_list_ticket_types_pair_key unique (list_id, ticket_type_id),
  constraint check_in_list_ticket_types_list_fk foreign key (org_id, event_id, list_id)
    references check_in_lists (org_id, event_id, id) on delete cascade,
  constraint check_in_list_ticket_types_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id) on delete cascade
);
create index check_in_list_ticket_types_ticket_type_idx on check_in_list_ticket_types (ticket_type_id);

create table check_ins (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  -- The event of the list. The ticket may be of another one: that is what `wrong_event` means.
  event_id uuid not null,
  list_id uuid not null,
  ticket_id uuid,
  direction text not null
    constraint check_ins_direction check (direction in ('entry', 'exit')),
  outcome text not null
    constraint check_ins_outcome check (
      outcome in (
        'admitted', 'unknown', 'invalid_signature', 'wrong_event', 'wrong_list', 'cancelled', 'revoked', 'blocked',
        'unpaid', 'unapproved', 'already_in', 'not_yet_valid', 'no_longer_valid', 'rules', 'incomplete'
      )
    ),
  scanned_at timestamptz not null,
  scanned_by uuid references users (id) on delete set null,
  nonce text collate "C" not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint check_ins_nonce_key unique (org_id, nonce),
  constraint check_ins_list_fk foreign key (org_id, event_id, list_id)
    references check_in_lists (org_id, event_id, id),
  constraint check_ins_ticket_fk foreign key (org_id, ticket_id) references tickets (org_id, id),
  constraint check_ins_nonce_length check (char_length(nonce) between 8 and 200),
  constraint check_ins_admitted_with_ticket check (ticket_id is not null or outcome <> 'admitted')
);
create index check_ins_ticket_idx on check_ins (ticket_id, scanned_at, id);
create index check_ins_list_idx on check_ins (list_id, scanned_at, id);
create index check_ins_outcome_idx on check_ins (list_id, outcome, scanned_at, id);
create index check_ins_event_idx on check_ins (event_id, scanned_at, id);
"#;

const DOWN: &str = "
drop table check_ins;
drop table check_in_list_ticket_types;
drop table check_in_lists;
";
