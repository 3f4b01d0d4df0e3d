//! prioritizeWaitlistEntries: who is served before whom.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    checkout::refusals,
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct PrioritizeWaitlistEntries;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    waitlist_entry_ids: Vec<Uuid>,
    priority: i32,
}

const REFUSALS: Refusals = &[
    (
        "entry_not_found",
        "WAITLIST_ENTRY_NOT_FOUND",
        "there is no such entry in a waitlist",
        &["waitlistEntryIds"],
    ),
    (
        "not_waiting",
        "NOT_WAITING",
        "one of the entries was offered places, or ended",
        &["waitlistEntryIds"],
    ),
    refusals::INVALID,
];

#[async_trait]
impl Handle for PrioritizeWaitlistEntries {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "prioritizeWaitlistEntries",
            "Sets the priority of entries that wait: greater is served first, among equals who joined first. All entries \
             get it or none.",
        )
        .scope("registrations:write")
        .takes(
            "waitlistEntryIds",
            InputType::List(Scalar::Id("WaitlistEntry".to_owned())),
            "Which ones, 1 to 100.",
        )
        .takes("priority", InputType::Scalar(Scalar::Int), "The priority, -1000000 to 1000000.")
        .gives(
            "waitlistEntries",
            PayloadType::Entities("WaitlistEntry".to_owned()),
            "The entries, as they were named.",
        )
        .fails("WAITLIST_ENTRY_NOT_FOUND", "One of the entries does not exist.")
        .fails("NOT_WAITING", "One of the entries was offered places, or ended.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = json!({ "entry_ids": input.waitlist_entry_ids, "priority": input.priority });
        let answer = outcome::decide_own(call, "prioritize_waitlist", &request).await?;
        Ok(match outcome::word(&answer) {
            "prioritized" => {
                call.app.jobs.wake();
                Outcome::new().entities("waitlistEntries", input.waitlist_entry_ids)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
