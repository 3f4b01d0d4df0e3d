//! The stock of a change is told what the caller expects it to cost.

use crate::sql_migration;

sql_migration!(
    "m20261121_000031_expected_change",
    UP.to_owned(),
    DOWN.to_owned()
);

// A function with one argument less: the file of today's makes another beside it.
const UP: &str =
    "drop function if exists es.change_stock(registrations, events, uuid[], jsonb, boolean);";
const DOWN: &str = "drop function if exists es.change_stock(registrations, events, uuid[], jsonb, boolean, jsonb);";
