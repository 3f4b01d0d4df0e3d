//! Where each event stands in the order in which events are told to those who watch.

use crate::sql_migration;

sql_migration!("m20261121_000045_positions", UP.to_owned(), DOWN.to_owned());

// Keys and times are given before the commit, in any order. A position is given by the relay under a lock that lasts until
// its commit, so whoever has seen one has nothing to expect below it.
const UP: &str = r#"
create sequence outbox_position_seq;
grant usage on sequence outbox_position_seq to es_system;
alter table outbox add column position bigint;
create unique index outbox_position_idx on outbox (position) where position is not null;
"#;

const DOWN: &str = r#"
drop index outbox_position_idx;
alter table outbox drop column position;
drop sequence outbox_position_seq;
"#;
