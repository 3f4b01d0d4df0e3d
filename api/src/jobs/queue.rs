//! One queue in one process: takes jobs in turns, runs them side by side, and says in the next turn how they ended. While
//! a turn is under way jobs go on; the faster they are, the more are taken at a time, never more than are done in about
//! a twentieth of a second, so that none of another lane waits longer behind them. Where jobs are done faster than a turn
//! brings others, two turns are under way.

use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::Mutex,
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until, timeout},
};
use uuid::Uuid;

use super::{
    handler::Failed,
    policy::Queue,
    registry::Kind,
    running::Running,
    worker::{GRACE, Life},
};
use crate::{state::App, tenancy::SystemReason};

/// How long a job may lie before it is looked for.
const POLL: Duration = Duration::from_millis(250);
/// How long what ended waits for others to be told of with it, while there is work.
const TELL: Duration = Duration::from_millis(20);
/// After a turn that failed.
const TROUBLE: Duration = Duration::from_secs(1);
/// What is taken beyond the free places is done within about this time.
const AHEAD: f64 = 0.05;
const MOST_AHEAD: usize = 1000;
/// Turns under way.
const TURNS: usize = 2;
/// A kind that this version does not know: another may.
const UNKNOWN: Duration = Duration::from_secs(30);
const LONGEST_REASON: usize = 500;

/// A job that was taken, as `job_turn` tells it: a row of values in this order.
#[derive(Debug, Deserialize)]
struct Taken {
    id: Uuid,
    org_id: Option<Uuid>,
    kind: String,
    lane: Uuid,
    attempt: u32,
    last: bool,
    payload: Json,
    created_at: DateTime<Utc>,
}

/// How a job ended.
enum How {
    Done,
    /// With seconds after which it is tried again; dead without.
    Failed(Option<f64>, String),
    Back(Option<f64>),
}

struct Ended {
    id: Uuid,
    lane: Uuid,
    how: How,
}

/// What came of a turn: what it was to tell, and the answer if there was one.
struct Turned {
    told: Vec<Ended>,
    wanted: usize,
    /// Whether it said all that is in our hands.
    settles_doubts: bool,
    answer: Option<Json>,
}

/// Serves the queue until the life is over or the program stops; its jobs see the second program.
pub(super) async fn serve(app: App, runs: App, queue: Queue, life: Life) {
    let mut station = Station {
        app,
        runs,
        queue,
        life,
        waiting: VecDeque::new(),
        running: JoinSet::new(),
        at_work: HashMap::new(),
        ended: vec![],
        cursor: Uuid::nil(),
        asked: 0,
        more: false,
        unsure: false,
        rate: 0.0,
        counted: (Instant::now(), 0),
    };
    station.run().await;
}

struct Station {
    app: App,
    /// What its jobs run in.
    runs: App,
    queue: Queue,
    life: Life,
    /// Taken, and not begun.
    waiting: VecDeque<Taken>,
    running: JoinSet<Ended>,
    /// Running jobs by lane.
    at_work: HashMap<Uuid, usize>,
    /// Ended, and not told.
    ended: Vec<Ended>,
    /// The lane that was served last.
    cursor: Uuid,
    /// What turns under way may bring.
    asked: usize,
    /// The last turn gave all that was wanted.
    more: bool,
    /// A turn's answer was lost: it may have taken jobs that nobody here knows of.
    unsure: bool,
    /// Jobs a second.
    rate: f64,
    counted: (Instant, usize),
}

impl Station {
    async fn run(&mut self) {
        let mut turns: FuturesUnordered<BoxFuture<'static, Turned>> = FuturesUnordered::new();
        let mut look = Instant::now();
        loop {
            self.begin_what_may();
            let due = Instant::now() >= look;
            // After trouble nothing is told before its time either.
            let hungry = !self.unsure && self.is_hungry();
            let begins = match turns.len() {
                0 => due || hungry || !self.unsure && self.is_idle(),
                begun => hungry && begun < TURNS,
            };
            if begins {
                turns.push(self.turn());
            }
            let under_way = !turns.is_empty();
            tokio::select! {
                Some(turned) = turns.next() => look = Instant::now() + self.took(turned),
                Some(ended) = self.running.join_next() => {
                    self.note(ended);
                    if !self.unsure {
                        look = look.min(Instant::now() + TELL);
                    }
                }
                () = sleep_until(look), if !under_way => {}
                () = self.app.jobs.wake.notified(), if !under_way && !self.unsure => look = Instant::now(),
                () = self.life.stopping.cancelled() => break,
                () = self.life.over.cancelled() => return,
            }
        }
        while let Some(turned) = turns.next().await {
            self.took(turned);
        }
        self.give_back().await;
    }

