//! From the row that a statement gives to JSON. The statement reads levels of rows, each column of a level as one array
//! of PostgreSQL's binary format; the shape of the answer, made while compiling, says which value stands where.

mod denied;
mod reading;
mod shape;
mod split;
mod value;
mod wire;

pub(crate) use denied::Trail;
pub use denied::{Met, Step};
pub use reading::{Found, Layout, Reading};
pub(crate) use shape::object;
pub use shape::{Page, Shape};
pub use split::{Belongs, Cut, Side, Split};
pub use value::Kind;

/// What the database sent is not what the statement asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// Why a piece was not written to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The database sent something else.
    Malformed(Malformed),
    /// There is no value where there must be one: the nearest place around it that can be null is null.
    Null,
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
