//! One batch: the function for many in one transaction; and where that fails, the function for one, one by one.

use std::time::Duration;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Kind, Served, Wish};
use crate::{
    fault::Fault,
    outcome,
    state::App,
    tenancy::{SystemReason, Undecided},
    vault::hex,
};

/// Longer than any statement may take: only a connection that hangs takes longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Two batches of two processes that met in a circle are tried again so often.
const TRIES: usize = 3;

impl Kind {
    fn for_many(self) -> &'static str {
        match self {
            Self::Place => "place_registrations",
            Self::Confirm => "confirm_registrations",
        }
    }

    fn for_one(self) -> &'static str {
        match self {
            Self::Place => "place_registration",
            Self::Confirm => "confirm_registration",
        }
    }
}

/// Serves all of them; answers in their order, one for each.
pub(super) async fn serve(app: &App, org_id: Uuid, kind: Kind, wishes: Vec<Wish>) -> Vec<Served> {
    let count = wishes.len();
    match tokio::time::timeout(PATIENCE, together(app, org_id, kind, &wishes)).await {
        Ok(Ok(answers)) if answers.len() == count => answers.into_iter().map(understood).collect(),
        Ok(Ok(answers)) => everybody(
            &Fault::Internal(format!("{count} asked and {} answered", answers.len())),
            count,
        ),
        Ok(Err(Failed::Whole(fault))) => everybody(&fault, count),
        Ok(Err(Failed::Divisible(error))) => {
            tracing::warn!(?kind, count, %error, "a batch failed; served one by one");
            let mut served = Vec::with_capacity(count);
            for wish in &wishes {
                let one = tokio::time::timeout(PATIENCE, alone(app, org_id, kind, wish));
                served.push(one.await.unwrap_or(Err(Fault::Timeout)));
            }
            served
        }
        Err(_) => everybody(&Fault::Timeout, count),
    }
}

/// Why a batch gave no answers.
enum Failed {
    /// One request may be the reason: the others are served without it.
    Divisible(String),
    /// No connection, or no time: it would be the same for each.
    Whole(Fault),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unavailable(_) | Fault::Timeout => Self::Whole(fault),
            other => Self::Divisible(match other {
                Fault::Internal(cause) => cause,
                told => told.to_string(),
            }),
        }
    }
}

async fn together(
    app: &App,
    org_id: Uuid,
    kind: Kind,
    wishes: &[Wish],
) -> Result<Vec<Json>, Failed> {
    let batch: Vec<Json> = wishes.iter().map(element).collect();
    let batch = Json::Array(batch);
    let mut tried = 1;
    loop {
        match once(app, org_id, kind, &batch).await {
            Ok(Json::Array(answers)) => return Ok(answers),
            Ok(other) => return Err(Failed::Divisible(format!("an odd answer: {other}"))),
            Err(Refused::Met) if tried < TRIES => tried += 1,
            Err(Refused::Met) => return Err(Failed::Divisible("deadlocks".to_owned())),
            Err(Refused::Fault(fault)) => return Err(fault.into()),
        }
    }
}

enum Refused {
    /// A deadlock: the other went on, and now it is our turn.
    Met,
    Fault(Fault),
}

/// The one place that sends a batch: settings, the function and its commit in one flight.
async fn once(app: &App, org_id: Uuid, kind: Kind, batch: &Json) -> Result<Json, Refused> {
    let function = kind.for_many();
    let decided = app
        .door
        .decide_for_many(SystemReason::Counter, org_id, function, batch)
        .await;
    decided.map_err(|error| match error {
        Undecided::Sql { code, .. } if matches!(code.as_str(), "40P01" | "40001") => Refused::Met,
        error => Refused::Fault(error.into()),
    })
}

/// How the function for many is told of a buyer.
fn element(wish: &Wish) -> Json {
    let hashes: Vec<String> = wish
        .buyer
        .guest
        .secret_hashes
        .iter()
        .map(|hash| hex(hash))
        .collect();
    json!({
        "actor": wish.buyer.audit_name(),
        "user_id": wish.buyer.user_id(),
        "guest_hashes": hashes,
        "request": wish.request,
    })
}

async fn alone(app: &App, org_id: Uuid, kind: Kind, wish: &Wish) -> Served {
    let answer =
        outcome::decide_as(app, &wish.buyer, org_id, kind.for_one(), &wish.request).await?;
    Ok(json!({ "outcome": answer }))
}

fn understood(answer: Json) -> Served {
    match outcome::word(&answer["outcome"]) {
        "key_conflict" => Err(Fault::Conflict(
            "this idempotency key was used for another request".to_owned(),
        )),
        _ => Ok(answer),
    }
}

/// The same fault for each of so many.
pub(super) fn everybody(fault: &Fault, count: usize) -> Vec<Served> {
    let same = || match fault {
        Fault::Timeout => Fault::Timeout,
        Fault::Unavailable(cause) => Fault::Unavailable(cause.clone()),
        Fault::Internal(cause) => Fault::Internal(cause.clone()),
        other => Fault::Internal(other.to_string()),
    };
    (0..count).map(|_| Err(same())).collect()
}
