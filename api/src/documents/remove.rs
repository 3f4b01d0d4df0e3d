//! removeTrustedDocuments: at once in this process, within five seconds in the others.

use async_trait::async_trait;
use eventsphere_graphql::{
    InputType, PayloadType, Scalar, Verb,
    engine::{Outcome, UserError},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    fault::Fault,
    outcome,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct RemoveTrustedDocuments;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    trusted_document_ids: Vec<Uuid>,
    at_most: i64,
}

#[async_trait]
impl Handle for RemoveTrustedDocuments {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "removeTrustedDocuments",
            "Removes documents that the organization trusted. Frontends that still use them, with tokens made with \
             `trustedDocumentsOnly`, are refused from then on.",
        )
        .takes(
            "trustedDocumentIds",
            InputType::List(Scalar::Id("TrustedDocument".to_owned())),
            "The documents, 1 to 1000: all of them are removed, or none.",
        )
        .takes(
            "atMost",
            InputType::Scalar(Scalar::Int),
            "How many they are at most: a guard against a list that is longer than was meant.",
        )
        .gives(
            "removed",
            PayloadType::Scalar(Scalar::Int),
            "How many were removed.",
        )
        .scope("documents:write")
        .fails(
            "TRUSTED_DOCUMENT_NOT_FOUND",
            "There is no such document in this organization.",
        )
        .fails("TOO_MANY", "There are more ids than `atMost`.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let given = i64::try_from(input.trusted_document_ids.len()).unwrap_or(i64::MAX);
        if given > input.at_most {
            let message = "There are more ids than `atMost`; nothing was removed.";
            return Ok(Outcome::refused("TOO_MANY", message, &["trustedDocumentIds"]).into());
        }
        let request = json!({ "ids": input.trusted_document_ids });
        let answer = outcome::decide_own(call, "remove_trusted_documents", &request).await?;
        if let Some(org_id) = call.actor.org_id() {
            call.app.trusted_documents.forget(org_id);
        }
        match outcome::word(&answer) {
            "removed" => Ok(Outcome::new()
                .value("removed", answer["removed"].clone())
                .into()),
            "not_found" => {
                let missing = answer["missing"].as_array().into_iter().flatten();
                let user_errors = missing.map(|index| missing_at(&index.to_string()));
                Ok(Outcome {
                    user_errors: user_errors.collect(),
                    ..Outcome::default()
                }
                .into())
            }
            "forbidden" => Err(outcome::forbidden()),
            _ => Err(Fault::Internal(format!("unknown outcome {answer}"))),
        }
    }
}

fn missing_at(index: &str) -> UserError {
    UserError {
        code: "TRUSTED_DOCUMENT_NOT_FOUND".to_owned(),
        message: "There is no such document in this organization.".to_owned(),
        field: vec!["trustedDocumentIds".to_owned(), index.to_owned()],
    }
}
