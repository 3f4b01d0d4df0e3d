//! An attempt at a delivery. When to try again is decided here, not by the queue: the times are those that integrators
//! are told of, and waiting for an endpoint that rests is no attempt.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    QUEUE,
    render::{self, Message},
    sender::{Response, SendError},
    sign::{self, SigningSecret},
};
use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Running},
    outcome, statements,
    tenancy::TenantTx,
};

/// Between attempts, seconds: three days and a half in all. Each is made up to a fifth longer, by chance.
const PAUSES: [u32; 11] = [
    5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 57_600, 64_800, 64_800,
];
/// How long to wait where an organization has all the places that it may have.
const CROWDED: Duration = Duration::from_secs(1);
/// An endpoint that says when to come again is not believed beyond this.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// The job, one a delivery; see `es.enqueue_webhook_deliveries`.
pub(super) struct Deliver;

/// Which delivery, and whose.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    delivery_id: Uuid,
    endpoint_id: Uuid,
}

#[derive(Deserialize)]
struct Due {
    #[serde(flatten)]
    message: Message,
    attempts: usize,
    url: String,
    sealed: String,
    previous_sealed: Option<String>,
}

/// What an attempt came to.
enum Tried {
    /// It was sent, or tried to.
    Sent(Result<Response, SendError>),
    /// Nothing could be sent: its query was not answered, or its secret cannot be read.
    Own(Fault),
}

/// How an attempt ended.
struct Ended {
    word: &'static str,
    failure: Option<String>,
    after: Option<Duration>,
}

#[async_trait]
impl Handler for Deliver {
    type Payload = Payload;

    const KIND: &'static str = "webhooks.deliver";

    fn policy() -> Policy {
        // The delivery has its own count; these are for what happens to workers and the database.
        Policy::new().queue(QUEUE_NAME).attempts(100)
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let id = payload.delivery_id;
        match attempt(job, &payload).await {
            // The queue gives the job up: then the delivery is over too, and can be replayed.
            Err(Failed::Later { reason, .. }) if job.last => give_up(job, id, reason).await,
            Err(Failed::Never(reason)) => give_up(job, id, reason).await,
            tried => tried,
        }
    }
}

async fn give_up(job: &Running, id: Uuid, reason: String) -> Result<(), Failed> {
    let request =
        json!({ "id": id, "ended": "dead", "own": true, "failure": reason, "took_ms": 0 });
    let tx = job.begin().await?;
    statements::call(&tx, "note_webhook_attempt", request)
        .await
        .map_err(Fault::from)?;
    end(job, tx).await
}

/// A delivery that is over, or put aside, ends with its job, in one transaction: whoever sends it again later finds
/// none in its way.
async fn end(job: &Running, tx: TenantTx) -> Result<(), Failed> {
    job.finish_in(&tx).await?;
    Ok(tx.commit().await.map_err(Fault::from)?)
}

async fn attempt(job: &Running, payload: &Payload) -> Result<(), Failed> {
    let id = payload.delivery_id;
    let Some(org_id) = job.org_id else {
        return Err(Failed::Never("it belongs to no organization".to_owned()));
    };
    let Some(place) = job.app.webhooks.crowd.enter(org_id, payload.endpoint_id) else {
        return Err(Failed::NotYet(longer(CROWDED)));
    };
    let tx = job.begin().await?;
    let mut due = statements::call(&tx, "begin_webhook_attempt", json!({ "id": id }))
        .await
        .map_err(Fault::from)?;
    match outcome::word(&due) {
        "send" => tx.commit().await.map_err(Fault::from)?,
        "rest" => {
            let rest = due["seconds"].as_f64().unwrap_or(1.0).max(0.1);
            return Err(Failed::NotYet(longer(Duration::from_secs_f64(rest))));
        }
        _ => return end(job, tx).await,
    }
    let kept = due["body"].take();
    let due: Due = serde_json::from_value(due).map_err(Fault::internal)?;
    let begun = Instant::now();
    let tried = match prepare(job, org_id, id, &due, kept).await {
        // Its scopes were changed meanwhile: made anew with those.
        Ok(None) => return Err(Failed::NotYet(longer(CROWDED))),
        Ok(Some((headers, body))) => {
            let sender = &job.app.webhooks.sender;
            Tried::Sent(sender.post(&due.url, headers, body).await)
        }
        // The organization has used up its points, or the database is away: nobody's fault, and no attempt.
        Err(fault @ (Fault::Throttled { .. } | Fault::Unavailable(_))) => return Err(fault.into()),
        Err(fault) => {
            if let Fault::Internal(inner) = &fault {
                tracing::error!(delivery = %id, error = %inner, "a webhook could not be made");
            }
            Tried::Own(fault)
        }
    };
    let took = begun.elapsed();
    place.took(took, matches!(&tried, Tried::Sent(Ok(_))));
    note(job, id, &due, tried, took).await
}

