//! Tells the provider of a refund that was promised. Before each repetition the provider is asked what became of the last
//! attempt (R15).

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    CallFailed, NewRefund, RefundFact, RefundWord, accounts,
    apply::own,
    settle::{self, From, unanswered},
};
use crate::{
    fault::Fault,
    jobs::{Backoff, Failed, Handler, Policy, Running},
    outcome,
};

/// The job; the database enqueues it with the refund.
pub(super) struct SendRefund;

/// Which refund.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    refund_id: Uuid,
}

#[derive(Debug, Deserialize)]
struct Begun {
    account_id: Uuid,
    payment_id: Uuid,
    payment_reference: String,
    amount_minor: i64,
    currency: String,
    told_before: bool,
}

#[async_trait]
impl Handler for SendRefund {
    type Payload = Payload;

    const KIND: &'static str = "payments.refund";

    fn policy() -> Policy {
        Policy::new().queue("payments").backoff(Backoff::new(
            Duration::from_secs(1),
            Duration::from_secs(3600),
        ))
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let org_id = own(job)?;
        let app = &job.app;
        let request = json!({ "refund_id": payload.refund_id });
        let begun = settle::decide(app, org_id, "begin_refund", &request).await?;
        if outcome::word(&begun) != "begun" {
            return Ok(());
        }
        let begun: Begun = serde_json::from_value(begun).map_err(Fault::internal)?;
        let (account, provider) = accounts::of_ours(app, begun.account_id).await?;
        let refund = NewRefund {
            id: payload.refund_id,
            payment_id: begun.payment_id,
            payment_reference: begun.payment_reference,
            amount_minor: begun.amount_minor,
            currency: begun.currency,
        };
        let known = match begun.told_before {
            true => app
                .payments
                .call(provider.fetch_refund(app, &account, &refund))
                .await
                .map_err(unanswered)?,
            false => None,
        };
        let fact = match known {
            Some(fact) => fact,
            None => match app
                .payments
                .call(provider.refund(app, &account, &refund))
                .await
            {
                Ok(fact) => fact,
                Err(CallFailed::Refused(word)) => not_done(&refund, word),
                Err(unknown) => return Err(unanswered(unknown)),
            },
        };
        let fact = RefundFact {
            refund_id: Some(payload.refund_id),
            ..fact
        };
        let from = From {
            account_id: Some(account.id),
            ..From::default()
        };
        settle::judge(&settle::refund(app, org_id, &fact, from).await?)
    }
}

fn not_done(refund: &NewRefund, word: String) -> RefundFact {
    RefundFact {
        refund_id: Some(refund.id),
        payment_reference: refund.payment_reference.clone(),
        provider_reference: None,
        status: RefundWord::Failed,
        amount_minor: refund.amount_minor,
        currency: refund.currency.clone(),
        failure: Some(word),
    }
}
