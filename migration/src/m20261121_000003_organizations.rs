//! Tenants, their members, roles and permissions, invitations, branding, and API tokens.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000003_organizations", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::global("permissions")
            .also("create policy everybody_reads on permissions for select to es_member, es_attendee, es_verbs using (true)")
            .also("grant select on permissions to es_member, es_attendee, es_verbs")
            .up(),
        Fence::organization("organizations")
            .verbs("select, update")
            .also("create policy member_reads on organizations for select to es_member using (id = (select es.current_org()))")
            .also("grant select on organizations to es_member")
            .member_writes(
                "organization:write",
                "",
                "name, slug, country, default_currency, time_zone, support_email",
            )
            .touched()
            .up(),
        Fence::tenant("roles")
            .verbs("select, insert, update, delete")
            .member_reads("members:read")
            .touched()
            .up(),
        Fence::tenant("members")
            .verbs("select, insert, update, delete")
            .member_reads("members:read")
            .also(
                "create policy own_membership on members for select to es_member \
                 using (org_id = (select es.current_org()) and user_id = (select es.current_user_id()))",
            )
            // Acting in no organization, a person finds all of theirs; acting in one, nothing of another.
            .attendees_see("user_id = (select es.current_user_id())")
            .touched()
            .up(),
        Fence::tenant("invitations")
            .verbs("select, insert, update")
            .member_reads("members:read")
            .touched()
            .up(),
        Fence::tenant("invitation_secrets").verbs("select, insert").up(),
        Fence::tenant("branding")
            .member_reads("organization:read")
            .member_writes("organization:write", BRANDING_COLUMNS_NEW, BRANDING_COLUMNS)
            .touched()
            .up(),
        Fence::tenant("api_tokens")
            .verbs("select, insert, update")
            .member_reads("tokens:read")
            .touched()
            .up(),
        Fence::tenant("api_token_secrets").verbs("select, insert, delete").up(),
        POLICIES.to_owned(),
    ]
    .concat()
}

const BRANDING_COLUMNS: &str =
    "logo_url, primary_color, accent_color, terms_url, privacy_url, footer_text";
const BRANDING_COLUMNS_NEW: &str =
    "id, org_id, logo_url, primary_color, accent_color, terms_url, privacy_url, footer_text";

const TABLES: &str = r#"
create table permissions (
  code text primary key,
  description text not null,
  default_roles text[] not null
);

create table organizations (
  id uuid primary key default es.new_id(),
  slug text collate "C" not null constraint organizations_slug_key unique,
  name text not null,
  country text,
  default_currency text not null default 'EUR',
  time_zone text not null default 'UTC',
  support_email text,
  deleted_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  constraint organizations_slug_shape check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  constraint organizations_name_length check (char_length(name) between 1 and 200),
  constraint organizations_time_zone_known check (es.is_time_zone(time_zone)),
  constraint organizations_support_email_shape
    check (char_length(support_email) <= 254 and support_email ~ '^[^@\s]+@[^@\s]+$' and support_email = lower(support_email)),
  constraint organizations_country_shape check (country ~ '^[A-Z]{2}$'),
  constraint organizations_currency_shape check (default_currency ~ '^[A-Z]{3}$')
);

alter table device_sessions
  add constraint device_sessions_org_fk foreign key (org_id) references organizations (id) on delete set null;
alter table mail_messages
  add constraint mail_messages_org_fk foreign key (org_id) references organizations (id) on delete set null;

create table roles (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  key text collate "C" not null,
  name text not null,
  description text not null default '',
  permissions text[] not null,
  built_in boolean not null default false,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint roles_key_key unique (org_id, key),
  constraint roles_key_shape check (key ~ '^[a-z][a-z0-9_]{1,39}$'),
  constraint roles_name_length check (char_length(name) between 1 and 100)
);

create table members (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  user_id uuid not null references users (id),
  role_id uuid not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint members_user_key unique (org_id, user_id),
  constraint members_role_fk foreign key (org_id, role_id) references roles (org_id, id)
);
create index members_user_idx on members (user_id, created_at, id);
create index members_role_idx on members (role_id, created_at, id);
create index members_created_idx on members (org_id, created_at, id);