    /// Places that are free, and what will be done soon beyond them. What waits for its own lane keeps no place from
    /// others: else a lane whose jobs hang would fill them all.
    fn room(&self) -> usize {
        let full = self.full();
        let next = self.waiting.iter().filter(|taken| !self.is_held_up(taken));
        full.saturating_sub(self.running.len() + next.count() + self.asked)
    }

    /// As many of its lane run as may.
    fn is_held_up(&self, taken: &Taken) -> bool {
        let busy = self.at_work.get(&taken.lane).copied().unwrap_or(0);
        busy >= self.queue.per_lane
    }

    /// How many may be in our hands.
    fn full(&self) -> usize {
        self.queue.slots + self.ahead()
    }

    fn ahead(&self) -> usize {
        // The rate is finite and not negative.
        ((self.rate * AHEAD) as usize).min(MOST_AHEAD)
    }

    /// Nothing is left to do but to tell of what ended.
    fn is_idle(&self) -> bool {
        !self.ended.is_empty() && self.running.is_empty() && self.waiting.is_empty()
    }

    /// There is more to take, and room for a turn's worth of it.
    fn is_hungry(&self) -> bool {
        self.more && self.room() * TURNS >= self.full()
    }

    fn begin_what_may(&mut self) {
        while self.running.len() < self.queue.slots {
            let next = self
                .waiting
                .iter()
                .position(|taken| !self.is_held_up(taken));
            let Some(taken) = next.and_then(|at| self.waiting.remove(at)) else {
                return;
            };
            let Some(kind) = self.app.jobs.registry.kind(&taken.kind).cloned() else {
                tracing::warn!(
                    kind = taken.kind,
                    "a job of a kind that this version does not know; left for another"
                );
                let how = How::Back(Some(UNKNOWN.as_secs_f64()));
                self.ended.push(Ended {
                    id: taken.id,
                    lane: taken.lane,
                    how,
                });
                continue;
            };
            *self.at_work.entry(taken.lane).or_default() += 1;
            self.running
                .spawn(run(self.runs.clone(), self.life.clone(), kind, taken));
        }
    }

    fn note(&mut self, ended: Result<Ended, JoinError>) {
        let mut next = Some(ended);
        while let Some(ended) = next {
            // Panics are caught inside, and nothing is aborted while we look.
            if let Ok(ended) = ended {
                if let Some(busy) = self.at_work.get_mut(&ended.lane) {
                    *busy -= 1;
                    if *busy == 0 {
                        self.at_work.remove(&ended.lane);
                    }
                }
                self.counted.1 += 1;
                self.ended.push(ended);
            }
            next = self.running.try_join_next();
        }
    }

    /// The turn, on its own way: it holds nothing of the station.
    fn turn(&mut self) -> BoxFuture<'static, Turned> {
        if self.ahead() == 0 {
            self.let_go_of_what_is_held_up();
            return self.ask(self.room());
        }
        // Not all of it, or there would be no room for another turn beside this one.
        self.ask(self.room().min(self.full() / TURNS))
    }

    /// It was taken because its lane was quick, which it no longer is: another process may have a place for it.
    fn let_go_of_what_is_held_up(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for taken in waiting {
            if self.is_held_up(&taken) {
                self.ended.push(Ended {
                    id: taken.id,
                    lane: taken.lane,
                    how: How::Back(None),
                });
            } else {
                self.waiting.push_back(taken);
            }
        }
    }

    fn ask(&mut self, wanted: usize) -> BoxFuture<'static, Turned> {
        let told = std::mem::take(&mut self.ended);
        let mut busy = self.at_work.clone();
        for taken in &self.waiting {
            *busy.entry(taken.lane).or_default() += 1;
        }
        let mut request = told_as_json(&told);
        request["worker"] = json!(self.life.id);
        request["queue"] = json!(self.queue.name);
        request["want"] = json!(wanted);
        request["per_lane"] = json!(self.queue.per_lane + self.ahead());
        request["busy"] = json!(busy);
        request["cursor"] = json!(self.cursor);
        let settles_doubts = self.unsure;
        if settles_doubts {
            request["have"] = json!(self.known(&told));
        }
        self.asked += wanted;
        let app = self.app.clone();
        Box::pin(async move {
            let asked = app
                .door
                .decide_as_system(SystemReason::Jobs, "job_turn", &request);
            let answer = match asked.await {
                Ok(answer) => Some(answer),
                Err(error) => {
                    tracing::warn!(%error, "jobs could not be taken; tried again soon");
                    None
                }
            };
            Turned {
                told,
                wanted,
                settles_doubts,
                answer,
            }
        })
    }

    /// All jobs that are in our hands.
    fn known(&self, told: &[Ended]) -> Vec<Uuid> {
        let waiting = self.waiting.iter().map(|taken| taken.id);
        let told = told.iter().map(|ended| ended.id);
        waiting.chain(told).chain(self.life.running()).collect()
    }

    /// Until when to wait for the next one.
    fn took(&mut self, turned: Turned) -> Duration {
        self.asked -= turned.wanted;
        let Some(mut answer) = turned.answer else {
            self.unsure = true;
            self.more = false;
            let since = std::mem::replace(&mut self.ended, turned.told);
            self.ended.extend(since);
            return TROUBLE;
        };
        // One that was sent before another's answer was lost says nothing of that.
        if turned.settles_doubts {
            self.unsure = false;
        }
        if answer.is_null() {
            // The beat finds it too; it is the same end.
            self.life.over.cancel();
            return TROUBLE;
        }
        let since = self.counted.0.elapsed().as_secs_f64();
        if since > 0.02 {
            self.rate = self.counted.1 as f64 / since;
            self.counted = (Instant::now(), 0);
        }
        match serde_json::from_value::<Vec<Taken>>(answer["jobs"].take()) {
            Ok(taken) => {
                self.more = turned.wanted > 0 && taken.len() >= turned.wanted;
                self.waiting.extend(taken);
            }
            Err(error) => {
                tracing::error!(%error, "the answer of job_turn cannot be read");
                self.unsure = true;
            }
        }
        let cursor = answer["cursor"].as_str().and_then(|text| text.parse().ok());
        self.cursor = cursor.unwrap_or_default();
        POLL
    }

    /// The program stops: what runs may end in its time, the rest is left to others.
    async fn give_back(&mut self) {
        let back = |taken: Taken| Ended {
            id: taken.id,
            lane: taken.lane,
            how: How::Back(None),
        };
        self.ended.extend(self.waiting.drain(..).map(back));
        let patience = Instant::now() + GRACE;
        loop {
            tokio::select! {
                ended = self.running.join_next() => match ended {
                    Some(ended) => self.note(ended),
                    None => break,
                },
                () = sleep_until(patience) => break,
                () = self.life.over.cancelled() => return,
            }
        }
        // What is cut off here is given back with the worker itself.
        self.running.shutdown().await;
        let turned = self.ask(0).await;
        self.took(turned);
    }
}

