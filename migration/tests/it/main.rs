//! The tables as they really stand in PostgreSQL: round trips of migrations, rules of the catalog, entities against
//! columns, and row level security. Run beside a cluster named by TEST_DATABASE_ADMIN_URL.

mod catalog_rules;
mod common;
mod entities;
mod fence;
mod functions;
mod indexes;
mod permissions;
mod plans;
mod roundtrip;
mod served;
