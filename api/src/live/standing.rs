//! Whether those who watch may still do so: asked of the database for all of them together, every two seconds. Whose
//! session, token or role is not what it was is cut off; coming back they are judged anew.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use tokio::time::sleep;

use super::outlet::{End, Ending};
use crate::{
    fault::Fault,
    state::App,
    tenancy::{Actor, ActorKind, SystemReason},
};

/// How often it is asked. Five seconds are promised, trouble included.
const EVERY: Duration = Duration::from_secs(2);
/// How many are asked about together.
const TOGETHER: usize = 2_000;

/// Everybody who came with a token.
#[derive(Default)]
pub(super) struct Standings {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    known: HashMap<u64, Known>,
    asked: bool,
}

struct Known {
    actor: Actor,
    until: Option<DateTime<Utc>>,
    ending: Ending,
}

/// Somebody whose standing is watched until this is dropped.
pub struct Watched {
    app: App,
    number: u64,
}

impl Watched {
    /// Watches the actor's standing; when it is lost, or `until` has come, the connection is ended.
    pub fn new(app: &App, actor: &Actor, until: Option<DateTime<Utc>>, ending: &Ending) -> Self {
        let number = app.live.number();
        let mut inner = app.live.standing().lock();
        inner.known.insert(
            number,
            Known {
                actor: actor.clone(),
                until,
                ending: ending.clone(),
            },
        );
        if !inner.asked {
            inner.asked = true;
            tokio::spawn(ask(app.clone()));
        }
        Self {
            app: app.clone(),
            number,
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.app.live.standing().lock().known.remove(&self.number);
    }
}

impl Standings {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends those whose time is over.
    fn end_expired(&self, now: DateTime<Utc>) {
        for known in self.lock().known.values() {
            if known.until.is_some_and(|until| until <= now) {
                known.ending.end(End::Forbidden);
            }
        }
    }

    fn end(&self, number: u64) {
        if let Some(known) = self.lock().known.get(&number) {
            known.ending.end(End::Forbidden);
        }
    }

    /// The requests about all who are known; `None` when nobody is, and then nobody asks any more.
    fn requests(&self) -> Option<Vec<Json>> {
        let mut inner = self.lock();
        if inner.known.is_empty() {
            inner.asked = false;
            return None;
        }
        let known: Vec<_> = inner.known.iter().collect();
        Some(known.chunks(TOGETHER).map(request).collect())
    }
}

fn request(known: &[(&u64, &Known)]) -> Json {
    let (mut people, mut members, mut tokens) = (vec![], vec![], vec![]);
    for (n, known) in known {
        match &known.actor.kind {
            ActorKind::Anonymous => {}
            ActorKind::Attendee {
                user_id,
                session_id,
            } => {
                people.push(json!({ "n": n, "session": session_id, "user": user_id }));
            }
            ActorKind::Member {
                user_id,
                session_id,
                org_id,
                permissions,
            } => {
                people.push(json!({ "n": n, "session": session_id, "user": user_id }));
                members.push(
                    json!({ "n": n, "user": user_id, "org": org_id, "permissions": permissions }),
                );
            }
            ActorKind::Token {
                token_id,
                permissions,
                ..
            } => {
                tokens.push(json!({ "n": n, "token": token_id, "permissions": permissions }));
            }
        }
    }
    json!({ "people": people, "members": members, "tokens": tokens })
}

/// Asks again and again, for as long as there is somebody.
async fn ask(app: App) {
    loop {
        sleep(EVERY).await;
        let standing = app.live.standing();
        standing.end_expired(app.clock.now());
        let Some(requests) = standing.requests() else {
            return;
        };
        for request in requests {
            match gone(&app, &request).await {
                Ok(gone) => gone.into_iter().for_each(|number| standing.end(number)),
                // Nothing can be read then either; it is asked again soon.
                Err(error) => tracing::warn!(%error, "whoever watches could not be judged anew"),
            }
        }
    }
}

async fn gone(app: &App, request: &Json) -> Result<Vec<u64>, Fault> {
    let answer = app
        .door
        .decide_as_system(SystemReason::Live, "live_standing", request)
        .await?;
    let gone = answer["gone"].as_array().map_or(&[][..], Vec::as_slice);
    Ok(gone.iter().filter_map(Json::as_u64).collect())
}
