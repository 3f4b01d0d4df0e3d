//! acceptTransfer: whoever was sent the code gets the ticket, with a code of its own.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    codes::{self, Place},
    guest,
    request::check_key,
};
use crate::{
    accounts::rates::{self, Rule},
    fault::Fault,
    outcome::{self, Refusals},
    statements,
    vault::{TokenKind, hash_token, hex},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct AcceptTransfer;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    code: String,
    name: String,
    idempotency_key: String,
}

/// What the words of both ends of an offer mean.
pub(super) const REFUSALS: Refusals = &[
    (
        "transfer_not_found",
        "TRANSFER_NOT_FOUND",
        "nobody was sent this code",
        &["code"],
    ),
    (
        "transfer_not_open",
        "TRANSFER_NOT_OPEN",
        "the ticket is not offered any more",
        &["code"],
    ),
    (
        "transfer_expired",
        "TRANSFER_EXPIRED",
        "the time to accept the ticket is over",
        &["code"],
    ),
    (
        "ticket_not_valid",
        "TICKET_NOT_VALID",
        "the ticket does not count any more",
        &["code"],
    ),
    (
        "ticket_used",
        "TICKET_USED",
        "somebody came in with the ticket",
        &["code"],
    ),
    (
        "invalid",
        "INVALID",
        "a name has 1 to 200 characters",
        &["name"],
    ),
];

#[async_trait]
impl Handle for AcceptTransfer {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "acceptTransfer",
            "Takes a ticket that was offered: a new one is issued, whose code is the receiver's alone, and the old code \
             admits nobody. Open to visitors: they get a guest secret, which opens the ticket later in the header \
             `X-Guest-Secret`.",
        )
        .takes("code", InputType::Scalar(Scalar::String), "The code from the mail.")
        .takes("name", InputType::Scalar(Scalar::String), "Full name of whoever comes.")
        .idempotent()
        .gives("ticket", PayloadType::Entity("Ticket".to_owned()), "The new ticket.")
        .gives(
            "guestSecret",
            PayloadType::Scalar(Scalar::String),
            "For receivers who are not signed in: what opens the ticket later. Keep it.",
        )
        .fails("TRANSFER_NOT_FOUND", "Nobody was sent this code.")
        .fails("TRANSFER_NOT_OPEN", "It was accepted, declined or taken back.")
        .fails("TRANSFER_EXPIRED", "The time to accept is over.")
        .fails("TICKET_NOT_VALID", "The ticket does not count any more.")
        .fails("TICKET_USED", "Somebody came in with the ticket.")
        .fails("INVALID", "A name has 1 to 200 characters.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        rates::count_client(call, Rule::Code).await?;
        let Some((hash, place)) = find(call, &input.code).await? else {
            let answer = json!({ "outcome": "transfer_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let arguments = json!({ "secret_hash": hex(&hash), "name": input.name.trim() });
        let (mut request, secret) =
            guest::with_secret(call, place.org_id, arguments, &input.idempotency_key)?;
        request["tickets"] = codes::sign(call, place, &[Uuid::nil()]).await?;
        let answer = outcome::decide(call, place.org_id, "accept_transfer", &request).await?;
        if outcome::word(&answer) != "accepted" {
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        }
        let done = Outcome::new().entity("ticket", outcome::key(&answer, "ticket_id")?);
        Ok(guest::done(call, place.org_id, done, secret))
    }
}

/// What the code leads to: its hash, and where its ticket admits to. Made-up codes are told without a look-up.
pub(super) async fn find(call: Call<'_>, code: &str) -> Result<Option<([u8; 32], Place)>, Fault> {
    let Some(hash) = hash_token(TokenKind::Transfer, code.trim()) else {
        return Ok(None);
    };
    let tx = call.app.door.begin(call.actor).await?;
    let row = statements::first(
        &tx,
        "select org_id, event_id, occurrence_id from public.transfer_admission($1)",
        [hash.to_vec().into()],
    )
    .await?;
    tx.commit().await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let place = Place {
        org_id: row.try_get("", "org_id")?,
        event_id: row.try_get("", "event_id")?,
        occurrence_id: row.try_get("", "occurrence_id")?,
    };
    Ok(Some((hash, place)))
}
