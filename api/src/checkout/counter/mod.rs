//! The counter: buyers at one organization who come while others are being served are gathered and served together, in
//! one transaction, one lock and one flush of the log. Nobody waits for company: who finds the counter free is served
//! at once, and whoever arrives meanwhile goes together next.
//!
//! Each organization has a line for placing and one for confirming, each with one batch under way in this process, and
//! all of them together take at most half of the connections that verbs have: a rush on one organization's sale leaves
//! those of others their turn. Of these only as many run at once as processors can work on: more would take from each
//! other, while in line they gather company. A batch that takes long, since it waits for a lock, lets others by.
//!
//! A buyer who goes away cancels nothing; a batch that fails or panics answers everybody in it. Only buyers stand here:
//! who acts as a member of the organization is served alone, by their permissions.

mod batch;
mod memory;

pub use memory::Held;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt as _;
use serde_json::Value as Json;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::{fault::Fault, state::App, tenancy::Actor, turns::Turns};
use memory::Memory;

/// Buyers that are served together at most: what one transaction holds locks for should be over in some ten
/// milliseconds.
const MOST_TOGETHER: usize = 64;
/// Buyers that may stand in one line. Beyond, they are told to come again, before it takes longer than they wait.
const LONGEST_LINE: usize = 4_000;
/// A batch that is under way for longer waits for something else than a processor.
const WORKS_AT_MOST: Duration = Duration::from_millis(100);

/// What is done at the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// placeRegistration.
    Place,
    /// confirmRegistration.
    Confirm,
}

/// What one buyer wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Who: not a member of the organization.
    pub buyer: Actor,
    /// The idempotency key.
    pub key: String,
    /// As the function for one takes it.
    pub request: Json,
}

/// What one buyer is answered: an element of what the function for many answers.
pub type Served = Result<Json, Fault>;

struct Waiting {
    wish: Wish,
    reply: oneshot::Sender<Served>,
}

type Line = VecDeque<Waiting>;

/// The counter. Cheap to clone.
#[derive(Clone)]
pub struct Counter {
    /// Lines that somebody stands in or is served from; one that is here has a task that works it off.
    lines: Arc<Mutex<HashMap<(Uuid, Kind), Line>>>,
    /// Batches under way.
    batches: Arc<Semaphore>,
    /// Those among them that are taken to be at work, not waiting.
    turns: Arc<Turns>,
    tasks: TaskTracker,
    /// What it keeps in mind.
    pub memory: Memory,
}

impl Counter {
    /// A counter that leaves half of so many connections, and half of so many processors of the database where they are
    /// known, to others. `tasks` are waited for when the program ends.
    pub fn new(connections: usize, processors: Option<usize>, tasks: TaskTracker) -> Self {
        Self {
            lines: Arc::default(),
            batches: Arc::new(Semaphore::new((connections / 2).max(1))),
            turns: Arc::new(Turns::new(
                processors.unwrap_or(connections) / 2,
                WORKS_AT_MOST,
            )),
            tasks,
            memory: Memory::default(),
        }
    }

    /// The turns of batches.
    pub fn turns(&self) -> Arc<Turns> {
        self.turns.clone()
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<(Uuid, Kind), Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a buyer at that organization.
    pub async fn serve(&self, app: &App, org_id: Uuid, kind: Kind, wish: Wish) -> Served {
        let (reply, served) = oneshot::channel();
        let waiting = Waiting { wish, reply };
        let begins = {
            let mut lines = self.lines();
            match lines.get_mut(&(org_id, kind)) {
                Some(line) if line.len() >= LONGEST_LINE => {
                    return Err(Fault::Unavailable("the line is too long".to_owned()));
                }
                Some(line) => {
                    line.push_back(waiting);
                    false
                }
                None => {
                    lines.insert((org_id, kind), VecDeque::from([waiting]));
                    true
                }
            }
        };
        if begins {
            self.tasks
                .spawn(self.clone().work_off(app.clone(), org_id, kind));
        }
        served.await.unwrap_or_else(|_| {
            Err(Fault::Internal(
                "a batch ended without an answer".to_owned(),
            ))
        })
    }

    /// Serves the line until nobody is left in it.
    async fn work_off(self, app: App, org_id: Uuid, kind: Kind) {
        loop {
            let place = self.batches.acquire().await;
            let turn = self.turns.next().await;
            let Some(gathered) = self.gather(org_id, kind) else {
                return;
            };
            let (wishes, replies): (Vec<_>, Vec<_>) = gathered
                .into_iter()
                .map(|waiting| (waiting.wish, waiting.reply))
                .unzip();
            let count = wishes.len();
            // Whatever happens in there, the line goes on and everybody is answered.
            let served = AssertUnwindSafe(turn.of(batch::serve(&app, org_id, kind, wishes)))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| {
                    tracing::error!(?kind, count, "a batch panicked");
                    batch::everybody(
                        &Fault::Internal("a batch of the sale panicked".to_owned()),
                        count,
                    )
                });
            drop(place);
            for (reply, served) in replies.into_iter().zip(served) {
                // Who went away is told nothing; what was done for them stays done.
                let _ = reply.send(served);
            }
        }
    }

    /// Those who are served next. A key that is there already waits for the next batch, where it is told again what
    /// the first was answered. Nobody left: the line is taken away, under the same lock that newcomers join it by.
    fn gather(&self, org_id: Uuid, kind: Kind) -> Option<Vec<Waiting>> {
        let mut lines = self.lines();
        let line = lines.get_mut(&(org_id, kind))?;
        if line.is_empty() {
            lines.remove(&(org_id, kind));
            return None;
        }
        let mut keys = HashSet::new();
        let mut gathered = vec![];
        let mut left = Line::new();
        while let Some(waiting) = line.pop_front() {
            let is_new = keys.insert((waiting.wish.buyer.user_id(), waiting.wish.key.clone()));
            if is_new && gathered.len() < MOST_TOGETHER {
                gathered.push(waiting);
            } else {
                left.push_back(waiting);
            }
            if gathered.len() == MOST_TOGETHER {
                break;
            }
        }
        left.append(line);
        *line = left;
        Some(gathered)
    }
}
