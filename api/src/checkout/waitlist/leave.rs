//! leaveWaitlist: waits no more.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::org_of_entry;
use crate::{
    checkout::{
        guest::reader,
        request::{check_key, keyed},
    },
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct LeaveWaitlist;

/// What it and declining take.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    waitlist_entry_id: Uuid,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[
    (
        "entry_not_found",
        "WAITLIST_ENTRY_NOT_FOUND",
        "there is no such entry in a waitlist",
        &["waitlistEntryId"],
    ),
    (
        "no_offer",
        "NO_OFFER",
        "there is no open offer: none was made yet, or it was answered or has expired",
        &["waitlistEntryId"],
    ),
];

/// The entry that is named in an input.
pub(super) fn named(verb: Verb) -> Verb {
    verb.takes(
        "waitlistEntryId",
        InputType::Scalar(Scalar::Id("WaitlistEntry".to_owned())),
        "The entry; guests open it with the header `X-Guest-Secret`.",
    )
    .idempotent()
    .gives(
        "waitlistEntry",
        PayloadType::Entity("WaitlistEntry".to_owned()),
        "The entry.",
    )
    .fails(
        "WAITLIST_ENTRY_NOT_FOUND",
        "There is no such entry for the caller.",
    )
}

/// Ends an entry by the function of that name, which says `success` when it did.
pub(super) async fn end(
    call: Call<'_>,
    input: Input,
    function: &'static str,
    success: &str,
) -> Result<Done, Fault> {
    check_key(&input.idempotency_key)?;
    let Some(org_id) = org_of_entry(call, input.waitlist_entry_id).await? else {
        let answer = json!({ "outcome": "entry_not_found" });
        return Ok(outcome::refusal(&answer, REFUSALS)?.into());
    };
    let arguments = json!({ "entry_id": input.waitlist_entry_id });
    let request = keyed(arguments, &input.idempotency_key);
    let answer = outcome::decide(call, org_id, function, &request).await?;
    if outcome::word(&answer) != success {
        return Ok(outcome::refusal(&answer, REFUSALS)?.into());
    }
    call.app.jobs.wake();
    Ok(Done {
        outcome: Outcome::new().entity("waitlistEntry", input.waitlist_entry_id),
        read_as: Some(reader(call, org_id)),
    })
}

#[async_trait]
impl Handle for LeaveWaitlist {
    type Input = Input;

    fn describe() -> Verb {
        named(Verb::new(
            "leaveWaitlist",
            "Waits no more; an offer that was made goes to whoever waits next. Whoever waits may, and members with \
             `registrations:write`. Leaving twice is no error.",
        ))
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        end(call, input, "leave_waitlist", "left").await
    }
}
