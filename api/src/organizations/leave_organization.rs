//! leaveOrganization: a member goes by themselves.

use async_trait::async_trait;
use eventsphere_graphql::{PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;

use super::answer::{ask, fails_with};
use crate::{
    accounts::session::{self, gives_tokens},
    fault::Fault,
    outcome::own_org,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct LeaveOrganization;

/// It takes nothing: the organization is the one acted in.
#[derive(Debug, Deserialize)]
pub struct Input {}

#[async_trait]
impl Handle for LeaveOrganization {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "leaveOrganization",
            "Ends the signed-in person's membership of the organization that the token acts in. API tokens that they \
             made there are revoked. The access token that comes back acts in no organization.",
        )
        .gives(
            "deletedId",
            PayloadType::Scalar(Scalar::Id("Member".to_owned())),
            "Id of the membership that ended; null when none did.",
        );
        fails_with(gives_tokens(verb), &["not_a_member", "last_owner"])
    }

    async fn run(call: Call<'_>, _input: Input) -> Result<Done, Fault> {
        let (user_id, _) = session::person(call.actor)?;
        let org_id = own_org(call)?;
        let answer = ask(call, "leave_organization", json!({})).await?;
        if answer.outcome() != "left" {
            return Ok(answer.refused()?.into());
        }
        call.app.accounts.standing.forget_member(user_id, org_id);
        let issued = session::act_in(call.app, call.actor, None)
            .await?
            .ok_or_else(|| Fault::Internal("a person who may not be themselves".to_owned()))?;
        let gone = answer.id("member_id")?;
        Ok(Done {
            outcome: issued
                .fields(Outcome::new())
                .value("deletedId", gone.to_string()),
            read_as: Some(issued.actor),
        })
    }
}
