//! Benches of EventSphere against its peers and against bare SQL: `bench graphql`, `bench sale`, `bench jobs`, `bench live`. Each sets itself up, checks that the
//! contestants give the same answers, measures them in turns, prints a table for people and one line of JSON. How and
//! by which rules: `bench/README.md`.

mod cpu;
mod graphql;
mod ground;
mod http;
mod jobs;
mod live;
mod load;
mod places;
mod sale;
mod stats;

use std::process::ExitCode;

/// Whatever ends a run: a sentence for the person who started it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let name = std::env::args().nth(1);
    let quick = std::env::var("QUICK").is_ok_and(|quick| quick == "1");
    let done = match name.as_deref() {
        Some("graphql") => graphql::run(quick).await,
        Some("sale") => match std::env::args().nth(2).as_deref() {
            Some("paid") => sale::run_paid(quick).await,
            _ => sale::run(quick).await,
        },
        Some("jobs") => jobs::run(quick).await,
        Some("live") => live::run(quick).await,
        _ => {
            eprintln!("usage: [QUICK=1] bench graphql | sale [paid] | jobs | live");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
