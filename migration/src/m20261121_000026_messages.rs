//! What people are sent: texts of organizations, the log of what went to whom, and who must not be written to.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000026_messages", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("message_templates")
            .verbs("select, insert, update, delete")
            .member_reads("messages:read")
            .touched()
            .up(),
        Fence::tenant("message_deliveries")
            .verbs("select")
            .member_reads("messages:read")
            .touched()
            .up(),
        Fence::tenant("message_suppressions")
            .verbs("select, insert, delete")
            .member_reads("messages:read")
            .member_writes("messages:write", "id, org_id, channel, address, reason", "")
            .touched()
            .up(),
        "grant update (language) on organizations to es_member;".to_owned(),
    ]
    .concat()
}

/// `mail_messages` keeps the letters themselves, with the codes in them, out of everybody's sight; members see the log.
/// A letter holds what it tells (`variables`) until it is delivered; then also what was made of it.
const TABLES: &str = r#"
alter table organizations
  add column language text collate "C" not null default 'en',
  add constraint organizations_language_shape check (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$');

create table message_templates (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  event_id uuid,
  kind text collate "C" not null
    constraint message_templates_kind check (
      kind in (
        'invitation', 'ticket_transfer', 'waitlist_offer', 'registration_confirmed', 'registration_cancelled',
        'event_cancelled', 'reminder'
      )
    ),
  channel text collate "C" not null
    constraint message_templates_channel check (channel in ('email', 'sms', 'whatsapp')),
  language text collate "C" not null,
  subject text,
  mjml text,
  text text,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint message_templates_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint message_templates_key unique nulls not distinct (org_id, event_id, kind, channel, language),
  constraint message_templates_language_shape check (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$'),
  constraint message_templates_parts check (
    case channel
      when 'email' then subject is not null and mjml is not null
      else subject is null and mjml is null and text is not null
    end
  ),
  constraint message_templates_lengths check (
    char_length(subject) <= 300
    and char_length(mjml) <= 100000
    and char_length(text) <= 50000
  )
);
create index message_templates_event_idx on message_templates (event_id, created_at, id);
create index message_templates_created_idx on message_templates (org_id, created_at, id);
create index message_templates_kind_idx on message_templates (org_id, kind, id);

create table message_deliveries (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  event_id uuid,
  registration_id uuid,
  kind text collate "C" not null
    constraint message_deliveries_kind check (
      kind in (
        'invitation', 'ticket_transfer', 'waitlist_offer', 'registration_confirmed', 'registration_cancelled',
        'event_cancelled', 'reminder'
      )
    ),
  channel text collate "C" not null
    constraint message_deliveries_channel check (channel in ('email', 'sms', 'whatsapp')),
  recipient text collate "C" not null,
  -- What it is about, and which of several times: with kind and recipient this is written once.
  about uuid not null,
  occasion text collate "C" not null,
  state text collate "C" not null default 'queued'
    constraint message_deliveries_state check (state in ('queued', 'sent', 'bounced', 'suppressed', 'failed')),
  subject text not null default '',
  provider text collate "C",
  provider_reference text collate "C",
  failure text,
  attempts integer not null default 0,
  sent_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint message_deliveries_event_fk foreign key (org_id, event_id) references events (org_id, id)
    on delete set null (event_id),
  constraint message_deliveries_registration_fk foreign key (org_id, registration_id)
    references registrations (org_id, id) on delete set null (registration_id),
  constraint message_deliveries_once unique (org_id, about, kind, channel, recipient, occasion),
  constraint message_deliveries_sent check ((state = 'sent') <= (sent_at is not null))
);
create index message_deliveries_event_idx on message_deliveries (event_id, created_at, id);
create index message_deliveries_registration_idx on message_deliveries (registration_id, created_at, id);
create index message_deliveries_created_idx on message_deliveries (org_id, created_at, id);
create index message_deliveries_state_idx on message_deliveries (org_id, state, created_at, id);
create index message_deliveries_recipient_idx on message_deliveries (org_id, recipient, created_at, id);
create index message_deliveries_reference_idx on message_deliveries (org_id, provider_reference)
  where provider_reference is not null;

create table message_suppressions (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  channel text collate "C" not null
    constraint message_suppressions_channel check (channel in ('email', 'sms', 'whatsapp')),
  address text collate "C" not null,
  reason text collate "C" not null
    constraint message_suppressions_reason check (reason in ('bounce', 'complaint', 'unsubscribe')),
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint message_suppressions_key unique (org_id, channel, address, reason),
  constraint message_suppressions_address_shape check (
    char_length(address) between 3 and 254
    and address = lower(address)
    and address !~ '\s'
  )
);
create index message_suppressions_created_idx on message_suppressions (org_id, created_at, id);
create index message_suppressions_address_idx on message_suppressions (org_id, address, id);

alter table mail_messages
  alter column subject drop not null,
  alter column body_text drop not null,
  add column event_id uuid,
  add column registration_id uuid,
  add column channel text collate "C" not null default 'email',
  add column variables jsonb,
  add column body_html text,
  add column calendar text,
  add constraint mail_messages_something_to_say check (variables is not null or (subject is not null and body_text is not null));
"#;

const DOWN: &str = "
delete from mail_messages where subject is null or body_text is null;
alter table mail_messages
  drop column calendar,
  drop column body_html,
  drop column variables,
  drop column channel,
  drop column registration_id,
  drop column event_id,
  alter column body_text set not null,
  alter column subject set not null;
drop table message_suppressions;
drop table message_deliveries;
drop table message_templates;
alter table organizations drop column language;
";
