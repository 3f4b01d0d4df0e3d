//! changeMemberRole: at once, on every device of the member and for the API tokens that they made.

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
pub struct ChangeMemberRole;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    member_id: Uuid,
    role_id: Uuid,
}

#[async_trait]
impl Handle for ChangeMemberRole {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "changeMemberRole",
            "Gives a member another role. It counts from the member's next request on, without signing in again.",
        )
        .takes(
            "memberId",
            InputType::Scalar(Scalar::Id("Member".to_owned())),
            "The member. Their present role may not allow more than one's own.",
        )
        .takes(
            "roleId",
            InputType::Scalar(Scalar::Id("Role".to_owned())),
            "The new role. It may not allow more than one's own.",
        )
        .gives(
            "member",
            PayloadType::Entity("Member".to_owned()),
            "The member with the new role.",
        )
        .scope("members:write");
        fails_with(
            verb,
            &[
                "member_not_found",
                "role_not_found",
                "exceeds_own_permissions",
                "last_owner",
            ],
        )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = json!({ "member_id": input.member_id, "role_id": input.role_id });
        let answer = ask(call, "change_member_role", request).await?;
        if answer.outcome() != "changed" {
            return Ok(answer.refused()?.into());
        }
        if let Some(org_id) = call.actor.org_id() {
            let standing = &call.app.accounts.standing;
            standing.forget_member(answer.id("user_id")?, org_id);
        }
        Ok(Outcome::new()
            .entity("member", answer.id("member_id")?)
            .into())
    }
}
