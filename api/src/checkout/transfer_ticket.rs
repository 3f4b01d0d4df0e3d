//! transferTicket: offers a ticket to somebody by mail.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    guest::reader,
    request::{check_key, keyed},
};
use crate::{
    accounts::{
        self,
        rates::{self, Rule},
    },
    fault::Fault,
    outcome::{self, Refusals},
    statements,
    vault::{Secret, TokenKind, hex},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct TransferTicket;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    ticket_id: Uuid,
    email: String,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[
    (
        "ticket_not_found",
        "TICKET_NOT_FOUND",
        "there is no such ticket",
        &["ticketId"],
    ),
    (
        "ticket_not_valid",
        "TICKET_NOT_VALID",
        "the ticket does not count",
        &["ticketId"],
    ),
    (
        "ticket_used",
        "TICKET_USED",
        "somebody came in with the ticket",
        &["ticketId"],
    ),
    (
        "transfers_closed",
        "TRANSFERS_CLOSED",
        "tickets of this event are not handed on any more",
        &["ticketId"],
    ),
    (
        "already_offered",
        "ALREADY_OFFERED",
        "the ticket is offered to somebody already",
        &["ticketId"],
    ),
    (
        "invalid",
        "INVALID",
        "this is no e-mail address",
        &["email"],
    ),
];

#[async_trait]
impl Handle for TransferTicket {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "transferTicket",
            "Offers a ticket to somebody. A code is mailed to the address, good for seven days or until the date is \
             over; whoever accepts with it gets a new ticket. Until then nothing changes. Its holder may, until \
             `transfersCloseMinutes` of the event, and members with `registrations:write`.",
        )
        .takes(
            "ticketId",
            InputType::Scalar(Scalar::Id("Ticket".to_owned())),
            "The ticket; guests open it with the header `X-Guest-Secret`.",
        )
        .takes(
            "email",
            InputType::Scalar(Scalar::String),
            "The address to offer it to.",
        )
        .idempotent()
        .gives(
            "transfer",
            PayloadType::Entity("TicketTransfer".to_owned()),
            "The offer.",
        )
        .fails("TICKET_NOT_FOUND", "There is no such ticket for the caller.")
        .fails("TICKET_NOT_VALID", "It is cancelled, blocked or was handed on.")
        .fails("TICKET_USED", "Somebody came in with it.")
        .fails("TRANSFERS_CLOSED", "Its holder may not hand it on now.")
        .fails("ALREADY_OFFERED", "Another offer of it is open.")
        .fails("INVALID", "This is no e-mail address.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let email = input.email.trim().to_lowercase();
        rates::count_client(call, Rule::Invitation).await?;
        rates::count_email(call, Rule::Invitation, &email).await?;
        let Some(org_id) = find(call, input.ticket_id).await? else {
            let answer = json!({ "outcome": "ticket_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let arguments = json!({ "ticket_id": input.ticket_id, "recipient_email": email });
        let mut request = keyed(arguments, &input.idempotency_key);
        let secret = Secret::new(TokenKind::Transfer, accounts::environment(call.app))
            .map_err(Fault::internal)?;
        request["secret_hash"] = json!(hex(&secret.hash));
        request["code"] = json!(secret.text);
        let answer = outcome::decide(call, org_id, "transfer_ticket", &request).await?;
        let outcome = match outcome::word(&answer) {
            "offered" => Outcome::new().entity("transfer", outcome::key(&answer, "transfer_id")?),
            _ => outcome::refusal(&answer, REFUSALS)?,
        };
        Ok(Done {
            outcome,
            read_as: Some(reader(call, org_id)),
        })
    }
}

/// The organization of a ticket that the caller may know of.
async fn find(call: Call<'_>, ticket_id: Uuid) -> Result<Option<Uuid>, Fault> {
    let tx = call.app.door.begin(call.actor).await?;
    let row = statements::first(
        &tx,
        "select public.ticket_org($1) as org",
        [ticket_id.into()],
    )
    .await?;
    tx.commit().await?;
    Ok(match row {
        Some(row) => row.try_get("", "org")?,
        None => None,
    })
}
