//! switchOrganization: a token acts in one organization; this gives one for another.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    session::{self, gives_tokens},
    sign_in::not_a_member,
};
use crate::{
    fault::Fault,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct SwitchOrganization;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    organization_id: Option<Uuid>,
}

#[async_trait]
impl Handle for SwitchOrganization {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "switchOrganization",
            "Gives an access token that acts in another organization, or in none, on this device. Later refreshes \
             stay there. The token that was sent stays good until it expires.",
        )
        .may_take(
            "organizationId",
            InputType::Scalar(Scalar::Id("Organization".to_owned())),
            "The organization to act in. Null or left out: act for oneself, outside any organization.",
        );
        gives_tokens(verb)
            .gives(
                "organization",
                PayloadType::Entity("Organization".to_owned()),
                "The organization that the token acts in.",
            )
            .fails(
                "NOT_A_MEMBER",
                "The person is no member of that organization, or it does not exist.",
            )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let issued = session::act_in(call.app, call.actor, input.organization_id).await?;
        let Some(issued) = issued else {
            return Ok(not_a_member().into());
        };
        let mut outcome = issued.fields(Outcome::new());
        if let Some(org_id) = input.organization_id {
            outcome = outcome.entity("organization", org_id);
        }
        Ok(Done {
            outcome,
            read_as: Some(issued.actor),
        })
    }
}
