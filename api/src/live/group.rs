//! Those who watch the same: the same operation with the same values, seen with the same authority. What happens is read
//! once for all of them, and they are sent the same bytes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use eventsphere_graphql::{
    Told, Watch,
    engine::{Host as _, ReadFailure},
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};
use uuid::Uuid;

use super::{
    cursor,
    feed::Item,
    outlet::{End, Outlet},
    topics::{Thing, Topic},
};
use crate::{http::RequestHost, state::App};

/// Where only the last state counts, a group is told of no more than one in this time.
const GAP: Duration = Duration::from_millis(250);
/// What may wait to be read for a group; beyond that its readers come back with their cursors.
const MOST_QUEUED: usize = 5_000;
/// What is taken from that at a time.
const AT_A_TIME: usize = 50;
/// Messages kept for somebody who is only beginning.
const MOST_HELD: usize = 1_000;
/// How often a read is tried when the database is away or busy, and how long between.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(300);

/// The message that a subscription begins with.
pub(super) const STARTED: &str = "subscription.started";

/// A message with the position up to which it tells.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub position: i64,
    /// `None`: the thing is not there for these readers.
    pub body: Option<Arc<str>>,
    /// A hash of what it says of the thing.
    pub thing: u64,
}

struct Reader {
    number: u64,
    outlet: Outlet,
    /// Only what lies behind it is sent; `None` while it begins, and then messages are held.
    start: Option<i64>,
    held: Vec<(i64, Arc<str>)>,
}

#[derive(Default)]
struct State {
    readers: Vec<Reader>,
    queue: VecDeque<Arc<Item>>,
    /// Who begins and wants to know how things stand.
    starters: Vec<oneshot::Sender<Message>>,
    running: bool,
    not_before: Option<Instant>,
    /// What was last said of the thing, and whether to look if that is still so.
    last: Option<u64>,
    look: bool,
}

/// A group.
pub(super) struct Group {
    key: String,
    pub watch: Watch,
    topic: Topic,
    host: RequestHost,
    route: Uuid,
    number: usize,
    state: Mutex<State>,
}

