//! Pages of an event's registrations, in their order and without a sort.

use crate::sql_migration;

sql_migration!("m20261121_000012_pages", UP.to_owned(), DOWN.to_owned());

/// For members. Their policy names the organization, which makes the unique key over organization, event and id look
/// like the best way to the rows of an event; from there thousands would be sorted for a page, and read from the table
/// to be counted.
const UP: &str = "
create index registrations_org_event_idx on registrations (org_id, event_id, placed_at, id);
";

const DOWN: &str = "
drop index registrations_org_event_idx;
";
