//! The sale, driven directly on PostgreSQL: the functions of `sql/functions/` under concurrency, with a clock that the
//! test moves. Each test has a database of its own and says which rule of the domain it proves.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests look behind the door on purpose, and a failed unwrap is a failed test"
)]

mod approving;
mod availability;
mod batches;
mod calling_off;
mod cancelling;
mod changing;
mod concurrency;
mod confirmation_numbers;
mod confirming;
#[path = "../common/dice.rs"]
mod dice;
#[path = "../common/dropped.rs"]
mod dropped;
mod duplicates;
mod events;
mod expiry;
mod extending;
mod guests;
mod harness;
mod holds;
mod idempotency;
mod invoices;
mod ledger;
mod life;
mod occurrences;
mod organizations;
mod overselling;
mod payments;
mod placing;
mod pricing;
mod queue;
mod repricing;
mod reserving;
mod shop;
mod steps;
mod till;
mod transferring;
mod unlocked;
mod waiting_model;
mod waiting_races;
mod waitlist;
