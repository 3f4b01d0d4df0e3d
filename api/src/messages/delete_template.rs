//! deleteMessageTemplate: the next text in line counts again.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct DeleteMessageTemplate;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    id: Uuid,
}

const REFUSALS: Refusals = &[(
    "not_found",
    "NOT_FOUND",
    "there is no such template",
    &["id"],
)];

#[async_trait]
impl Handle for DeleteMessageTemplate {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "deleteMessageTemplate",
            "Removes a text of the organization: that of the organization counts again where it was an event's, else the \
             built-in one.",
        )
        .scope("messages:write")
        .takes(
            "id",
            InputType::Scalar(Scalar::Id("MessageTemplate".to_owned())),
            "The text.",
        )
        .gives(
            "deletedId",
            PayloadType::Scalar(Scalar::Id("MessageTemplate".to_owned())),
            "Its id.",
        )
        .fails("NOT_FOUND", "There is no such text.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = json!({ "template_id": input.id });
        let answer = outcome::decide_own(call, "delete_message_template", &request).await?;
        Ok(match outcome::word(&answer) {
            "deleted" => Outcome::new().value("deletedId", input.id.to_string()),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
