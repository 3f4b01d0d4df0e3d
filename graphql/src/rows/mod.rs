//! From the row that a statement gives to JSON. The statement reads levels of rows, each column of a level as one array
//! of PostgreSQL's binary format; the shape of the answer, made while compiling, says which value stands where.

mod reading;
mod shape;
mod value;
mod wire;

pub use reading::{Found, Layout, Reading};
pub(crate) use shape::object;
pub use shape::{Page, Shape};
pub use value::Kind;

/// What the database sent is not what the statement asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);
