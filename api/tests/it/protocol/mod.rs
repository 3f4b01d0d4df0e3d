//! The wire to clients and the engine behind it: GraphQL over HTTP, bad input, pages and filters against plain SQL,
//! and what a request costs at the database.

mod anything;
#[path = "../../../../graphql/tests/support/bench.rs"]
mod bench;
mod documents;
mod filters;
mod flight;
mod lab;
mod nested;
mod nulling;
mod pages;
pub(crate) mod reply;
mod shapes;
mod sql;
mod transport;
mod unread;
mod wide;
mod writes;
