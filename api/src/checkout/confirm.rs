//! confirmRegistration: a hold becomes a confirmed registration with signed tickets, or waits for approval or money.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    codes::{self, Place},
    counter::{Held, Kind, Wish},
    guest::reader,
    refusals,
    request::{Person, check_key, clean, fault_of, keyed},
};
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    statements,
    tenancy::TenantTx,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct ConfirmRegistration;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    registration_id: Uuid,
    #[serde(default)]
    attendees: Option<Vec<ItemAttendee>>,
    idempotency_key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemAttendee {
    item_id: Uuid,
    name: String,
    email: String,
}

const REFUSALS: Refusals = &[
    refusals::REGISTRATION_NOT_FOUND,
    (
        "hold_expired",
        "HOLD_EXPIRED",
        "the hold has run out and its places are free again",
        &["registrationId"],
    ),
    (
        "registration_expired",
        "HOLD_EXPIRED",
        "the hold has run out and its places are free again",
        &["registrationId"],
    ),
    (
        "registration_cancelled",
        "NOT_CONFIRMABLE",
        "the registration is cancelled",
        &["registrationId"],
    ),
    (
        "registration_rejected",
        "NOT_CONFIRMABLE",
        "the registration was rejected",
        &["registrationId"],
    ),
    ("invalid", "INVALID", "a value cannot be accepted", &[]),
];

#[async_trait]
impl Handle for ConfirmRegistration {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "confirmRegistration",
            "Makes a hold final. When nothing is to be paid and nobody has to approve it, tickets are issued at once; \
             else its status says what it waits for. Confirming twice is no error.",
        )
        .takes(
            "registrationId",
            InputType::Scalar(Scalar::Id("Registration".to_owned())),
            "The registration; guests open it with the header `X-Guest-Secret`.",
        )
        .may_take(
            "attendees",
            InputType::Objects("ItemAttendeeInput".to_owned()),
            "Who the tickets are for, where it was not said when placing.",
        )
        .idempotent()
        .gives("registration", PayloadType::Entity("Registration".to_owned()), "The registration.")
        .fails("REGISTRATION_NOT_FOUND", "There is no such registration for the caller.")
        .fails("HOLD_EXPIRED", "The hold has run out; place it again.")
        .fails("NOT_CONFIRMABLE", "It is cancelled or rejected.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let attendees = match attendees(&input) {
            Ok(attendees) => attendees,
            Err(refused) => return Ok((*refused).into()),
        };
        let arguments = json!({ "registration_id": input.registration_id, "attendees": attendees });
        let Some((org_id, answer)) = decide(call, &input, arguments).await? else {
            let answer = json!({ "outcome": "registration_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        let outcome = match outcome::word(&answer) {
            "confirmed" | "pending_approval" | "pending_payment" => {
                Outcome::new().entity("registration", input.registration_id)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        };
        Ok(Done {
            outcome,
            read_as: Some(reader(call, org_id)),
        })
    }
}

/// The organization and its answer; `None` when the caller has no such registration.
async fn decide(
    call: Call<'_>,
    input: &Input,
    arguments: Json,
) -> Result<Option<(Uuid, Json)>, Fault> {
    let id = input.registration_id;
    let mut request = keyed(arguments, &input.idempotency_key);
    let memory = &call.app.counter.memory;
    if let Some(held) = memory.hold(id)
        && call.actor.org_id() != Some(held.org_id)
    {
        request["tickets"] = sign_held(call, &held).await?;
        let served = at_counter(call, held.org_id, input, request.clone()).await;
        // What waits for money is paid soon.
        let waits = matches!(&served, Ok(answer) if outcome::word(answer) == "pending_payment");
        if !waits {
            memory.forget(id);
        }
        match served {
            // Its items are others by now: what they are is looked up.
            Err(Fault::BadInput(_)) => {}
            served => return Ok(Some((held.org_id, served?))),
        }
    }
    let Some(org_id) = org_of_registration(call, id).await? else {
        return Ok(None);
    };
    request["tickets"] = prepare(call, org_id, id).await?;
    let answer = match call.actor.org_id() == Some(org_id) {
        true => outcome::decide(call, org_id, "confirm_registration", &request).await?,
        false => at_counter(call, org_id, input, request).await?,
    };
    Ok(Some((org_id, answer)))
}

async fn at_counter(
    call: Call<'_>,
    org_id: Uuid,
    input: &Input,
    request: Json,
) -> Result<Json, Fault> {
    let wish = Wish {
        buyer: call.actor.as_buyer(),
        key: input.idempotency_key.clone(),
        request,
    };
    let counter = &call.app.counter;
    let mut served = counter.serve(call.app, org_id, Kind::Confirm, wish).await?;
    Ok(served["outcome"].take())
}

fn attendees(input: &Input) -> Result<Vec<Json>, Box<Outcome>> {
    let mut out = vec![];
    for (index, given) in input
        .attendees
        .as_deref()
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let person = Person {
            name: given.name.clone(),
            email: given.email.clone(),
        };
        if let Some((field, message)) = fault_of(&person) {
            return Err(Box::new(Outcome::refused(
                "INVALID",
                message,
                &["attendees", &index.to_string(), field],
            )));
        }
        let person = clean(&person);
        out.push(json!({ "item_id": given.item_id, "name": person.name, "email": person.email }));
    }
    Ok(out)
}

/// The organization of a registration that the caller may act on.
pub(crate) async fn org_of_registration(
    call: Call<'_>,
    registration_id: Uuid,
) -> Result<Option<Uuid>, Fault> {
    let tx = call.app.door.begin(call.actor).await?;
    let row = statements::first(
        &tx,
        "select public.registration_org($1) as org",
        [registration_id.into()],
    )
    .await?;
    tx.commit().await?;
    match row {
        Some(row) => Ok(row.try_get("", "org")?),
        None => Ok(None),
    }
}

/// Signs a code for each ticket that confirming would issue. Signed codes that are then not stored admit nobody.
async fn prepare(call: Call<'_>, org_id: Uuid, registration_id: Uuid) -> Result<Json, Fault> {
    let tx = call.app.door.begin_at(call.actor, org_id).await?;
    let items = items_to_issue(&tx, registration_id).await?;
    tx.commit().await?;
    let Some((_, event_id, occurrence_id)) = items.first().copied() else {
        return Ok(json!([]));
    };
    let items: Vec<Uuid> = items.into_iter().map(|(item_id, ..)| item_id).collect();
    let place = Place {
        org_id,
        event_id,
        occurrence_id,
    };
    codes::sign(call, place, &items).await
}

/// The same for a hold that is still in mind. A price means that no ticket is issued yet.
async fn sign_held(call: Call<'_>, held: &Held) -> Result<Json, Fault> {
    match held.free {
        true => {
            let place = Place {
                org_id: held.org_id,
                event_id: held.event_id,
                occurrence_id: held.occurrence_id,
            };
            codes::sign(call, place, &held.items).await
        }
        false => Ok(json!([])),
    }
}

async fn items_to_issue(
    tx: &TenantTx,
    registration_id: Uuid,
) -> Result<Vec<(Uuid, Uuid, Uuid)>, Fault> {
    let rows = statements::all(
        tx,
        "select item_id, event_id, occurrence_id from public.registration_items_to_issue($1)",
        [registration_id.into()],
    )
    .await
    .map_err(outcome::fault)?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get("", "item_id")?,
                row.try_get("", "event_id")?,
                row.try_get("", "occurrence_id")?,
            ))
        })
        .collect()
}
