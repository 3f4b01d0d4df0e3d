//! GraphQL documents that organizations trust, and API tokens that execute no others.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000009_trusted_documents", up(), DOWN.to_owned());

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("trusted_documents")
            .verbs("select, insert, update, delete")
            .member_reads("documents:read")
            .touched()
            .up(),
    ]
    .concat()
}

/// That a hash is the hash of its text is held here, so that no way in can register one under another's name.
const TABLES: &str = r#"
alter table api_tokens add column trusted_documents_only boolean not null default false;

create table trusted_documents (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  sha256 text collate "C" not null,
  document_id text collate "C",
  name text not null,
  text text not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint trusted_documents_sha256_key unique (org_id, sha256),
  constraint trusted_documents_document_id_key unique (org_id, document_id),
  constraint trusted_documents_hash check (sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')),
  constraint trusted_documents_document_id_shape check (document_id ~ '^[A-Za-z0-9._~-]{1,128}$'),
  constraint trusted_documents_name_length check (char_length(name) between 1 and 200),
  constraint trusted_documents_text_length check (octet_length(text) between 1 and 65536)
);
create index trusted_documents_created_idx on trusted_documents (org_id, created_at, id);
"#;

const DOWN: &str = "
drop table trusted_documents;
alter table api_tokens drop column trusted_documents_only;
";
