//! `/webhooks/sendgrid/{account}` and `/webhooks/twilio/{account}`: where providers tell later what became of a message that
//! they had taken. The bytes are verified as they came, with what that account has for it; what says that a message did
//! not arrive becomes a job, once, for it may come before we have noted that the message was sent.

mod sendgrid;
mod twilio;

use std::{net::SocketAddr, time::Duration};

use async_trait::async_trait;
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

pub(super) use sendgrid::verification_key;

use super::{account, providers::reason};
use crate::{
    fault::Fault,
    http::Problem,
    jobs::{Failed, Handler, New, Policy, Priority, Running, enqueue_all},
    state::App,
    statements,
    tenancy::SystemReason,
    throttle::{self, Size},
};

/// How long it is remembered which reports there were: longer than providers repeat them.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// SendGrid gathers events until they have 768 KiB, or half a minute has passed.
const LARGEST: usize = 1024 * 1024;

/// The routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/webhooks/sendgrid/{account}", post(from_sendgrid))
        .route("/webhooks/twilio/{account}", post(from_twilio))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// Where an account's provider is to report to.
pub(super) fn url(public_url: &str, provider: &str, account_id: Uuid) -> String {
    format!("{public_url}/webhooks/{provider}/{account_id}")
}

/// Whether providers can call us there: they do over TLS only.
pub(super) fn is_callable(url: &str) -> bool {
    url.starts_with("https://")
}

/// What a provider said of a message.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Report {
    /// By which name the provider knows the report; the same when it is sent again.
    #[serde(skip)]
    key: String,
    about: About,
    verdict: Verdict,
    /// In the provider's words, cut.
    reason: String,
}

/// Which message.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum About {
    /// By our key, which went along.
    Letter(Uuid),
    /// By the provider's name for it.
    Reference(String),
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// There is nobody at that address, now and later.
    Bounced,
    /// This one did not arrive; the next may.
    Failed,
    /// It arrived, and was called unwanted.
    Complaint,
}

/// An account as it is needed here.
#[derive(Deserialize)]
struct Known {
    org_id: Uuid,
    provider: String,
    channel: String,
    webhook_key: Option<String>,
    sealed: String,
}

type Came = (State<App>, ConnectInfo<SocketAddr>, Path<String>, HeaderMap);

async fn from_sendgrid(from: Came, body: Bytes) -> Result<StatusCode, Problem> {
    take(from, "sendgrid", |_, known, headers| {
        let key = known.webhook_key.as_deref().unwrap_or_default();
        Ok(sendgrid::is_genuine(key, headers, &body).then(|| sendgrid::read(&body)))
    })
    .await
}

async fn from_twilio(from: Came, body: Bytes) -> Result<StatusCode, Problem> {
    let Path(account_id) = &from.2;
    let account_id: Uuid = account_id.parse().unwrap_or_default();
    take(from, "twilio", |app, known, headers| {
        let token = account::open(&app.vault, known.org_id, &known.channel, &known.sealed)?;
        let called = url(&app.posture.public_url, "twilio", account_id);
        let fields = twilio::fields(&body);
        Ok(twilio::is_genuine(&token, &called, headers, &fields).then(|| twilio::read(&fields)))
    })
    .await
}

/// Takes what came for an account: `read` gives the reports, or none if this was not sent by the provider.
async fn take(
    (State(app), ConnectInfo(peer), Path(account), headers): Came,
    provider: &'static str,
    read: impl FnOnce(&App, &Known, &HeaderMap) -> Result<Option<Vec<Report>>, Fault>,
) -> Result<StatusCode, Problem> {
    let from = throttle::client_address(peer.ip(), &headers, &app.posture.trusted_proxies);
    let account_id = account.parse::<Uuid>().ok();
    let known = match account_id {
        Some(id) => find(&app, id).await?,
        None => None,
    };
    let known = known.filter(|known| known.provider == provider);
    let (Some(known), Some(account_id)) = (known, account_id) else {
        count(&app, from).await?;
        return Err(Fault::NotFound("there is no such account".to_owned()).into());
    };
    let Some(reports) = read(&app, &known, &headers)? else {
        app.metrics.forged();
        tracing::warn!(
            target: "security",
            provider,
            account = %account_id,
            "a report was refused: it was not signed by the provider for this account"
        );
        count(&app, from).await?;
        return Err(Fault::BadInput("this was not sent by the provider".to_owned()).into());
    };
    if !reports.is_empty() {
        keep(&app, known.org_id, account_id, reports).await?;
    }
    Ok(StatusCode::OK)
}

async fn find(app: &App, account_id: Uuid) -> Result<Option<Known>, Fault> {
    let request = json!({ "account_id": account_id });
    let found = app
        .door
        .decide_as_system(SystemReason::Messages, "message_account_of", &request)
        .await?;
    serde_json::from_value(found).map_err(Fault::internal)
}

/// Who sends much that is refused is refused for a while.
async fn count(app: &App, from: std::net::IpAddr) -> Result<(), Fault> {
    let by = format!("client:{}", throttle::client_key(Some(from)));
    let size = Size::one_every(300, 2_000);
    app.throttle.count("forged-webhook", &by, size).await
}

/// A job each; one that was sent before has one already.
async fn keep(
    app: &App,
    org_id: Uuid,
    account_id: Uuid,
    reports: Vec<Report>,
) -> Result<(), Fault> {
    let jobs = reports.into_iter().map(|report| {
        let key = format!("{account_id} {}", report.key);
        let payload = Payload { account_id, report };
        Ok(New::of::<NoteReport>(&payload)?.once(key))
    });
    let jobs = jobs.collect::<Result<Vec<_>, Fault>>()?;
    let tx = app.door.system_at(SystemReason::Messages, org_id).await?;
    enqueue_all(&tx, jobs).await?;
    tx.commit().await?;
    app.jobs.wake();
    Ok(())
}

/// The job: moves the log, and stops what is no use.
pub(super) struct NoteReport;

/// What it is told.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    account_id: Uuid,
    report: Report,
}

#[async_trait]
impl Handler for NoteReport {
    type Payload = Payload;

    const KIND: &'static str = "messages.report";

    fn policy() -> Policy {
        Policy::new()
            .priority(Priority::Bulk)
            .attempts(6)
            .keep(REMEMBERED)
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let report = payload.report;
        let (letter, reference) = match report.about {
            About::Letter(id) => (json!(id), Json::Null),
            About::Reference(name) => (Json::Null, json!(name)),
        };
        let request = json!({
            "account_id": payload.account_id, "letter_id": letter, "reference": reference, "verdict": report.verdict,
            "reason": report.reason,
        });
        let tx = job.begin().await?;
        let noted = statements::call(&tx, "note_message_report", request)
            .await
            .map_err(Fault::from)?;
        if noted["outcome"] == "unknown" && !job.last {
            // It was quicker than we were.
            return Err(Failed::later("there is no such message yet"));
        }
        job.finish_in(&tx).await?;
        Ok(tx.commit().await.map_err(Fault::from)?)
    }
}