create table invitations (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  email text collate "C" not null,
  role_id uuid not null,
  invited_by uuid references users (id),
  status text not null default 'pending'
    constraint invitations_status check (status in ('pending', 'accepted', 'revoked', 'expired')),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint invitations_role_fk foreign key (org_id, role_id) references roles (org_id, id),
  constraint invitations_email_shape check (char_length(email) <= 254 and email ~ '^[^@\s]+@[^@\s]+$' and email = lower(email))
);
create unique index invitations_pending_key on invitations (org_id, email) where status = 'pending';
create index invitations_created_idx on invitations (org_id, created_at, id);
create index invitations_email_idx on invitations (org_id, email, id);
create index invitations_status_idx on invitations (org_id, status, created_at, id);
create index invitations_role_idx on invitations (role_id);

create table invitation_secrets (
  invitation_id uuid primary key,
  org_id uuid not null,
  token_hash bytea not null constraint invitation_secrets_hash_key unique,
  foreign key (org_id, invitation_id) references invitations (org_id, id) on delete cascade
);

create table branding (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id) constraint branding_org_key unique,
  logo_url text,
  primary_color text not null default '#1f4ed8',
  accent_color text not null default '#f59e0b',
  terms_url text,
  privacy_url text,
  footer_text text not null default '',
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint branding_primary_color_shape check (primary_color ~ '^#[0-9a-fA-F]{6}$'),
  constraint branding_accent_color_shape check (accent_color ~ '^#[0-9a-fA-F]{6}$'),
  constraint branding_logo_url_shape check (logo_url ~ '^https://' and char_length(logo_url) <= 2000),
  constraint branding_terms_url_shape check (terms_url ~ '^https://' and char_length(terms_url) <= 2000),
  constraint branding_privacy_url_shape check (privacy_url ~ '^https://' and char_length(privacy_url) <= 2000),
  constraint branding_footer_length check (char_length(footer_text) <= 2000)
);

create table api_tokens (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  name text not null,
  prefix text not null,
  scopes text[] not null,
  created_by uuid references users (id),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint api_tokens_name_length check (char_length(name) between 1 and 100),
  constraint api_tokens_scopes_some check (cardinality(scopes) between 1 and 50)
);
create index api_tokens_created_idx on api_tokens (org_id, created_at, id);

create table api_token_secrets (
  token_id uuid primary key,
  org_id uuid not null,
  secret_hash bytea not null constraint api_token_secrets_hash_key unique,
  foreign key (org_id, token_id) references api_tokens (org_id, id) on delete cascade
);
"#;

/// Policies that need more than one of these tables.
const POLICIES: &str = "
create policy fellow_members on users for select to es_member
  using (
    id = (select es.current_user_id())
    or exists (select 1 from members m where m.user_id = users.id and m.org_id = (select es.current_org()))
  );
grant select on users to es_member;

create policy own_role on roles for select to es_member
  using (
    org_id = (select es.current_org())
    and id = any (array(select m.role_id from members m where m.user_id = (select es.current_user_id())))
  );
create policy own_roles on roles for select to es_attendee
  using (id = any (array(select m.role_id from members m where m.user_id = (select es.current_user_id()))));
grant select on roles to es_attendee;

create policy own_organizations on organizations for select to es_attendee
  using (id = any (array(select m.org_id from members m where m.user_id = (select es.current_user_id()))));
grant select on organizations to es_attendee;
";

const DOWN: &str = "
alter table mail_messages drop constraint mail_messages_org_fk;
alter table device_sessions drop constraint device_sessions_org_fk;
drop policy fellow_members on users;
revoke select on users from es_member;
drop policy own_role on roles;
drop policy own_roles on roles;
drop policy own_organizations on organizations;
drop table api_token_secrets;
drop table api_tokens;
drop table branding;
drop table invitation_secrets;
drop table invitations;
drop table members;
drop table roles;
drop table organizations;
drop table permissions;
";
