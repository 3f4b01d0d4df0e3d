//! Delivers a letter: takes it, makes its text, hands it to a provider, notes how that ended. No transaction is open while the
//! provider is asked. Between its yes and our note a process may die: then the letter is handed over once more, under the
//! same name, by which mail servers and readers tell that they have it (ADR 0028).

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    compose::{Composed, compose},
    providers::{Outgoing, Provider, Receipt, Refused},
};
use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Priority, Running},
    state::App,
    statements,
};

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
        Policy::new().queue("mail").priority(Priority::Urgent)
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let tx = job.begin().await?;
        let request = json!({ "letter_id": payload.letter_id });
        let told = statements::call(&tx, "message_take", request)
            .await
            .map_err(Fault::from)?;
        if told["outcome"] != "letter" {
            job.finish_in(&tx).await?;
            return Ok(tx.commit().await.map_err(Fault::from)?);
        }
        // The letter is locked no longer; the job itself is this worker's alone.
        tx.commit().await.map_err(Fault::from)?;
        let composed = compose(&job.app, told).await?;
        let (provider, sent) = hand_over(&job.app, &composed.outgoing).await;
        settle(job, &composed, provider, sent).await
    }
}

/// To whom it goes, and what they said.
async fn hand_over(app: &App, outgoing: &Outgoing) -> (&'static str, Result<Receipt, Refused>) {
    match provider(app, outgoing) {
        Some(provider) => (provider.name(), provider.send(outgoing).await),
        // It lies there already.
        None => ("mailbox", Ok(Receipt { reference: None })),
    }
}

fn provider<'a>(app: &'a App, outgoing: &Outgoing) -> Option<&'a dyn Provider> {
    let smtp = app.messages.smtp.as_deref()?;
    (smtp.capabilities().channel == outgoing.channel).then_some(smtp)
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
        Err(Refused::Later(reason, _)) if job.last => ("failed", Some(reason), None),
        Err(Refused::Later(reason, after)) => {
            // Nothing of it is kept but the try: its text is made anew, of what is true then.
            request = json!({ "letter_id": outgoing.id, "provider": provider });
            ("queued", Some(reason.clone()), Some((reason, after)))
        }
    };
    request["state"] = json!(state);
    request["failure"] = json!(failure);
    let tx = job.begin().await?;
    statements::run(
        &tx,
        "select public.message_settle($1)",
        [Json::into(request)],
    )
    .await
    .map_err(Fault::from)?;
    if again.is_none() {
        job.finish_in(&tx).await?;
    }
    tx.commit().await.map_err(Fault::from)?;
    match again {
        None => Ok(()),
        Some((reason, after)) => Err(Failed::Later {
            reason,
            after: after.map(std::time::Duration::from_secs),
        }),
    }
}
