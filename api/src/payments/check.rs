//! Asks providers about payments of which nothing was heard, so that a webhook that never comes loses no sale, and before
//! an unpaid registration loses its places.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Order, accounts,
    apply::own,
    returning,
    settle::{self, From, unanswered},
};
use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Running},
    tenancy::SystemReason,
};

const BATCH: i32 = 200;

/// After that time a payment that the provider never heard of will not be told to it any more.
const GIVE_UP: i64 = 900;

/// Chooses what is to be asked, by the clock.
pub(super) struct PollProviders;

#[async_trait]
impl Handler for PollProviders {
    type Payload = ();

    const KIND: &'static str = "payments.poll";

    fn policy() -> Policy {
        Policy::often()
    }

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        let request = json!({ "limit": BATCH });
        let chosen = job
            .app
            .door
            .decide_as_system(SystemReason::Payments, "due_payment_checks", &request)
            .await
            .map_err(Fault::from)?;
        tracing::debug!(%chosen, "payments to ask about");
        job.app.jobs.wake();
        Ok(())
    }
}

/// Asks about one payment.
pub(super) struct CheckPayment;

/// Which one.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    payment_id: Uuid,
}

/// A payment as `payment_to_check` tells it.
#[derive(Debug, Deserialize)]
pub(super) struct Known {
    payment_id: Uuid,
    pub account_id: Uuid,
    pub status: String,
    provider_reference: Option<String>,
    amount_minor: i64,
    received_minor: Option<i64>,
    currency: String,
    return_url: Option<String>,
    return_origins: Vec<String>,
    description: String,
    buyer_name: String,
    buyer_email: String,
    age_seconds: i64,
    /// Where the buyer pays.
    pub checkout_url: Option<String>,
    /// How, where that is told in words.
    pub instructions: Option<String>,
    /// What is paid for, and to whom: for the buyer's eyes.
    pub event_title: String,
    pub organizer: String,
}

impl Known {
    /// As providers are told of it.
    pub fn order(&self) -> Order {
        Order {
            id: self.payment_id,
            provider_reference: self.provider_reference.clone(),
            amount_minor: self.amount_minor,
            received_minor: self.received_minor,
            currency: self.currency.clone(),
            description: self.description.clone(),
            buyer_name: self.buyer_name.clone(),
            buyer_email: self.buyer_email.clone(),
            return_url: self.return_url.clone(),
        }
    }
}

/// The payment with that key. Where buyers may not be sent any more they are not.
pub(super) async fn known(
    app: &crate::state::App,
    org_id: Uuid,
    payment_id: Uuid,
) -> Result<Option<Known>, Fault> {
    let request = json!({ "payment_id": payment_id });
    let known = settle::decide(app, org_id, "payment_to_check", &request).await?;
    let mut known: Option<Known> = serde_json::from_value(known).map_err(Fault::internal)?;
    if let Some(known) = &mut known {
        let home = &app.posture.public_url;
        let url = known.return_url.take();
        known.return_url =
            url.and_then(|url| returning::allowed(&url, home, &known.return_origins));
    }
    Ok(known)
}

#[async_trait]
impl Handler for CheckPayment {
    type Payload = Payload;

    const KIND: &'static str = "payments.check";

    fn policy() -> Policy {
        // The next question is asked by the clock anyway.
        Policy::new().queue("payments").attempts(3)
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let org_id = own(job)?;
        let app = &job.app;
        let id = payload.payment_id;
        let Some(payment) = known(app, org_id, id).await? else {
            return Ok(());
        };
        if !matches!(payment.status.as_str(), "created" | "pending") {
            return Ok(());
        }
        let (account, provider) = accounts::of_ours(app, payment.account_id).await?;
        let order = payment.order();
        let asked = provider.fetch(app, &account, &order);
        let from = From {
            account_id: Some(account.id),
            asked: true,
            inbox_id: None,
        };
        let answer = match app.payments.call(asked).await.map_err(unanswered)? {
            Some(mut fact) => {
                fact.payment_id = Some(id);
                settle::payment(app, org_id, &fact, from).await?
            }
            None => {
                let given_up = payment.age_seconds > GIVE_UP;
                let status = if given_up { "failed" } else { "created" };
                let request = json!({
                    "payment_id": id, "status": status, "failure": "never_reached_the_provider", "asked": true,
                });
                settle::decide(app, org_id, "settle_payment", &request).await?
            }
        };
        settle::judge(&answer)
    }
}
