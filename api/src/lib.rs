//! The server: floor (configuration, database, start and stop) and, on it, one folder per slice.

pub mod accounts;
pub mod app;
pub mod assemble;
mod believed;
pub mod calendar;
pub mod checkout;
pub mod cli;
pub mod clock;
pub mod config;
#[expect(
    clippy::disallowed_methods,
    reason = "prepares and checks the database before any tenant is served"
)]
pub mod database;
pub mod demo;
pub mod deprecated_uses;
pub mod documents;
pub mod error;
pub mod events;
pub mod fault;
pub mod generated;
pub mod health;
pub mod http;
pub mod jobs;
pub mod live;
pub mod messages;
pub mod metrics;
pub mod organizations;
pub mod outcome;
pub mod payments;
pub mod shutdown;
pub mod state;
pub mod statements;
pub mod tenancy;
pub mod throttle;
pub mod tickets;
mod turns;
pub mod vault;
pub mod verbs;
pub mod webhooks;
