//! acceptInvitation: the mailed code makes the signed-in person a member.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::answer::{Answer, ask_in, fails_with};
use crate::{
    accounts::{
        rates::{self, Rule},
        session::{self, gives_tokens},
    },
    fault::Fault,
    statements::first,
    vault::{TokenKind, hash_token, hex},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct AcceptInvitation;

/// What it takes.
#[derive(Debug, Deserialize)]
pub struct Input {
    code: String,
}

#[async_trait]
impl Handle for AcceptInvitation {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "acceptInvitation",
            "Makes the signed-in person a member of the organization that invited them. The address of the account \
             must be confirmed and be the one that was invited. The access token that comes back acts in the \
             organization.",
        )
        .takes(
            "code",
            InputType::Scalar(Scalar::String),
            "The code from the mail.",
        )
        .gives(
            "organization",
            PayloadType::Entity("Organization".to_owned()),
            "The organization that was joined.",
        )
        .gives(
            "member",
            PayloadType::Entity("Member".to_owned()),
            "The new membership.",
        );
        fails_with(
            gives_tokens(verb),
            &["invitation_invalid", "email_mismatch", "already_member"],
        )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        session::person(call.actor)?;
        rates::count_client(call, Rule::Code).await?;
        let Some((org_id, answer)) = accept(call, input.code.trim()).await? else {
            let unknown = Answer::of("invitation_invalid");
            return Ok(unknown.refused()?.into());
        };
        if answer.outcome() != "accepted" {
            return Ok(answer.refused()?.into());
        }
        let issued = session::act_in(call.app, call.actor, Some(org_id))
            .await?
            .ok_or_else(|| Fault::Internal("a member who is none".to_owned()))?;
        let outcome = issued
            .fields(Outcome::new())
            .entity("organization", org_id)
            .entity("member", answer.id("member_id")?);
        Ok(Done {
            outcome,
            read_as: Some(issued.actor),
        })
    }
}

/// Two transactions, for the code says which organization to act in; the second judges again, under the lock.
async fn accept(call: Call<'_>, code: &str) -> Result<Option<(Uuid, Answer)>, Fault> {
    let Some(hash) = hash_token(TokenKind::Invitation, code) else {
        return Ok(None);
    };
    let tx = call.app.door.begin(call.actor).await?;
    let row = first(
        &tx,
        "select public.invitation_org($1) as org_id",
        [hash.to_vec().into()],
    )
    .await?;
    let org_id: Option<Uuid> = match row {
        Some(row) => row.try_get("", "org_id")?,
        None => None,
    };
    tx.commit().await?;
    let Some(org_id) = org_id else {
        return Ok(None);
    };
    let tx = call.app.door.begin_at(call.actor, org_id).await?;
    let request = json!({ "token_hash": hex(&hash) });
    let answer = ask_in(&tx, "accept_invitation", request).await?;
    tx.commit().await?;
    Ok(Some((org_id, answer)))
}
