//! inviteMember: mails a code to an address; whoever has confirmed that address may use it.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::answer::{ask_in, fails_with};
use crate::{
    accounts::{
        self,
        input::{self, Problems},
        rates::{self, Rule},
    },
    fault::Fault,
    vault::{Secret, TokenKind, hex},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct InviteMember;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    email: String,
    role_id: Uuid,
}

#[async_trait]
impl Handle for InviteMember {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "inviteMember",
            "Invites somebody into the organization. A code is mailed to the address; it is good for seven days, \
             once, and only for a person who has confirmed that address.",
        )
        .takes(
            "email",
            InputType::Scalar(Scalar::String),
            "The address to invite.",
        )
        .takes(
            "roleId",
            InputType::Scalar(Scalar::Id("Role".to_owned())),
            "The role to have. It may not allow more than one's own.",
        )
        .gives(
            "invitation",
            PayloadType::Entity("Invitation".to_owned()),
            "The invitation that was mailed.",
        )
        .scope("members:write");
        fails_with(
            verb,
            &[
                "role_not_found",
                "exceeds_own_permissions",
                "already_member",
                "already_invited",
            ],
        )
        .fails("EMAIL_INVALID", "This is not an e-mail address.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        rates::count_client(call, Rule::Invitation).await?;
        let mut problems = Problems::default();
        let Some(email) = problems.check("email", input::email(&input.email)) else {
            return Ok(problems.outcome().into());
        };
        rates::count_email(call, Rule::Invitation, &email).await?;
        let secret = Secret::new(TokenKind::Invitation, accounts::environment(call.app))
            .map_err(Fault::internal)?;
        let tx = call.app.door.begin(call.actor).await?;
        if call.actor.org_id().is_none() {
            return Err(Fault::Forbidden("choose an organization first".to_owned()));
        }
        let request = json!({
            "email": email, "role_id": input.role_id, "token_hash": hex(&secret.hash),
            "code": secret.text,
        });
        let answer = ask_in(&tx, "invite_member", request).await?;
        tx.commit().await?;
        match answer.outcome() {
            "invited" => Ok(Outcome::new()
                .entity("invitation", answer.id("invitation_id")?)
                .into()),
            _ => Ok(answer.refused()?.into()),
        }
    }
}
