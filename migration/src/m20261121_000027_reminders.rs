//! Reminders before a date, and the accounts at providers that organizations send through.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000027_reminders", up(), DOWN.to_owned());

const WHEN: &str = "minutes_before, days_before, at_minute, active";

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("message_reminders")
            .verbs("select, insert, delete")
            .member_reads("messages:read")
            .member_writes(
                "messages:write",
                &format!("id, org_id, event_id, {WHEN}"),
                "active",
            )
            .touched()
            .up(),
        // What was begun is nobody's to see or to change.
        Fence::tenant("message_reminder_runs").up(),
        Fence::tenant("message_accounts")
            .verbs("select, insert, update, delete")
            .member_reads("messages:read")
            .touched()
            .up(),
        Fence::tenant("message_account_secrets")
            .verbs("insert, update, delete, select")
            .up(),
    ]
    .concat()
}

/// A reminder has no time of its own: it is due so long before the date as it is now, so that it moves when the date does.
const TABLES: &str = r#"
create table message_reminders (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  event_id uuid not null,
  minutes_before integer,
  days_before integer,
  at_minute integer not null default 720,
  active boolean not null default true,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint message_reminders_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint message_reminders_one_way check (
    (minutes_before is null) <> (days_before is null)
  ),
  constraint message_reminders_minutes_range check (minutes_before between 5 and 525600),
  constraint message_reminders_days_range check (days_before between 0 and 365),
  constraint message_reminders_at_range check (at_minute between 0 and 1439)
);
create index message_reminders_event_idx on message_reminders (event_id, created_at, id);
create index message_reminders_created_idx on message_reminders (org_id, created_at, id);

create table message_reminder_runs (
  reminder_id uuid not null,
  occurrence_id uuid not null,
  org_id uuid not null,
  begun_at timestamptz not null default es.clock(),
  primary key (reminder_id, occurrence_id),
  constraint message_reminder_runs_reminder_fk foreign key (org_id, reminder_id)
    references message_reminders (org_id, id) on delete cascade,
  constraint message_reminder_runs_occurrence_fk foreign key (org_id, occurrence_id)
    references occurrences (org_id, id) on delete cascade
);

create table message_accounts (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  channel text collate "C" not null
    constraint message_accounts_channel check (channel in ('email', 'sms', 'whatsapp')),
  provider text collate "C" not null
    constraint message_accounts_provider check (provider in ('sendgrid', 'twilio', 'africas_talking', 'whatsapp_cloud')),
  name text collate "C" not null,
  sender text not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint message_accounts_key unique (org_id, channel),
  constraint message_accounts_lengths check (char_length(sender) between 1 and 254 and char_length(name) between 1 and 200),
  constraint message_accounts_channel_of_provider check (
    channel = case provider when 'sendgrid' then 'email' when 'whatsapp_cloud' then 'whatsapp' else 'sms' end
  )
);
create index message_accounts_created_idx on message_accounts (org_id, created_at, id);

create table message_account_secrets (
  account_id uuid primary key,
  org_id uuid not null,
  -- Sealed by the program, with the account's key as context.
  sealed bytea not null,
  foreign key (org_id, account_id) references message_accounts (org_id, id) on delete cascade
);
"#;

const DOWN: &str = "
drop table message_account_secrets;
drop table message_accounts;
drop table message_reminder_runs;
drop table message_reminders;
";
