//! A compiled operation: text and typed parameters. It knows no driver.

use crate::engine::Param;

/// What goes to the database for one operation: all of it in one flight, in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Flight {
    /// Statements that open something for this transaction (an unlisted event by its slug); their answers are unread.
    pub preludes: Vec<Prelude>,
    /// One statement; one text column a root field.
    pub sql: String,
    /// Its parameters.
    pub params: Vec<Param>,
}

/// A statement run before the operation's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Prelude {
    /// Text.
    pub sql: String,
    /// Parameters.
    pub params: Vec<Param>,
}
