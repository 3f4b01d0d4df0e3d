//! What an operation costs, in points. The compiler adds these numbers up and the schema shows them (`@cost`,
//! `@listSize`): there is no second list.

/// A call of a function for a row, where nothing else is declared.
pub const CALL: u64 = 2;
/// A row of an entity.
pub const OBJECT: u64 = 1;
/// A connection, whatever its page.
pub const CONNECTION: u64 = 2;
/// `totalCount` of a connection.
pub const TOTAL_COUNT: u64 = 5;
/// `aggregates` of a connection, on top of the groups.
pub const AGGREGATES: u64 = 10;
/// A root field that looks a row up by something else than its id, on top of the row.
pub const LOOK_UP: u64 = 1;

/// Rows of a page when neither `first` nor `last` is given.
pub const DEFAULT_PAGE: u32 = 20;
/// Rows of a page at most.
pub const LARGEST_PAGE: u32 = 100;
/// Groups when `first` of `aggregates` is not given.
pub const DEFAULT_GROUPS: u32 = 100;
/// Groups at most.
pub const MOST_GROUPS: u32 = 1_000;
/// Ids that `nodes` takes at most.
pub const MOST_NODES: u32 = 100;
