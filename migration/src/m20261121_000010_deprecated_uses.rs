//! Who still uses what will be removed from the API.

use crate::{fence::Fence, sql_migration};

sql_migration!(
    "m20261121_000010_deprecated_uses",
    up(),
    "drop table deprecated_uses;\n".to_owned()
);

fn up() -> String {
    [
        TABLE.to_owned(),
        // Written by es_system alone, which counts for all organizations together.
        Fence::tenant("deprecated_uses")
            .member_reads("tokens:read")
            .touched()
            .up(),
    ]
    .concat()
}

/// Who acts in no organization is counted under none: such rows are seen by operators only.
const TABLE: &str = r#"
create table deprecated_uses (
  id uuid primary key default es.new_id(),
  org_id uuid references organizations (id),
  caller text not null,
  api_token_id uuid,
  coordinate text collate "C" not null,
  day timestamptz not null,
  uses bigint not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint deprecated_uses_key unique nulls not distinct (org_id, coordinate, day, caller, api_token_id),
  constraint deprecated_uses_token_known foreign key (org_id, api_token_id) references api_tokens (org_id, id) on delete cascade,
  constraint deprecated_uses_caller_known check (caller in ('token', 'member', 'attendee', 'visitor')),
  constraint deprecated_uses_token_named check ((caller = 'token') = (api_token_id is not null)),
  constraint deprecated_uses_org_named check ((caller in ('token', 'member')) = (org_id is not null)),
  constraint deprecated_uses_day_whole check (day = date_trunc('day', day, 'UTC')),
  constraint deprecated_uses_some check (uses > 0)
);
create index deprecated_uses_day_idx on deprecated_uses (org_id, day, id);
create index deprecated_uses_token_idx on deprecated_uses (org_id, api_token_id, day, id);
create index deprecated_uses_one_token_idx on deprecated_uses (api_token_id, day, id);
"#;
