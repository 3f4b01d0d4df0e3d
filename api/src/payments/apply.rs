//! Applies one event of the inbox: once in effect, however often and in whatever order events came.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::time::Duration;
use uuid::Uuid;

use super::{
    CallFailed, Fact, accounts,
    settle::{self, From, unanswered},
};
use crate::{
    fault::Fault,
    jobs::{Backoff, Failed, Handler, Policy, Priority, Running},
    outcome,
    vault::unhex,
};

/// The job; `take_payment_event` enqueues it with the event.
pub(super) struct ApplyEvent;

/// Which event.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    inbox_id: Uuid,
}

#[async_trait]
impl Handler for ApplyEvent {
    type Payload = Payload;

    const KIND: &'static str = "payments.apply";

    fn policy() -> Policy {
        // An event that matches nothing yet is looked at again for some hours.
        Policy::new()
            .queue("payments")
            .priority(Priority::Urgent)
            .attempts(12)
            .backoff(Backoff::new(
                Duration::from_secs(1),
                Duration::from_secs(3600),
            ))
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let org_id = own(job)?;
        let request = json!({ "inbox_id": payload.inbox_id });
        let event = settle::decide(&job.app, org_id, "payment_event_to_apply", &request).await?;
        if outcome::word(&event) != "waiting" {
            return Ok(());
        }
        let account_id = outcome::key(&event, "account_id")?;
        let body = event["body"].as_str().and_then(unhex).unwrap_or_default();
        let (account, provider) = accounts::of_ours(&job.app, account_id).await?;
        let read = provider.read(&job.app, &account, &body);
        let mut facts = match job.app.payments.call(read).await {
            Err(CallFailed::Refused(_)) => {
                let reason = "what the provider sent cannot be read";
                return Err(Failed::Never(reason.to_owned()));
            }
            facts => facts.map_err(unanswered)?,
        };
        // The event has ended when its last fact is taken over; what came before is the same when it is said again.
        let last = facts
            .pop()
            .unwrap_or_else(|| Fact::Nothing("nothing".to_owned()));
        let from = From {
            account_id: Some(account.id),
            ..From::default()
        };
        for fact in facts {
            let answer = settle::fact(&job.app, org_id, &fact, from).await?;
            if !is_foreign(job, &answer) {
                settle::judge(&answer)?;
            }
        }
        let from = From {
            inbox_id: Some(payload.inbox_id),
            ..from
        };
        let answer = settle::fact(&job.app, org_id, &last, from).await?;
        if is_foreign(job, &answer) {
            let nothing = Fact::Nothing("of no payment of ours".to_owned());
            settle::fact(&job.app, org_id, &nothing, from).await?;
            return Ok(());
        }
        settle::judge(&answer)
    }
}

/// Who sells by the same account in other ways too has refunds and disputes that are none of ours. What we know nothing of
/// after all that time is taken for such: reconciliations tell of it, and nobody has to look after it.
fn is_foreign(job: &Running, answer: &Json) -> bool {
    job.last && outcome::word(answer) == "payment_not_found"
}

/// The organization of a job of ours.
pub(super) fn own(job: &Running) -> Result<Uuid, Failed> {
    job.org_id.ok_or_else(|| {
        Fault::Internal("a job of payments without an organization".to_owned()).into()
    })
}
