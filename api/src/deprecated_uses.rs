//! Counts who still uses what will be removed from the API, so that an organization sees which of its programs must
//! change. Counted in memory, where it slows no request, and added to the database every few seconds and at the end.
//! A process that is killed loses what it counted since.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use eventsphere_entities::deprecated_uses::Caller;
use eventsphere_graphql::Deprecated;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    fault::Fault,
    state::App,
    statements,
    tenancy::{Actor, ActorKind, Door, SystemReason},
};

const PAUSE: Duration = Duration::from_secs(5);
/// Different uses kept between two writings; what is beyond is not counted. Callers are who signed in, and coordinates
/// are ours, so nobody comes near by chance.
const MOST: usize = 50_000;

/// What is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Use {
    org_id: Option<Uuid>,
    caller: &'static str,
    api_token_id: Option<Uuid>,
    coordinate: String,
    day: NaiveDate,
}

/// The counts since they were last written. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct DeprecatedUses {
    counts: Arc<Mutex<HashMap<Use, u64>>>,
}

impl DeprecatedUses {
    /// One operation of this actor used these.
    pub fn count(&self, actor: &Actor, used: &[Arc<Deprecated>], now: DateTime<Utc>) {
        let (caller, api_token_id) = match &actor.kind {
            ActorKind::Token { token_id, .. } => (Caller::Token, Some(*token_id)),
            ActorKind::Member { .. } => (Caller::Member, None),
            ActorKind::Attendee { .. } => (Caller::Attendee, None),
            ActorKind::Anonymous => (Caller::Visitor, None),
        };
        let uses = used.iter().map(|deprecated| Use {
            org_id: actor.org_id(),
            caller: caller.as_str(),
            api_token_id,
            coordinate: deprecated.coordinate.clone(),
            day: now.date_naive(),
        });
        self.add(uses.map(|one| (one, 1)));
    }

    /// Adds what was counted to the database. What cannot be written stays counted.
    pub async fn write(&self, door: &Door) -> Result<(), Fault> {
        let counts = std::mem::take(&mut *self.lock());
        if counts.is_empty() {
            return Ok(());
        }
        let written = add_up(door, &counts).await;
        if written.is_err() {
            self.add(counts);
        }
        written
    }

    fn add(&self, uses: impl IntoIterator<Item = (Use, u64)>) {
        let mut counts = self.lock();
        for (one, times) in uses {
            if counts.len() < MOST || counts.contains_key(&one) {
                *counts.entry(one).or_default() += times;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Use, u64>> {
        // Whoever panicked left whole numbers behind.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what was counted until no request is under way any more, then once more.
pub async fn keep(app: App, drained: CancellationToken) {
    loop {
        let last = tokio::select! {
            () = tokio::time::sleep(PAUSE) => false,
            () = drained.cancelled() => true,
        };
        if let Err(error) = app.deprecated_uses.write(&app.door).await {
            tracing::warn!(%error, last, "uses of the deprecated could not be written");
        }
        if last {
            return;
        }
    }
}

async fn add_up(door: &Door, counts: &HashMap<Use, u64>) -> Result<(), Fault> {
    let uses: Vec<_> = counts
        .iter()
        .map(|(one, times)| {
            json!({
                "org_id": one.org_id,
                "caller": one.caller,
                "api_token_id": one.api_token_id,
                "coordinate": one.coordinate,
                "day": one.day.and_time(NaiveTime::MIN).and_utc(),
                "uses": times,
            })
        })
        .collect();
    let tx = door.system(SystemReason::DeprecatedUses).await?;
    statements::run(
        &tx,
        "select public.count_deprecated_uses($1)",
        [json!(uses).into()],
    )
    .await?;
    Ok(tx.commit().await?)
}
