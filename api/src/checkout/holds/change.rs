//! changeHold: more or fewer places, another end, another key.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use uuid::Uuid;

use super::{create::invalid, key};
use crate::{
    checkout::request::{check_key, keyed},
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct ChangeHold;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    hold_id: Uuid,
    name: Option<String>,
    note: Option<String>,
    quantity: Option<i32>,
    /// Absent: stays; null: no end.
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Option<String>>,
    new_key: Option<bool>,
    idempotency_key: String,
}

fn present<'de, D: Deserializer<'de>>(given: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(given).map(Some)
}

const REFUSALS: Refusals = &[
    (
        "hold_not_found",
        "HOLD_NOT_FOUND",
        "there is no such hold",
        &["holdId"],
    ),
    (
        "hold_ended",
        "HOLD_ENDED",
        "the hold was released or has run out; make a new one",
        &["holdId"],
    ),
    (
        "below_sold",
        "BELOW_SOLD",
        "more places than that were sold from the hold",
        &["quantity"],
    ),
    (
        "sold_out",
        "SOLD_OUT",
        "so many more places are not free",
        &["quantity"],
    ),
];

#[async_trait]
impl Handle for ChangeHold {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "changeHold",
            "Changes a hold; what is left out stays. More places are taken from what is on sale, fewer go back on sale.",
        )
        .scope("registrations:write")
        .takes("holdId", InputType::Scalar(Scalar::Id("Hold".to_owned())), "Which one.")
        .may_take("name", InputType::Scalar(Scalar::String), "For whom or what, 1 to 200 characters.")
        .may_take("note", InputType::Scalar(Scalar::String), "What members should know, at most 2000 characters.")
        .may_take(
            "quantity",
            InputType::Scalar(Scalar::Int),
            "How many places, those sold from it included; not fewer than were sold.",
        )
        .may_take("expiresAt", InputType::Scalar(Scalar::DateTime), "When they go back on sale; null for never.")
        .may_take(
            "newKey",
            InputType::Scalar(Scalar::Boolean),
            "Whether it gets another key. The one before then opens it no more.",
        )
        .idempotent()
        .gives("hold", PayloadType::Entity("Hold".to_owned()), "The hold.")
        .gives(
            "holdKey",
            PayloadType::Scalar(Scalar::String),
            "The new key, if one was asked for; it is not shown again.",
        )
        .fails("HOLD_NOT_FOUND", "There is no such hold.")
        .fails("HOLD_ENDED", "It was released or has run out.")
        .fails("BELOW_SOLD", "More places than that were sold from it.")
        .fails("SOLD_OUT", "So many more places are not free.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let mut arguments = json!({
            "hold_id": input.hold_id, "name": input.name, "note": input.note, "quantity": input.quantity,
            "new_key": input.new_key,
        });
        if let Some(expires_at) = &input.expires_at {
            arguments["expires_at"] = json!(expires_at);
        }
        let mut request = keyed(arguments, &input.idempotency_key);
        let org_id = outcome::own_org(call)?;
        let text = match input.new_key.unwrap_or_default() {
            true => Some(key::make(call, org_id, &request)?),
            false => None,
        };
        request["key_hash"] = json!(text.as_deref().map(key::hash));
        let answer = outcome::decide(call, org_id, "change_hold", &request).await?;
        Ok(match outcome::word(&answer) {
            "changed" => {
                call.app.jobs.wake();
                let done = Outcome::new().entity("hold", input.hold_id);
                match text {
                    Some(text) => done.value("holdKey", text),
                    None => done,
                }
            }
            "invalid" => invalid(&answer),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
