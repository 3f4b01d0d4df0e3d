//! declineTransfer and cancelTransfer: an offer ends, and the ticket stays with its holder.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    accept_transfer,
    guest::reader,
    request::{check_key, keyed},
};
use crate::{
    accounts::rates::{self, Rule},
    fault::Fault,
    outcome::{self, Refusals},
    statements,
    verbs::{Call, Done, Handle},
};

/// The receiver does not want it.
pub struct DeclineTransfer;

/// The holder keeps it.
pub struct CancelTransfer;

/// What declining takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeclineInput {
    code: String,
    idempotency_key: String,
}

/// What taking back takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelInput {
    transfer_id: Uuid,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[
    (
        "transfer_not_found",
        "TRANSFER_NOT_FOUND",
        "there is no such offer",
        &["transferId"],
    ),
    (
        "transfer_not_open",
        "TRANSFER_NOT_OPEN",
        "the ticket is not offered any more",
        &["transferId"],
    ),
    (
        "transfer_expired",
        "TRANSFER_EXPIRED",
        "the time to accept the ticket is over",
        &["transferId"],
    ),
];

fn fails(verb: Verb) -> Verb {
    verb.fails(
        "TRANSFER_NOT_FOUND",
        "There is no such offer for the caller.",
    )
    .fails("TRANSFER_NOT_OPEN", "It has another end already.")
    .fails("TRANSFER_EXPIRED", "Its time is over.")
}

#[async_trait]
impl Handle for DeclineTransfer {
    type Input = DeclineInput;

    fn describe() -> Verb {
        let verb = Verb::new(
            "declineTransfer",
            "Declines a ticket that was offered; it stays with its holder. Declining twice is no error.",
        )
        .takes("code", InputType::Scalar(Scalar::String), "The code from the mail.")
        .idempotent()
        .gives(
            "declined",
            PayloadType::Scalar(Scalar::Boolean),
            "Whether the offer is declined.",
        );
        fails(verb)
    }

    async fn run(call: Call<'_>, input: DeclineInput) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        rates::count_client(call, Rule::Code).await?;
        let Some((hash, place)) = accept_transfer::find(call, &input.code).await? else {
            let answer = json!({ "outcome": "transfer_not_found" });
            return Ok(outcome::refusal(&answer, accept_transfer::REFUSALS)?.into());
        };
        let request = json!({ "secret_hash": crate::vault::hex(&hash) });
        let request = keyed(request, &input.idempotency_key);
        let answer = outcome::decide(call, place.org_id, "decline_transfer", &request).await?;
        Ok(match outcome::word(&answer) {
            "declined" => Outcome::new().value("declined", true),
            _ => outcome::refusal(&answer, accept_transfer::REFUSALS)?,
        }
        .into())
    }
}

#[async_trait]
impl Handle for CancelTransfer {
    type Input = CancelInput;

    fn describe() -> Verb {
        let verb = Verb::new(
            "cancelTransfer",
            "Takes back the offer of a ticket. Its holder may, and members with `registrations:write`. Taking it back \
             twice is no error.",
        )
        .takes(
            "transferId",
            InputType::Scalar(Scalar::Id("TicketTransfer".to_owned())),
            "The offer; guests open it with the header `X-Guest-Secret`.",
        )
        .idempotent()
        .gives(
            "transfer",
            PayloadType::Entity("TicketTransfer".to_owned()),
            "The offer.",
        );
        fails(verb)
    }

    async fn run(call: Call<'_>, input: CancelInput) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let Some(org_id) = org_of_transfer(call, input.transfer_id).await? else {
            let answer = json!({ "outcome": "transfer_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let request = json!({ "transfer_id": input.transfer_id });
        let request = keyed(request, &input.idempotency_key);
        let answer = outcome::decide(call, org_id, "cancel_transfer", &request).await?;
        let outcome = match outcome::word(&answer) {
            "cancelled" => Outcome::new().entity("transfer", input.transfer_id),
            _ => outcome::refusal(&answer, REFUSALS)?,
        };
        Ok(Done {
            outcome,
            read_as: Some(reader(call, org_id)),
        })
    }
}

async fn org_of_transfer(call: Call<'_>, transfer_id: Uuid) -> Result<Option<Uuid>, Fault> {
    let tx = call.app.door.begin(call.actor).await?;
    let row = statements::first(
        &tx,
        "select public.transfer_org($1) as org",
        [transfer_id.into()],
    )
    .await?;
    tx.commit().await?;
    match row {
        Some(row) => Ok(row.try_get("", "org")?),
        None => Ok(None),
    }
}
