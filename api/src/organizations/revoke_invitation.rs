//! revokeInvitation: its code is no longer good.

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
pub struct RevokeInvitation;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    invitation_id: Uuid,
}

#[async_trait]
impl Handle for RevokeInvitation {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "revokeInvitation",
            "Takes an open invitation back: its code is no longer good.",
        )
        .takes(
            "invitationId",
            InputType::Scalar(Scalar::Id("Invitation".to_owned())),
            "The invitation.",
        )
        .gives(
            "invitation",
            PayloadType::Entity("Invitation".to_owned()),
            "The revoked invitation.",
        )
        .scope("members:write");
        fails_with(verb, &["invitation_not_found", "invitation_not_pending"])
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = json!({ "invitation_id": input.invitation_id });
        let answer = ask(call, "revoke_invitation", request).await?;
        match answer.outcome() {
            "revoked" => Ok(Outcome::new()
                .entity("invitation", answer.id("invitation_id")?)
                .into()),
            _ => Ok(answer.refused()?.into()),
        }
    }
}
