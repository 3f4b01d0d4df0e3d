//! revokeApiToken: at once in this process, within five seconds in the others.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::answer::{ask, fails_with};
use crate::{
    fault::Fault,
    vault::unhex,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct RevokeApiToken;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    api_token_id: Uuid,
}

#[async_trait]
impl Handle for RevokeApiToken {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "revokeApiToken",
            "Makes an API token worthless for good. Revoking it again changes nothing.",
        )
        .takes(
            "apiTokenId",
            InputType::Scalar(Scalar::Id("ApiToken".to_owned())),
            "The token.",
        )
        .gives(
            "apiToken",
            PayloadType::Entity("ApiToken".to_owned()),
            "The revoked token.",
        )
        .scope("tokens:write");
        fails_with(verb, &["api_token_not_found"])
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = json!({ "api_token_id": input.api_token_id });
        let answer = ask(call, "revoke_api_token", request).await?;
        if answer.outcome() != "revoked" {
            return Ok(answer.refused()?.into());
        }
        let hash = answer.text("token_hash").and_then(unhex);
        if let Some(hash) = hash.and_then(|hash| <[u8; 32]>::try_from(hash).ok()) {
            call.app.accounts.standing.forget_token(&hash);
        }
        Ok(Outcome::new()
            .entity("apiToken", answer.id("api_token_id")?)
            .into())
    }
}
