//! createApiToken: a secret for a program, shown once.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;

use super::{
    answer::{ask, fails_with},
    permission_codes,
};
use crate::{
    accounts::{
        self,
        input::{self, Problems},
        session,
    },
    fault::Fault,
    vault::{Secret, TokenKind, hex},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct CreateApiToken;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    name: String,
    scopes: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
    trusted_documents_only: Option<bool>,
}

/// How much of the random part is kept to tell tokens apart in a list: too little to help a guesser.
const SHOWN: usize = 4;

#[async_trait]
impl Handle for CreateApiToken {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "createApiToken",
            "Makes a token with which a program acts in this organization. The token is shown once, here. It never \
             allows more than its maker may at the time of use, and ends with the maker's membership. Only people \
             make tokens, not other tokens.",
        )
        .takes(
            "name",
            InputType::Scalar(Scalar::String),
            "What it is used for, 1 to 100 characters.",
        )
        .takes(
            "scopes",
            InputType::List(Scalar::String),
            "Codes of the permissions that it carries, 1 to 50; one must hold them oneself.",
        )
        .may_take(
            "expiresAt",
            InputType::Scalar(Scalar::DateTime),
            "When it stops working. Never when left out.",
        )
        .may_take(
            "trustedDocumentsOnly",
            InputType::Scalar(Scalar::Boolean),
            "Whether it executes only documents that this organization has registered (`registerTrustedDocuments`), \
             whatever its scopes. False when left out.",
        )
        .gives(
            "apiToken",
            PayloadType::Entity("ApiToken".to_owned()),
            "The new token, without its secret.",
        )
        .gives(
            "token",
            PayloadType::Scalar(Scalar::String),
            "The secret, sent as `Authorization: Bearer ...`. It cannot be shown again.",
        )
        .scope("tokens:write");
        fails_with(verb, &["exceeds_own_permissions", "expires_in_the_past"])
            .fails(
                "NAME_INVALID",
                "The name is empty, too long or not on one line.",
            )
            .fails("PERMISSIONS_COUNT", "There are no scopes, or too many.")
            .fails("PERMISSION_UNKNOWN", "One of the scopes does not exist.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        session::person(call.actor)?;
        let mut problems = Problems::default();
        let Some(name) = problems.check("name", input::name(&input.name, 100)) else {
            return Ok(problems.outcome().into());
        };
        if let Some(refused) = permission_codes::problem(&input.scopes, "scopes") {
            return Ok(refused.into());
        }
        let environment = accounts::environment(call.app);
        let secret = Secret::new(TokenKind::Api, environment).map_err(Fault::internal)?;
        let request = json!({
            "name": name, "scopes": input.scopes, "expires_at": input.expires_at,
            "trusted_documents_only": input.trusted_documents_only,
            "prefix": secret.beginning(SHOWN), "token_hash": hex(&secret.hash),
        });
        let answer = ask(call, "create_api_token", request).await?;
        match answer.outcome() {
            "created" => Ok(Outcome::new()
                .entity("apiToken", answer.id("api_token_id")?)
                .value("token", secret.text)
                .into()),
            _ => Ok(answer.refused()?.into()),
        }
    }
}
