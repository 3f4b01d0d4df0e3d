//! One integration binary: each further one would link the whole program again. Every test gets a database of its own
//! (cloned from one migrated template) and a server of its own on a free port; nothing is mocked but the clock.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests look behind the door on purpose, and a failed unwrap is a failed test"
)]

mod harness;

mod accounts;
mod bounds;
mod calendar;
mod changes;
mod counter;
mod counter_faults;
mod demo;
mod deprecation;
mod documents;
mod examples;
mod fence;
mod guides;
mod jobs;
mod live;
mod main_job;
mod messages;
mod payments;
mod playground;
mod pricing;
mod protocol;
mod repeated;
mod reports;
mod rush;
mod schema;
mod schema_cost;
mod waiting;
mod webhooks;
