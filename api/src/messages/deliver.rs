//! Delivers a letter: takes it, makes its text, hands it to a provider, notes how that ended. No transaction is open while the
//! provider is asked. Between its yes and our note a process may die: then the letter is handed over once more, under the
//! same name, by which mail servers and readers tell that they have it (ADR 0028).

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    account,
    compose::{Composed, compose},
    providers::{self, Account, Outgoing, Provider, Receipt, Refused},
    reports,
};
use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Priority, Running},
    state::App,
};

/// Between attempts to note what came of a letter.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(6),
];

/// The job; whoever writes a letter enqueues it.
pub(super) struct DeliverMail;

/// Which letter.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    letter_id: Uuid,
}

#[async_trait]
impl Handler for DeliverMail {
    type Payload = Payload;

    const KIND: &'static str = "mail.deliver";

    fn policy() -> Policy {
        // Over about two days: mail servers are away for a weekend's half, seldom for longer.
        Policy::new()
            .queue("mail")
            .priority(Priority::Urgent)
            .attempts(20)
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let request = json!({ "letter_id": payload.letter_id });
        let told = job.decide("message_take", &request).await?;
        if told["outcome"] != "letter" {
            return Ok(());
        }
        // The letter is locked no longer; the job itself is this worker's alone.
        let account = told["account"].clone();
        let org_id = job.org_id;
        let composed = compose(&job.app, told).await?;
        let (provider, sent) = hand_over(&job.app, org_id, &account, &composed.outgoing).await?;
        settle(job, &composed, provider, sent).await
    }
}

/// To whom it goes, and what they said.
async fn hand_over(
    app: &App,
    org_id: Option<Uuid>,
    account: &Json,
    outgoing: &Outgoing,
) -> Result<(&'static str, Result<Receipt, Refused>), Fault> {
    if let (Some(org_id), true) = (org_id, account.is_object()) {
        let provider = own_provider(app, org_id, &outgoing.channel, account)?;
        return Ok((provider.name(), within_limits(&*provider, outgoing).await));
    }
    Ok(match &app.messages.smtp {
        Some(smtp) if smtp.capabilities().channel == outgoing.channel => {
            (smtp.name(), smtp.send(outgoing).await)
        }
        // It lies there already.
        None if outgoing.channel == "email" => ("mailbox", Ok(Receipt { reference: None })),
        _ => {
            let reason = "the organization has no account that carries such messages".to_owned();
            ("none", Err(Refused::Rejected(reason)))
        }
    })
}

/// The organization's own account.
fn own_provider(
    app: &App,
    org_id: Uuid,
    channel: &str,
    account: &Json,
) -> Result<Box<dyn Provider>, Fault> {
    let text = |name: &str| account[name].as_str().unwrap_or("").to_owned();
    let reports_to = account["id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .map(|id| {
            let public_url = &app.posture.public_url;
            reports::url(public_url, &text("provider"), id)
        });
    let account = Account {
        reports_to: reports_to.filter(|url| reports::is_callable(url)),
        provider: text("provider"),
        name: text("name"),
        sender: text("sender"),
        secret: account::open(&app.vault, org_id, channel, &text("sealed"))?,
    };
    providers::of_account(account, &app.messages.client, &app.messages.urls)
        .ok_or_else(|| Fault::Internal("an account at a provider that there is not".to_owned()))
}

/// What it cannot carry is not tried.
async fn within_limits(provider: &dyn Provider, outgoing: &Outgoing) -> Result<Receipt, Refused> {
    let can = provider.capabilities();
    let length = outgoing.text.chars().count();
    if can.channel != outgoing.channel || length > can.longest_text {
        let most = can.longest_text;
        return Err(Refused::Rejected(format!(
            "the text has {length} characters; {most} can be sent"
        )));
    }
    provider.send(outgoing).await
}

async fn settle(
    job: &Running,
    composed: &Composed,
    provider: &str,
    sent: Result<Receipt, Refused>,
) -> Result<(), Failed> {
    let outgoing = &composed.outgoing;
    let mut request = json!({ "letter_id": outgoing.id, "provider": provider });
    if !composed.written_out {
        request["subject"] = json!(outgoing.subject);
        request["body_text"] = json!(outgoing.text);
        request["body_html"] = json!(outgoing.html);
        request["calendar"] = json!(outgoing.calendar);
    }
    let (state, failure, again) = match sent {
        Ok(receipt) => {
            request["reference"] = json!(receipt.reference);
            ("sent", None, None)
        }
        Err(Refused::NoSuchRecipient(reason)) => ("bounced", Some(reason), None),
        Err(Refused::Rejected(reason)) => ("failed", Some(reason), None),
        Err(Refused::Later(reason, after)) => {
            // Nothing of it is kept but the try: its text is made anew, of what is true then. After the last try the job is
            // dead, and whoever lets it run again sends the letter still.
            request = json!({ "letter_id": outgoing.id, "provider": provider, "waits": true });
            let state = if job.last { "failed" } else { "queued" };
            (state, Some(reason.clone()), Some((reason, after)))
        }
    };
    request["state"] = json!(state);
    request["failure"] = json!(failure);
    let mut noted = note(job, &request, again.is_none()).await;
    for pause in PAUSES {
        if noted.is_ok() {
            break;
        }
        // It was sent: a database that is away for a moment must not make it go again.
        tokio::time::sleep(pause).await;
        noted = note(job, &request, again.is_none()).await;
    }
    noted?;
    match again {
        None => Ok(()),
        Some((reason, after)) => Err(Failed::Later {
            reason,
            after: after.map(Duration::from_secs),
        }),
    }
}

/// Writes down how it ended and, unless it goes on, that the job is done.
async fn note(job: &Running, request: &Json, ended: bool) -> Result<(), Failed> {
    let mut request = request.clone();
    if ended {
        job.name_in(&mut request);
    }
    job.decide("message_end", &request).await?;
    Ok(())
}
