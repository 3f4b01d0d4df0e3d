//! The one way of what a provider says into the books.

use std::time::Duration;

use moka::sync::Cache;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{CallFailed, DisputeFact, Fact, PaymentFact, PaymentWord, RefundFact, Waits};
use crate::{
    checkout::Held, fault::Fault, jobs::Failed, outcome, state::App, tenancy::SystemReason, tickets,
};

/// A function of payments in that organization, as the program.
pub(super) async fn decide(
    app: &App,
    org_id: Uuid,
    function: &'static str,
    request: &Json,
) -> Result<Json, Fault> {
    outcome::decide_for_many(app, SystemReason::Payments, org_id, function, request).await
}

/// What payments buy that were started in this process, so that codes are signed before the database asks for them. It is
/// not believed: what does not fit is asked for.
#[derive(Clone)]
pub(super) struct Started(Cache<Uuid, Held>);

impl Default for Started {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(50_000)
                .time_to_live(Duration::from_secs(1_800))
                .build(),
        )
    }
}

impl Started {
    /// Keeps in mind what that payment buys.
    pub fn keep(&self, payment_id: Uuid, held: Held) {
        self.0.insert(payment_id, held);
    }
}

/// Where something was heard, beside what was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct From {
    /// The account that spoke.
    pub account_id: Option<Uuid>,
    /// The event of the inbox.
    pub inbox_id: Option<Uuid>,
    /// Whether the provider was asked.
    pub asked: bool,
}

impl From {
    fn write(self, request: &mut Json) {
        if let Some(id) = self.account_id {
            request["account_id"] = json!(id);
        }
        if let Some(id) = self.inbox_id {
            request["inbox_id"] = json!(id);
        }
        if self.asked {
            request["asked"] = json!(true);
        }
    }
}

/// Takes over what was said of a payment. Tickets are signed when the database says that it needs them, and the money is
/// booked together with them; a registration that changed in between is looked at again.
pub(super) async fn payment(
    app: &App,
    org_id: Uuid,
    fact: &PaymentFact,
    from: From,
) -> Result<Json, Fault> {
    let mut request = serde_json::to_value(fact).map_err(Fault::internal)?;
    from.write(&mut request);
    if fact.status == PaymentWord::Succeeded
        && let Some(id) = fact.payment_id
        && let Some(held) = app.payments.started.0.remove(&id)
        && held.org_id == org_id
    {
        let place = (held.event_id, held.occurrence_id);
        request["tickets"] = tickets::for_items(app, org_id, place, &held.items).await?;
    }
    for _ in 0..4 {
        let answer = decide(app, org_id, "settle_payment", &request).await?;
        if outcome::word(&answer) != "tickets_needed" {
            app.jobs.wake();
            if let (Some(waits), "pending") = (&fact.waits, outcome::word(&answer)) {
                wait(app, org_id, fact.payment_id, waits).await?;
            }
            return Ok(answer);
        }
        let place = (
            outcome::key(&answer, "event_id")?,
            outcome::key(&answer, "occurrence_id")?,
        );
        let items: Vec<Uuid> =
            serde_json::from_value(answer["items"].clone()).map_err(Fault::internal)?;
        request["tickets"] = tickets::for_items(app, org_id, place, &items).await?;
    }
    Err(Fault::Unavailable(
        "a registration kept changing while it was paid".to_owned(),
    ))
}

/// Lets a registration wait for money that comes later.
async fn wait(app: &App, org_id: Uuid, id: Option<Uuid>, waits: &Waits) -> Result<(), Fault> {
    let request = json!({
        "payment_id": id, "due_at": waits.due_at, "instructions": waits.instructions,
    });
    decide(app, org_id, "payment_waits", &request).await?;
    Ok(())
}

/// Takes over what was said of a refund.
pub(super) async fn refund(
    app: &App,
    org_id: Uuid,
    fact: &RefundFact,
    from: From,
) -> Result<Json, Fault> {
    let mut request = serde_json::to_value(fact).map_err(Fault::internal)?;
    from.write(&mut request);
    let answer = decide(app, org_id, "settle_refund", &request).await?;
    app.jobs.wake();
    Ok(answer)
}

/// Takes over what was said of a dispute.
pub(super) async fn dispute(
    app: &App,
    org_id: Uuid,
    fact: &DisputeFact,
    from: From,
) -> Result<Json, Fault> {
    let mut request = serde_json::to_value(fact).map_err(Fault::internal)?;
    from.write(&mut request);
    let answer = decide(app, org_id, "settle_dispute", &request).await?;
    app.jobs.wake();
    Ok(answer)
}

/// Takes over what an event says.
pub(super) async fn fact(app: &App, org_id: Uuid, fact: &Fact, from: From) -> Result<Json, Fault> {
    let nothing = match fact {
        Fact::Payment(fact) => return payment(app, org_id, fact, from).await,
        Fact::Refund(fact) => return refund(app, org_id, fact, from).await,
        Fact::Dispute(fact) => return dispute(app, org_id, fact, from).await,
        Fact::Nothing(kind) => kind.clone(),
    };
    let request = json!({ "inbox_id": from.inbox_id, "detail": nothing });
    decide(app, org_id, "ignore_payment_event", &request).await
}

/// What an outcome means to the job that brought it.
pub(super) fn judge(answer: &Json) -> Result<(), Failed> {
    match outcome::word(answer) {
        "payment_not_found" | "refund_not_found" => Err(Failed::later(
            "the provider speaks of a payment that is not known here",
        )),
        "payment_not_settled" => Err(Failed::later(
            "the provider takes money back that it has not told us of yet",
        )),
        "differs" => {
            tracing::error!(%answer, "a provider's account of a payment differs from ours");
            Err(Failed::Never(
                "the provider's account of the payment differs from ours".to_owned(),
            ))
        }
        _ => Ok(()),
    }
}

/// A call that gave no answer, as a job's failure.
pub(super) fn unanswered(failed: CallFailed) -> Failed {
    match failed {
        CallFailed::Refused(word) => Failed::Never(format!("the provider refused: {word}")),
        CallFailed::Unknown(reason) => Failed::later(reason),
        // Members may mend the keys.
        failed @ CallFailed::Misconfigured(_) => Failed::later(failed.to_string()),
    }
}
