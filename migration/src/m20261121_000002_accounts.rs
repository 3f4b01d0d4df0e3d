//! People, what proves who they are, their device sessions, the program's signing keys, and the mailbox.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000002_accounts", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::global("users")
            .attendees_see("id = (select es.current_user_id())")
            .touched()
            .up(),
        Fence::global("user_secrets").touched().up(),
        Fence::global("device_sessions")
            .attendees_see("user_id = (select es.current_user_id())")
            // Whoever acts in an organization still finds the devices to sign out.
            .also(
                "create policy own_sessions on device_sessions for select to es_member \
                 using (user_id = (select es.current_user_id()))",
            )
            .also("grant select on device_sessions to es_member")
            .touched()
            .up(),
        Fence::global("refresh_tokens").up(),
        Fence::global("one_time_codes").up(),
        Fence::global("signing_keys").up(),
        Fence::global("mail_messages").up(),
    ]
    .concat()
}

const TABLES: &str = r#"
create table users (
  id uuid primary key default es.new_id(),
  email text collate "C" not null constraint users_email_key unique,
  name text not null,
  locale text not null default 'en',
  email_verified_at timestamptz,
  disabled_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  constraint users_email_shape check (char_length(email) between 3 and 254 and email ~ '^[^@\s]+@[^@\s]+$' and email = lower(email)),
  constraint users_name_length check (char_length(name) between 1 and 200)
);

create table user_secrets (
  user_id uuid primary key references users (id) on delete cascade,
  password_hash text not null,
  failed_sign_ins integer not null default 0,
  locked_until timestamptz,
  updated_at timestamptz not null default es.clock()
);

create table device_sessions (
  id uuid primary key default es.new_id(),
  user_id uuid not null references users (id) on delete cascade,
  org_id uuid,
  user_agent text not null default '',
  ip_address text not null default '',
  last_used_at timestamptz not null default es.clock(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_reason text,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock()
);
create index device_sessions_user_idx on device_sessions (user_id, created_at, id);

create table refresh_tokens (
  id uuid primary key default es.new_id(),
  session_id uuid not null references device_sessions (id) on delete cascade,
  token_hash bytea not null constraint refresh_tokens_hash_key unique,
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default es.clock()
);
create index refresh_tokens_session_idx on refresh_tokens (session_id);

create table one_time_codes (
  id uuid primary key default es.new_id(),
  user_id uuid not null references users (id) on delete cascade,
  purpose text not null constraint one_time_codes_purpose check (purpose in ('verify_email', 'reset_password')),
  code_hash bytea not null constraint one_time_codes_hash_key unique,
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default es.clock()
);
create index one_time_codes_user_idx on one_time_codes (user_id, purpose);

create table signing_keys (
  id text primary key,
  algorithm text not null constraint signing_keys_algorithm check (algorithm in ('EdDSA')),
  public_key bytea not null,
  private_key_encrypted bytea not null,
  created_at timestamptz not null default es.clock(),
  retired_at timestamptz
);

create table mail_messages (
  id uuid primary key default es.new_id(),
  org_id uuid,
  kind text not null,
  recipient text not null,
  subject text not null,
  body_text text not null,
  created_at timestamptz not null default es.clock()
);
create index mail_messages_created_idx on mail_messages (created_at);
"#;

const DOWN: &str = "
drop table mail_messages;
drop table signing_keys;
drop table one_time_codes;
drop table refresh_tokens;
drop table device_sessions;
drop table user_secrets;
drop table users;
";
