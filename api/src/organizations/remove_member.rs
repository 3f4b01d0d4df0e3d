//! removeMember: the member's tokens for the organization stop working at once.

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
pub struct RemoveMember;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    member_id: Uuid,
}

#[async_trait]
impl Handle for RemoveMember {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "removeMember",
            "Ends somebody's membership. Their access tokens for this organization stop working at once, and the API \
             tokens that they made are revoked. Their account and other memberships stay.",
        )
        .takes(
            "memberId",
            InputType::Scalar(Scalar::Id("Member".to_owned())),
            "The member. Their role may not allow more than one's own.",
        )
        .gives(
            "deletedId",
            PayloadType::Scalar(Scalar::Id("Member".to_owned())),
            "Id of the membership that ended; null when none did.",
        )
        .scope("members:write");
        fails_with(
            verb,
            &["member_not_found", "exceeds_own_permissions", "last_owner"],
        )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = json!({ "member_id": input.member_id });
        let answer = ask(call, "remove_member", request).await?;
        if answer.outcome() != "removed" {
            return Ok(answer.refused()?.into());
        }
        if let Some(org_id) = call.actor.org_id() {
            let standing = &call.app.accounts.standing;
            standing.forget_member(answer.id("user_id")?, org_id);
        }
        let gone = answer.id("member_id")?;
        Ok(Outcome::new().value("deletedId", gone.to_string()).into())
    }
}
