//! Starting and stopping, with real processes: the built program, the server it starts, signals, and folders and
//! servers that are not as they should be. Each test has its own folder and port.
#![allow(
    clippy::disallowed_methods,
    reason = "tests look behind the door on purpose"
)]

#[path = "../common/dice.rs"]
mod dice;
#[path = "../common/dropped.rs"]
mod dropped;
mod figures;
mod harness;
mod jobs;
mod live;
mod money;
mod outside;
mod private;
mod storm;
mod storms;
mod throwaway;
