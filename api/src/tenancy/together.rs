//! Visitors' flights served together. Flights of visitors stand for nobody: the same text with the same values gives all
//! of them the same. So of each plan only some fly at a time; who comes meanwhile waits, and all who wait when one of
//! those has landed go in one statement (see `eventsphere_graphql::joint`, ADR 0027).
//!
//! Nobody waits for company: who finds a place free flies at once. Nobody joins what was sent already: an answer is true
//! of an instant after its request came. What goes wrong with a shared flight is no answer: each then flies alone.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use eventsphere_graphql::{
    engine::{Columns, ReadFailure},
    joint::{self, Joint},
    plan::Flight,
};
use tokio::{sync::oneshot, time::timeout};

use super::{
    read::{one_row, steps_of},
    wire::{WireError, WirePool},
};

/// Of so many connections, one at a time may fly for the same plan where whoever waits can share the next flight.
const SHARE: usize = 4;

/// What visitors read.
pub(super) struct Together {
    pool: WirePool,
    pool_size: usize,
    /// How long a request may wait for a place; a flight has its own limits.
    wait: Duration,
    /// Requests that waited so far.
    numbered: AtomicU64,
    /// Plans that are being flown, by number.
    plans: Mutex<HashMap<u64, Flown>>,
    shared: Shared,
}

/// How often flights were shared.
#[derive(Debug, Default)]
pub struct Shared {
    flights: AtomicU64,
    requests: AtomicU64,
}

impl Shared {
    /// Flights that more than one request shared, and those requests.
    pub fn counts(&self) -> (u64, u64) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (count(&self.flights), count(&self.requests))
    }
}

#[derive(Default)]
struct Flown {
    flying: usize,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    number: u64,
    flight: Flight,
    answer: oneshot::Sender<Landed>,
}

/// What came of a shared flight, for one of those who shared it.
enum Landed {
    Row(Box<dyn Columns>),
    Unavailable(String),
    /// Nothing: fly alone.
    Failed,
}

/// Flights that go in one statement: of each who asks the same as it.
type Company = Vec<(Flight, Vec<oneshot::Sender<Landed>>)>;

impl Together {
    pub fn new(pool: WirePool, pool_size: usize, wait: Duration) -> Self {
        Self {
            pool,
            pool_size,
            wait,
            numbered: AtomicU64::new(0),
            plans: Mutex::default(),
            shared: Shared::default(),
        }
    }

    pub fn pool(&self) -> &WirePool {
        &self.pool
    }

    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Requests that wait for a place.
    pub fn waiting(&self) -> usize {
        self.plans().values().map(|flown| flown.waiting.len()).sum()
    }

    /// Runs the flight, which must stand for nobody; its row.
    pub async fn read(self: &Arc<Self>, flight: &Flight) -> Result<Box<dyn Columns>, ReadFailure> {
        let Some(joint) = &flight.joint else {
            return self.alone(flight).await;
        };
        let landing = {
            let mut plans = self.plans();
            let flown = plans.entry(joint.number).or_default();
            if flown.flying < self.at_once(joint) {
                flown.flying += 1;
                None
            } else {
                let (answer, landing) = oneshot::channel();
                let number = self.numbered.fetch_add(1, Ordering::Relaxed);
                flown.waiting.push_back(Waiting {
                    number,
                    flight: flight.clone(),
                    answer,
                });
                Some((number, landing))
            }
        };
        let Some((number, mut landing)) = landing else {
            let place = Place {
                together: self.clone(),
                joint: joint.clone(),
            };
            let row = self.alone(flight).await;
            drop(place);
            return row;
        };
        let landed = match timeout(self.wait, &mut landing).await {
            Ok(landed) => landed,
            Err(_) if self.gives_up(joint, number) => {
                let reason = "no place for a visitor's flight became free in time";
                return Err(ReadFailure::Unavailable(reason.to_owned()));
            }
            Err(_) => landing.await,
        };
        match landed {
            Ok(Landed::Row(row)) => Ok(row),
            Ok(Landed::Unavailable(reason)) => Err(ReadFailure::Unavailable(reason)),
            Ok(Landed::Failed) | Err(_) => self.alone(flight).await,
        }
    }

    /// Takes the request out of those who wait; whether it was still there.
    fn gives_up(&self, joint: &Joint, number: u64) -> bool {
        let mut plans = self.plans();
        let Some(flown) = plans.get_mut(&joint.number) else {
            return false;
        };
        let before = flown.waiting.len();
        flown.waiting.retain(|waiting| waiting.number != number);
        flown.waiting.len() < before
    }

    /// Flights of the plan at a time.
    fn at_once(&self, joint: &Joint) -> usize {
        match joint.always_suits() {
            true => (self.pool_size / SHARE).max(1),
            false => self.pool_size,
        }
    }

