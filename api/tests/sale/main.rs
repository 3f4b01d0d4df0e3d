//! The sale, driven directly on PostgreSQL: the functions of `sql/functions/` under concurrency, with a clock that the
//! test moves. Each test has a database of its own and says which rule of the domain it proves.

mod approving;
mod availability;
mod batches;
mod cancelling;
mod changing;
mod concurrency;
mod confirmation_numbers;
mod confirming;
mod duplicates;
mod events;
mod expiry;
mod extending;
mod guests;
mod harness;
mod idempotency;
mod life;
mod organizations;
mod overselling;
mod placing;
mod shop;
mod steps;
mod transferring;
