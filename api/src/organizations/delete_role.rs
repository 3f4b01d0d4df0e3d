//! deleteRole: only one that nobody has.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::answer::{ask, fails_with};
use crate::{
    fault::Fault,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct DeleteRole;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    role_id: Uuid,
}

#[async_trait]
impl Handle for DeleteRole {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "deleteRole",
            "Deletes a role of the organization's own that no member has and no invitation names.",
        )
        .takes(
            "roleId",
            InputType::Scalar(Scalar::Id("Role".to_owned())),
            "The role.",
        )
        .gives(
            "deletedId",
            PayloadType::Scalar(Scalar::Id("Role".to_owned())),
            "Id of what was deleted; null when nothing was.",
        )
        .scope("members:write");
        fails_with(verb, &["role_not_found", "role_built_in", "role_in_use"])
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let answer = ask(call, "delete_role", json!({ "role_id": input.role_id })).await?;
        if answer.outcome() != "deleted" {
            return Ok(answer.refused()?.into());
        }
        let gone = answer.id("role_id")?;
        Ok(Outcome::new().value("deletedId", gone.to_string()).into())
    }
}
