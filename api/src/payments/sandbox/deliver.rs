//! Webhooks of the sandbox: signed, and sent over HTTP to the address of the account's webhooks, until they are taken.
//!
//! `Sandbox-Signature` is of the form that `signature.rs` tells; the key is the account's `webhook_secret`.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Event;
use crate::{
    fault::Fault,
    jobs::{Backoff, Failed, Handler, Policy, Priority, Running},
    payments::{accounts, signature},
};

pub(super) const HEADER: &str = "sandbox-signature";

/// Sends one event.
pub(crate) struct Deliver;

/// Which one, and to whom.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Payload {
    account_id: Uuid,
    event: Event,
}

#[async_trait]
impl Handler for Deliver {
    type Payload = Payload;

    const KIND: &'static str = "sandbox.deliver";

    fn policy() -> Policy {
        Policy::new()
            .queue("payments")
            .priority(Priority::Urgent)
            .backoff(Backoff::new(
                Duration::from_secs(1),
                Duration::from_secs(600),
            ))
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let app = &job.app;
        let (account, _) = accounts::of_ours(app, payload.account_id).await?;
        let body = serde_json::to_vec(&payload.event).map_err(Fault::internal)?;
        let seconds = app.clock.now().timestamp();
        let signature = signature::sign(account.credential("webhook_secret"), seconds, &body);
        let url = format!("{}/webhooks/sandbox/{}", app.posture.public_url, account.id);
        let sent = app
            .payments
            .http
            .post(url)
            .header(HEADER, signature)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await;
        match sent {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(Failed::later(format!("answered with {}", answer.status()))),
            Err(error) => {
                tracing::warn!(%error, "a webhook of the sandbox was not delivered");
                Err(Failed::later("nobody answered"))
            }
        }
    }
}