fn told_as_json(told: &[Ended]) -> Json {
    let (mut done, mut failed, mut back) = (vec![], vec![], vec![]);
    for ended in told {
        match &ended.how {
            How::Done => done.push(json!(ended.id)),
            How::Failed(after, reason) => failed.push(json!({
                "id": ended.id, "after_seconds": after, "failure": reason,
            })),
            How::Back(after) => back.push(json!({ "id": ended.id, "after_seconds": after })),
        }
    }
    json!({ "done": done, "failed": failed, "back": back })
}

async fn run(app: App, life: Life, kind: Kind, taken: Taken) -> Ended {
    let begun = Instant::now();
    let (id, lane, attempt, last) = (taken.id, taken.lane, taken.attempt, taken.last);
    let job = Running {
        app,
        id,
        org_id: taken.org_id,
        attempt,
        last,
        created_at: taken.created_at,
        worker: life.id,
        stopping: life.stopping.clone(),
        told: Mutex::new(None),
    };
    let _known = life.runs(id);
    let attempted = AssertUnwindSafe((kind.run)(&job, taken.payload)).catch_unwind();
    let result = match timeout(kind.policy.time_limit, attempted).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            tracing::error!(kind = kind.name, job = %id, "a job panicked");
            Err(Failed::later("internal error"))
        }
        Err(_) => Err(Failed::later("it took longer than it may")),
    };
    let how = match result {
        Ok(()) => How::Done,
        Err(Failed::GiveBack) => How::Back(None),
        Err(Failed::NotYet(pause)) => How::Back(Some(pause.as_secs_f64())),
        Err(Failed::Never(reason)) => How::Failed(None, cut(&reason)),
        Err(Failed::Later { reason, .. }) if last => How::Failed(None, cut(&reason)),
        Err(Failed::Later { reason, after }) => {
            let after = after.unwrap_or_else(|| kind.policy.backoff.after(attempt));
            How::Failed(Some(after.as_secs_f64()), cut(&reason))
        }
    };
    if let How::Failed(after, reason) = &how {
        let dead = after.is_none();
        tracing::warn!(kind = kind.name, job = %id, attempt, dead, reason, "a job failed");
    }
    kind.figures.count(&how, begun.elapsed());
    Ended { id, lane, how }
}

/// As the database takes it.
fn cut(reason: &str) -> String {
    reason
        .chars()
        .filter(|character| *character != '\0')
        .take(LONGEST_REASON)
        .collect()
}

impl super::figures::KindFigures {
    fn count(&self, how: &How, took: Duration) {
        match how {
            How::Done => self.ended(super::figures::Outcome::Done, took),
            How::Failed(Some(_), _) => self.ended(super::figures::Outcome::Failed, took),
            How::Failed(None, _) => self.ended(super::figures::Outcome::Dead, took),
            How::Back(_) => {}
        }
    }
}