/// What is sent: rendered now, or as it was kept. None if what was rendered must not be sent any more.
async fn prepare(
    job: &Running,
    org_id: Uuid,
    id: Uuid,
    due: &Due,
    kept: Json,
) -> Result<Option<(HeaderMap, String)>, Fault> {
    let body = match kept {
        Json::String(body) => body,
        _ => {
            let message = &due.message;
            let body = render::body(&job.app, org_id, message).await?;
            let keep = json!({
                "id": id, "body": body, "api_version": message.api_version, "scopes": message.scopes,
            });
            let mut kept = call(job, "keep_webhook_body", keep).await?;
            match kept["body"].take() {
                Json::String(body) => body,
                _ => return Ok(None),
            }
        }
    };
    Ok(Some((headers(job, due, &body)?, body)))
}

const QUEUE_NAME: &str = QUEUE.name();

async fn call(job: &Running, function: &'static str, request: Json) -> Result<Json, Fault> {
    let tx = job.begin().await?;
    let answer = statements::call(&tx, function, request).await?;
    tx.commit().await?;
    Ok(answer)
}

fn headers(job: &Running, due: &Due, body: &str) -> Result<HeaderMap, Fault> {
    let sealed = [Some(&due.sealed), due.previous_sealed.as_ref()];
    let endpoint_id = due.message.endpoint_id;
    let secrets: Vec<SigningSecret> = sealed
        .into_iter()
        .flatten()
        .map(|sealed| SigningSecret::open(&job.app.vault, endpoint_id, sealed))
        .collect::<Result<_, _>>()?;
    let timestamp = job.app.clock.now().timestamp();
    let signatures = sign::signatures(&secrets, &due.message.message_id, timestamp, body);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("webhook-id", due.message.message_id.clone()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures),
    ] {
        let value = HeaderValue::try_from(value).map_err(Fault::internal)?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

/// Writes what came of it; a delivery that is over ends with its job, in one transaction.
async fn note(
    job: &Running,
    id: Uuid,
    due: &Due,
    tried: Tried,
    took: Duration,
) -> Result<(), Failed> {
    let ended = ended(due.attempts, &tried);
    let own = matches!(tried, Tried::Own(_));
    let response = match tried {
        Tried::Sent(Ok(response)) => Some(response),
        Tried::Sent(Err(_)) | Tried::Own(_) => None,
    };
    let request = json!({
        "id": id,
        "ended": ended.word,
        "own": own,
        "failure": ended.failure,
        "after_seconds": ended.after.map(|after| after.as_secs_f64()),
        "response_status": response.as_ref().map(|response| response.status),
        "response_body": response.as_ref().map(|response| &response.body),
        "took_ms": u32::try_from(took.as_millis()).unwrap_or(u32::MAX / 2),
    });
    let tx = job.begin().await?;
    statements::call(&tx, "note_webhook_attempt", request)
        .await
        .map_err(Fault::from)?;
    if ended.after.is_none() {
        job.finish_in(&tx).await?;
    }
    tx.commit().await.map_err(Fault::from)?;
    match ended.after {
        None => Ok(()),
        after => Err(Failed::Later {
            reason: ended.failure.unwrap_or_default(),
            after,
        }),
    }
}

fn ended(attempts: usize, tried: &Tried) -> Ended {
    let (failure, asked) = match tried {
        Tried::Sent(Ok(response)) if (200..300).contains(&response.status) => {
            return Ended {
                word: "delivered",
                failure: None,
                after: None,
            };
        }
        Tried::Sent(Ok(response)) if response.status == 410 => {
            return Ended {
                word: "gone",
                failure: Some("the endpoint answered 410 and was turned off".to_owned()),
                after: None,
            };
        }
        Tried::Sent(Ok(response)) if (300..400).contains(&response.status) => (
            format!("answered {}; redirects are not followed", response.status),
            None,
        ),
        Tried::Sent(Ok(response)) => (
            format!("answered {}", response.status),
            retry_after(&response.headers),
        ),
        Tried::Sent(Err(error)) => (error.to_string(), None),
        Tried::Own(fault) => (format!("nothing could be sent: {fault}"), None),
    };
    let pause = PAUSES.get(attempts).map(|seconds| {
        let pause = Duration::from_secs(u64::from(*seconds));
        longer(pause.max(asked.unwrap_or_default()))
    });
    Ended {
        word: match pause {
            Some(_) => "failed",
            None => "dead",
        },
        failure: Some(failure),
        after: pause,
    }
}

/// Seconds; dates are rare there.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?;
    let asked = Duration::from_secs(text.trim().parse().ok()?);
    Some(asked.min(LONGEST_PAUSE))
}

/// Up to a fifth longer, so that what failed together does not come back together.
fn longer(pause: Duration) -> Duration {
    let chance = f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
    pause.mul_f64(1.0 + chance / 5.0)
}