    async fn alone(&self, flight: &Flight) -> Result<Box<dyn Columns>, ReadFailure> {
        Ok(Box::new(one_row(self.pool.fly(&steps_of(flight)).await?)?))
    }

    fn plans(&self) -> MutexGuard<'_, HashMap<u64, Flown>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes those who wait and may share one statement, first come first served.
    fn board(&self, joint: &Joint) -> Company {
        let mut company: Company = vec![];
        let mut plans = self.plans();
        let Some(flown) = plans.get_mut(&joint.number) else {
            return company;
        };
        let mut left = VecDeque::new();
        for waiting in flown.waiting.drain(..) {
            if waiting.answer.is_closed() {
                continue;
            }
            let flight = &waiting.flight;
            let mut others = company.iter().map(|(other, _)| other);
            let same = others.position(|other| joint::is_same(other, flight));
            let suits = match company.first() {
                Some((first, _)) => company.len() < joint.most && joint.suit(first, flight),
                None => true,
            };
            match same.and_then(|same| company.get_mut(same)) {
                Some((_, answers)) => answers.push(waiting.answer),
                None if suits => company.push((waiting.flight, vec![waiting.answer])),
                None => left.push_back(waiting),
            }
        }
        flown.waiting = left;
        company
    }

    /// Serves those who wait, with one flight.
    async fn serve(&self, joint: &Joint) {
        // Whoever comes while we wait for a connection comes along.
        let mut connection = match self.pool.lend().await {
            Ok(connection) => connection,
            Err(error) => {
                for (_, answers) in self.board(joint) {
                    refuse(answers, &error);
                }
                return;
            }
        };
        let company = self.board(joint);
        let flights: Vec<&Flight> = company.iter().map(|(flight, _)| flight).collect();
        let many = match flights[..] {
            [] => return,
            [one] => one.clone(),
            _ => match joint.flight(&flights) {
                Some(many) => many,
                // Those who wait hear that nothing will come, and fly alone.
                None => return,
            },
        };
        let row = connection.fly(&steps_of(&many)).await;
        drop(connection);
        let requests: usize = company.iter().map(|(_, answers)| answers.len()).sum();
        if requests > 1 {
            self.shared.flights.fetch_add(1, Ordering::Relaxed);
            let requests = u64::try_from(requests).unwrap_or(u64::MAX);
            self.shared.requests.fetch_add(requests, Ordering::Relaxed);
        }
        let row = match row {
            Ok(rows) => one_row(rows).ok().map(Arc::new),
            Err(error @ WireError::Broken(_)) => {
                for (_, answers) in company {
                    refuse(answers, &error);
                }
                return;
            }
            Err(WireError::Sql { code, message }) => {
                tracing::debug!(%code, %message, requests, "a shared flight failed; each flies alone");
                None
            }
        };
        land(company, joint, row);
    }
}

/// Gives everybody their row.
fn land<R: Columns + 'static>(company: Company, joint: &Joint, row: Option<Arc<R>>) {
    let Some(row) = row else {
        for answer in company.into_iter().flat_map(|(_, answers)| answers) {
            let _ = answer.send(Landed::Failed);
        }
        return;
    };
    let each: Vec<Arc<dyn Columns>> = match company.len() {
        1 => vec![row],
        many => match joint.cut(&*row, many) {
            Ok(cuts) => cuts
                .into_iter()
                .map(|cut| Arc::new(cut) as Arc<dyn Columns>)
                .collect(),
            Err(error) => {
                tracing::error!(%error, "a shared row cannot be cut; each flies alone");
                vec![]
            }
        },
    };
    // For whom there is no row, the sender is dropped: they fly alone.
    for ((_, answers), row) in company.into_iter().zip(each) {
        for answer in answers {
            // Whoever went away does not miss it.
            let _ = answer.send(Landed::Row(Box::new(row.clone())));
        }
    }
}

fn refuse(answers: Vec<oneshot::Sender<Landed>>, error: &WireError) {
    for answer in answers {
        let _ = answer.send(Landed::Unavailable(error.to_string()));
    }
}

/// A place to fly for a plan. Whoever leaves it hands it to those who wait.
struct Place {
    together: Arc<Together>,
    joint: Arc<Joint>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let number = self.joint.number;
        {
            let mut plans = self.together.plans();
            let Some(flown) = plans.get_mut(&number) else {
                return;
            };
            // Without a runtime the program is ending, and with it all who wait.
            if flown.waiting.is_empty() || tokio::runtime::Handle::try_current().is_err() {
                flown.flying -= 1;
                if flown.flying == 0 {
                    plans.remove(&number);
                }
                return;
            }
        }
        let place = Self {
            together: self.together.clone(),
            joint: self.joint.clone(),
        };
        // In a task of its own: it serves others, who do not go away when whoever was here first does.
        tokio::spawn(async move {
            place.together.serve(&place.joint).await;
        });
    }
}
