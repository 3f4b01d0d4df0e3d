//! Demo data and demo sign-ins, under `serve --demo` only: two organizations with events in every state, and a few
//! thousand registrations. It is filled in beside the running server, after it is ready, through the same SQL functions
//! as real life: events by `create_event`, `change_event_status` and `cancel_event`, registrations by `place_registration`,
//! `confirm_registration` and `cancel_registration`, each as the organizer or guest who would call them. What people
//! cannot do (an account that needs no mail, a registration of last week) goes through the cross-tenant door
//! [`crate::tenancy::SystemReason::DemoData`], in `people.rs` and `history.rs`.
//!
//! Each step looks first whether its work is there, and is one transaction: a second start adds nothing, and a fill
//! that was cut off goes on where it was. No person and no company in it exists.

mod history;
mod larkspur;
mod names;
mod people;
mod plan;
mod prices;
mod sales;
mod stage;
mod tide_lantern;

use std::{io::Write as _, time::Instant};

use tokio_util::sync::CancellationToken;

use crate::{fault::Fault, state::App};
pub use people::{PASSWORD, sign_ins};
use plan::{Fate, House};

const HOUSES: [&House; 2] = [&larkspur::HOUSE, &tide_lantern::HOUSE];

/// Waits until the server answers, tells people what to open, and fills in what is missing.
pub async fn run(app: App, ready: CancellationToken, stopping: CancellationToken) {
    ready.cancelled().await;
    tokio::select! {
        done = welcome_and_fill(&app) => {
            if let Err(error) = done {
                tracing::warn!(%error, "demo data is incomplete; the next start goes on with it");
            }
        }
        // Transactions under way are rolled back; the next start goes on.
        () = stopping.cancelled() => {}
    }
}

async fn welcome_and_fill(app: &App) -> Result<(), Fault> {
    let started = Instant::now();
    people::ensure(app).await?;
    say(&people::welcome(&app.posture.public_url));
    let added = fill(app, 100).await?;
    if added > 0 {
        say(&format!(
            "Demo data is complete: {added} registrations added in {} s.\n",
            started.elapsed().as_secs()
        ));
    }
    Ok(())
}

/// Fills in that percentage of the planned registrations, and all the rest; how many registrations were added.
pub async fn fill(app: &App, percent: u32) -> Result<u64, Fault> {
    let mut added = 0;
    let attendee = people::ensure(app).await?;
    for house in HOUSES {
        let organizer = people::organizer(app, house).await?;
        for show in house.shows {
            let event = stage::ensure(app, house, show, &organizer).await?;
            if matches!(show.fate, Fate::Draft) {
                continue;
            }
            added += sales::sell(app, show, &event, percent).await?;
            if show.for_the_attendee {
                added += sales::sell_to(app, show, &event, attendee).await?;
            }
            stage::end(app, show, &event, &organizer).await?;
            history::tell(app, house, show, &event, attendee).await?;
        }
    }
    Ok(added)
}

fn say(text: &str) {
    // Nobody may be reading.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}
