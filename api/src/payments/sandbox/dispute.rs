//! Disputes at the sandbox: the buyer opens one on the page, the sandbox takes the money back with a fee and tells of it, and
//! whoever has the account's key says how it ends.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{CallFailed, Event, Fact, Payment, own, unreadable};
use crate::{
    payments::{DisputeFact, DisputeWord},
    state::App,
};

/// What the sandbox takes for a dispute, in minor units of any currency.
const FEE: i64 = 1500;

/// A dispute as the sandbox's own functions tell it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Dispute {
    pub id: Uuid,
    pub status: String,
    pub amount_minor: i64,
    pub fee_minor: i64,
}

#[derive(Debug, Deserialize)]
struct Data {
    id: Uuid,
    payment: Uuid,
    reference: Uuid,
    amount_minor: i64,
    fee_minor: i64,
    currency: String,
}

/// What an event of a dispute says.
pub(super) fn read(event: Event) -> Result<Vec<Fact>, CallFailed> {
    let status = match event.kind.as_str() {
        "dispute.opened" => DisputeWord::Open,
        "dispute.won" => DisputeWord::Won,
        "dispute.lost" => DisputeWord::Lost,
        _ => return Ok(vec![Fact::Nothing(event.kind)]),
    };
    let data: Data = serde_json::from_value(event.data).map_err(unreadable)?;
    Ok(vec![Fact::Dispute(DisputeFact {
        payment_id: Some(data.reference),
        payment_reference: data.payment.to_string(),
        provider_reference: data.id.to_string(),
        status,
        amount_minor: data.amount_minor,
        currency: data.currency,
        // The sandbox takes the money at once, and gives it back when the dispute is won.
        withdrawn: Some(status != DisputeWord::Won),
        fee_minor: Some(data.fee_minor),
        reason: Some("bought_by_somebody_else".to_owned()),
    })])
}

/// Opens the dispute of a payment, or ends it; tells of it by webhooks after so many seconds each.
pub(super) async fn moves(
    app: &App,
    found: &Payment,
    to: &str,
    after: &[u64],
) -> Result<Uuid, CallFailed> {
    let known = found.dispute.as_ref();
    let id = known.map_or_else(Uuid::now_v7, |dispute| dispute.id);
    let left = found.amount_minor - found.refunded_minor;
    let amount_minor = known.map_or(left, |dispute| dispute.amount_minor);
    let fee_minor = known.map_or(FEE, |dispute| dispute.fee_minor);
    let event = Event {
        id: format!("evt_{}", Uuid::now_v7().simple()),
        kind: format!("dispute.{}", if to == "open" { "opened" } else { to }),
        data: json!({
            "id": id, "payment": found.id, "reference": found.reference, "currency": found.currency,
            "amount_minor": amount_minor, "fee_minor": fee_minor,
        }),
    };
    let deliveries: Vec<_> = after
        .iter()
        .map(|seconds| json!({ "after_seconds": seconds, "event": event }))
        .collect();
    let request = json!({
        "payment_id": found.id, "id": id, "to": to, "amount_minor": amount_minor, "fee_minor": fee_minor,
        "deliveries": deliveries,
    });
    let answer = own(app, "sandbox_dispute", &request).await?;
    app.jobs.wake();
    match crate::outcome::word(&answer) {
        "done" => Ok(id),
        _ => Err(CallFailed::Refused("not_disputable".to_owned())),
    }
}
