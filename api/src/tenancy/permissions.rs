//! Permissions as the slices name them; the table itself lives with the entities, for migrations read it too.

pub use eventsphere_entities::permissions::*;