impl Group {
    /// With nobody in it. `route` is the thing whose events are heard.
    pub fn new(
        (number, key): (usize, String),
        watch: Watch,
        topic: Topic,
        host: RequestHost,
        route: Uuid,
    ) -> Self {
        Self {
            number,
            key,
            watch,
            topic,
            host,
            route,
            state: Mutex::default(),
        }
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    /// The how many-th group of this process it is.
    pub fn number(&self) -> usize {
        self.number
    }

    pub fn route(&self) -> Uuid {
        self.route
    }

    pub fn readers(&self) -> usize {
        self.lock().readers.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody who begins: what comes is held until [`Self::begin`].
    pub fn enter(&self, number: u64, outlet: Outlet) {
        self.lock().readers.push(Reader {
            number,
            outlet,
            start: None,
            held: vec![],
        });
    }

    /// Whether that was the last one.
    pub fn leave(&self, number: u64) -> bool {
        let mut state = self.lock();
        state.readers.retain(|reader| reader.number != number);
        state.readers.is_empty()
    }

    /// From now on messages go out to that reader, those behind `start`.
    pub fn begin(&self, number: u64, start: i64) {
        let mut state = self.lock();
        let found = state
            .readers
            .iter_mut()
            .find(|reader| reader.number == number);
        let Some(reader) = found else { return };
        reader.start = Some(start);
        for (position, body) in std::mem::take(&mut reader.held) {
            if position > start && !reader.outlet.pass(&body) {
                return;
            }
        }
    }

    /// Whether the event concerns everybody here.
    pub fn is_about(&self, item: &Item) -> bool {
        let keys = item.keys();
        self.topic.types.contains(&item.event_type.as_str())
            && self.host.actor.org_id().is_none_or(|org| org == item.org)
            && self
                .watch
                .about
                .iter()
                .all(|about| keys.contains(&about.key))
    }

    /// Something happened to the thing that this group is about.
    pub fn hear(self: &Arc<Self>, app: &App, item: &Arc<Item>) {
        if !self.is_about(item) {
            return;
        }
        let mut state = self.lock();
        if self.topic.latest.is_some() {
            state.queue.clear();
        }
        state.queue.push_back(item.clone());
        if state.queue.len() > MOST_QUEUED {
            state.queue.clear();
            for reader in state.readers.drain(..) {
                reader.outlet.end(End::TryAgain);
            }
            return;
        }
        self.wake(app, state);
    }

    /// What is left changes by the clock too, when a sale opens, and by settings: looks whether it did, where only the last
    /// state counts.
    pub fn look(self: &Arc<Self>, app: &App) {
        if self.topic.latest.is_some() {
            let mut state = self.lock();
            state.look = true;
            self.wake(app, state);
        }
    }

    /// How things stand: read once for all who ask at the same time.
    pub async fn standing(self: &Arc<Self>, app: &App) -> Option<Message> {
        let (answer, message) = oneshot::channel();
        {
            let mut state = self.lock();
            state.starters.push(answer);
            self.wake(app, state);
        }
        message.await.ok()
    }

    fn wake(self: &Arc<Self>, app: &App, mut state: MutexGuard<'_, State>) {
        if !state.running {
            state.running = true;
            drop(state);
            tokio::spawn(run(app.clone(), self.clone()));
        }
    }

    /// The thing of an item.
    pub fn thing(&self, item: &Item) -> Option<Uuid> {
        match self.topic.thing {
            Thing::Object => Some(item.object),
            Thing::Event => item.event,
        }
    }

    /// The thing whose state a subscription begins with: the one that it names itself.
    pub fn named(&self) -> Option<Uuid> {
        let entity = &self.topic.declared.entity;
        let mut about = self.watch.about.iter();
        about
            .find(|about| about.entity == *entity)
            .map(|about| about.key)
    }

    /// The message about an item.
    pub async fn message(&self, app: &App, item: &Item) -> Result<Message, ReadFailure> {
        let told = Told {
            id: item.id.to_string(),
            event_type: self.topic.latest.unwrap_or(&item.event_type).to_owned(),
            version: item.version,
            at: instant(&item.at),
            cursor: self.cursor(app, item.position),
            thing: self.thing(item),
        };
        self.read(app, item.position, &told).await
    }

    /// The message that a subscription begins with at that position, about `thing`.
    pub async fn started(
        &self,
        app: &App,
        position: i64,
        thing: Option<Uuid>,
    ) -> Result<Message, ReadFailure> {
        let told = self.of_now(app, position, thing);
        self.read(app, position, &told).await
    }

    fn of_now(&self, app: &App, position: i64, thing: Option<Uuid>) -> Told {
        let now = app.clock.now();
        Told {
            id: Uuid::now_v7().to_string(),
            event_type: STARTED.to_owned(),
            version: 1,
            at: now.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            cursor: self.cursor(app, position),
            thing,
        }
    }

    fn cursor(&self, app: &App, position: i64) -> String {
        cursor::write(&app.vault, position).unwrap_or_default()
    }

    /// Reads, and reads again while the database is away. What fails otherwise is told in the message.
    async fn read(&self, app: &App, position: i64, told: &Told) -> Result<Message, ReadFailure> {
        let mut tries = 0;
        loop {
            let turn = app.live.turn().await;
            let read = app.engine.watched(&self.watch, told, &self.host).await;
            drop(turn);
            match read {
                Ok(read) => {
                    let (thing, body) = match read {
                        Some(read) => (read.thing, Some(read.body.into())),
                        None => (0, None),
                    };
                    return Ok(Message {
                        position,
                        body,
                        thing,
                    });
                }
                Err(failure @ ReadFailure::Unavailable(_)) => {
                    tries += 1;
                    if tries == TRIES {
                        return Err(failure);
                    }
                    sleep(PAUSE * tries).await;
                }
                Err(failure) => {
                    let id = self.host.request_id();
                    let body = app.engine.unread(&self.watch, &failure, id);
                    return Ok(Message {
                        position,
                        body: Some(body.into()),
                        thing: 0,
                    });
                }
            }
        }
    }

    fn deliver(&self, message: &Message) {
        let position = message.position;
        let mut state = self.lock();
        state.last = Some(message.thing);
        let Some(body) = &message.body else { return };
        state.readers.retain_mut(|reader| match reader.start {
            None if reader.held.len() < MOST_HELD => {
                reader.held.push((position, body.clone()));
                true
            }
            None => {
                reader.outlet.end(End::Slow);
                false
            }
            Some(start) => position <= start || reader.outlet.pass(body),
        });
    }

    fn give_up(&self) {
        let mut state = self.lock();
        state.queue.clear();
        state.starters.clear();
        for reader in state.readers.drain(..) {
            reader.outlet.end(End::TryAgain);
        }
    }
}

/// The message that tells of a thing that changed though nothing happened to it; it stands where the last event stood, so
/// that a cursor from it leaves nothing out.
impl Group {
    async fn look_again(&self, app: &App) -> Result<(), ReadFailure> {
        let position = app.live.hub().dispatched().await;
        let told = Told {
            event_type: self.topic.latest.unwrap_or_default().to_owned(),
            ..self.of_now(app, position, self.named())
        };
        let message = self.read(app, position, &told).await?;
        if self.lock().last != Some(message.thing) {
            // To those too who begin just there.
            let position = i64::MAX;
            self.deliver(&Message {
                position,
                ..message
            });
        }
        Ok(())
    }
}

/// The database's text of an instant, as the API writes them.
fn instant(text: &str) -> String {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(at) => at
            .to_utc()
            .to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        Err(_) => text.to_owned(),
    }
}

/// What a run has to do.
struct Work {
    starters: Vec<oneshot::Sender<Message>>,
    items: Vec<Arc<Item>>,
    look: bool,
}

impl Group {
    /// What there is to do now, or when to look again; `Err(None)`: nothing, and the run is over.
    fn work(&self) -> Result<Work, Option<Instant>> {
        let mut state = self.lock();
        let starters = std::mem::take(&mut state.starters);
        let early = state.not_before.filter(|at| *at > Instant::now());
        let items: Vec<_> = match (early, starters.is_empty()) {
            (Some(at), true) if !state.queue.is_empty() => return Err(Some(at)),
            (Some(_), false) => vec![],
            _ => {
                let many = state.queue.len().min(AT_A_TIME);
                state.queue.drain(..many).collect()
            }
        };
        // Whatever is told now is the last state.
        let look = std::mem::take(&mut state.look) && items.is_empty() && early.is_none();
        if starters.is_empty() && items.is_empty() && !look {
            state.running = false;
            return Err(None);
        }
        if self.topic.latest.is_some() && !items.is_empty() {
            state.not_before = Some(Instant::now() + GAP);
        }
        Ok(Work {
            starters,
            items,
            look,
        })
    }
}

/// Does what a group has to do, until there is nothing.
async fn run(app: App, group: Arc<Group>) {
    loop {
        let work = match group.work() {
            Ok(work) => work,
            Err(Some(at)) => {
                sleep_until(at).await;
                continue;
            }
            Err(None) => return,
        };
        if !work.starters.is_empty() {
            // Before it is read: what is read tells of everything up to there.
            let position = app.live.hub().dispatched().await;
            match group.started(&app, position, group.named()).await {
                Ok(message) => {
                    group.lock().last.get_or_insert(message.thing);
                    for starter in work.starters {
                        // Whoever went away does not miss it.
                        let _ = starter.send(message.clone());
                    }
                }
                Err(_) => group.give_up(),
            }
        }
        if work.look && group.look_again(&app).await.is_err() {
            group.give_up();
        }
        for item in &work.items {
            match group.message(&app, item).await {
                Ok(message) => group.deliver(&message),
                Err(_) => {
                    group.give_up();
                    break;
                }
            }
        }
    }
}
