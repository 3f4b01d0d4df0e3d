//! All kinds of jobs, which of them run by the clock, and which follow events.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    figures::KindFigures,
    handler::{Failed, Handler},
    policy::{Policy, Queue},
    running::Running,
    schedule::Schedule,
};

type Runner =
    Arc<dyn for<'a> Fn(&'a Running, Json) -> BoxFuture<'a, Result<(), Failed>> + Send + Sync>;

/// A kind of job.
#[derive(Clone)]
pub(super) struct Kind {
    pub name: &'static str,
    pub policy: Policy,
    pub run: Runner,
    pub figures: Arc<KindFigures>,
}

/// Which events a consumer hears of.
#[derive(Clone, Copy, Debug)]
pub enum Events {
    /// All of them.
    All,
    /// Those of these types.
    Of(&'static [&'static str]),
}

/// What a job that follows an event is told: the row of the outbox.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Event {
    /// Its key; the same however often it is told.
    pub event_id: Uuid,
    /// What happened, such as `registration.confirmed`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Version of `data`.
    pub version: i32,
    /// Kind of the thing that it happened to.
    pub object_type: String,
    /// That thing.
    pub object_id: Uuid,
    /// Counts the events of that thing from 1. Jobs may run in another order.
    pub sequence: i64,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// What was told with it.
    pub data: Json,
}

/// What a job that follows several events is told.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Together {
    /// Events of one organization, the oldest first.
    pub events: Vec<Event>,
}

struct Consumer {
    kind: &'static str,
    events: Events,
    once: bool,
    together: bool,
}

/// What slices registered.
#[derive(Default)]
pub struct Registry {
    kinds: HashMap<&'static str, Kind>,
    queues: BTreeMap<&'static str, Queue>,
    schedules: Vec<(&'static str, Schedule)>,
    consumers: Vec<Consumer>,
    /// Lines of crontabs that mean nothing.
    misread: Vec<String>,
}

impl Registry {
    /// Adds a kind.
    pub fn add<H: Handler>(&mut self) -> &mut Self {
        let run: Runner = Arc::new(|job, payload| {
            Box::pin(async move {
                let payload = match payload {
                    Json::Object(empty) if empty.is_empty() => Json::Null,
                    told => told,
                };
                let payload = serde_json::from_value(payload).map_err(|error| {
                    tracing::error!(kind = H::KIND, %error, "a job's payload cannot be read");
                    Failed::Never("what the job was told cannot be read".to_owned())
                })?;
                H::run(job, payload).await
            })
        });
        let kind = Kind {
            name: H::KIND,
            policy: H::policy(),
            run,
            figures: Arc::default(),
        };
        self.kinds.insert(H::KIND, kind);
        self
    }

    /// Adds a queue with places of its own.
    pub fn queue(&mut self, queue: Queue) -> &mut Self {
        self.queues.insert(queue.name, queue);
        self
    }

    /// A job of that kind, with no payload, by the clock. None is added while one waits or runs.
    pub fn every<H: Handler<Payload = ()>>(&mut self, schedule: Schedule) -> &mut Self {
        self.schedules.push((H::KIND, schedule));
        self
    }

    /// A job of that kind by a crontab's words and a time zone, as [`Schedule::crontab`] takes them.
    pub fn at<H: Handler<Payload = ()>>(&mut self, line: &str) -> &mut Self {
        match Schedule::crontab(line) {
            Ok(schedule) => {
                self.every::<H>(schedule);
            }
            Err(error) => self.misread.push(format!("{}: {error}", H::KIND)),
        }
        self
    }

    /// A job of that kind for each of these events.
    pub fn on<H: Handler<Payload = Event>>(&mut self, events: Events) -> &mut Self {
        self.follow(H::KIND, events, false, false)
    }

    /// The same where few jobs for many events are cheaper: one for up to 50 of an organization that are relayed at once.
    pub fn on_many<H: Handler<Payload = Together>>(&mut self, events: Events) -> &mut Self {
        self.follow(H::KIND, events, false, true)
    }

    /// A job of that kind when there were such events: one waits at most, however many there were.
    pub fn after<H: Handler<Payload = ()>>(&mut self, events: Events) -> &mut Self {
        self.follow(H::KIND, events, true, false)
    }

    fn follow(
        &mut self,
        kind: &'static str,
        events: Events,
        once: bool,
        together: bool,
    ) -> &mut Self {
        self.consumers.push(Consumer {
            kind,
            events,
            once,
            together,
        });
        self
    }

    pub(super) fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.get(name)
    }

    /// By name, so that pages list them in one order.
    pub(super) fn kinds(&self) -> Vec<&Kind> {
        let mut kinds: Vec<_> = self.kinds.values().collect();
        kinds.sort_by_key(|kind| kind.name);
        kinds
    }

    pub(super) fn queues(&self) -> Vec<Queue> {
        let mut queues = self.queues.clone();
        queues.entry(Queue::DEFAULT.name).or_insert(Queue::DEFAULT);
        queues.into_values().collect()
    }

    /// As `register_job_kinds` takes them.
    pub(super) fn described(&self) -> Json {
        let described = self.kinds().into_iter().map(|kind| {
            json!({
                "kind": kind.name,
                "queue": kind.policy.queue,
                "priority": kind.policy.priority as i16,
                "max_attempts": kind.policy.attempts,
                "keep_seconds": kind.policy.keep.as_secs(),
            })
        });
        described.collect()
    }

    /// Other times for a kind that runs by the clock; the error says that it does not.
    pub fn reschedule(&mut self, kind: &str, schedule: Schedule) -> Result<(), String> {
        let known: Vec<&str> = self.schedules.iter().map(|(kind, _)| *kind).collect();
        match known.iter().position(|known| *known == kind) {
            Some(at) => self.schedules[at].1 = schedule,
            None => {
                return Err(format!(
                    "{kind:?} does not run by the clock; there are {}",
                    known.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// As `run_job_schedules` takes them, when the database's clock says that.
    pub(super) fn schedules(&self, now: DateTime<Utc>) -> Json {
        let schedules = self.schedules.iter();
        schedules
            .map(|(kind, schedule)| schedule.asked(kind, now))
            .collect()
    }

    /// As `relay_outbox` takes them.
    pub(super) fn consumers(&self) -> Json {
        let consumers = self.consumers.iter().map(|consumer| {
            let types = match consumer.events {
                Events::All => Json::Null,
                Events::Of(types) => json!(types),
            };
            json!({
                "kind": consumer.kind, "types": types, "once": consumer.once, "together": consumer.together,
            })
        });
        consumers.collect()
    }

    /// What names something that is not there, or never; the program does not start with it.
    pub fn faults(&self) -> Vec<String> {
        let known: Vec<_> = self.queues().iter().map(|queue| queue.name).collect();
        let homeless = self
            .kinds()
            .into_iter()
            .filter(|kind| !known.contains(&kind.policy.queue))
            .map(|kind| {
                format!(
                    "{} names the queue {}, which nobody registered",
                    kind.name, kind.policy.queue
                )
            });
        let schedules = self.schedules.iter().map(|(kind, _)| *kind);
        let named = schedules.chain(self.consumers.iter().map(|consumer| consumer.kind));
        let unknown = named
            .filter(|kind| !self.kinds.contains_key(kind))
            .map(|kind| format!("{kind} is no kind of job"));
        let misread = self.misread.iter().cloned();
        homeless.chain(unknown).chain(misread).collect()
    }
}
