use std::process::ExitCode;

use clap::Parser;
use eventsphere::cli::{self, Cli};
use mimalloc::MiMalloc;

/// Gives back what it does not need: hashing a password takes 9 MiB for a moment, which the C library keeps.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(Cli::parse()).await
}
