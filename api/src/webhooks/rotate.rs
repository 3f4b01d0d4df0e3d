//! rotateWebhookSecret: another secret, and for a while both sign.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    given::{OVERLAP_HOURS, REFUSALS},
    sign::SigningSecret,
};
use crate::{
    fault::Fault,
    outcome,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct RotateWebhookSecret;

/// A week.
const LONGEST_OVERLAP_HOURS: i32 = 168;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    id: Uuid,
    overlap_hours: Option<i32>,
}

#[async_trait]
impl Handle for RotateWebhookSecret {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "rotateWebhookSecret",
            "Gives an endpoint another secret. For some hours each delivery carries a signature by either, so that \
             receivers change over when they like.",
        )
        .scope("webhooks:write")
        .takes(
            "id",
            InputType::Scalar(Scalar::Id("WebhookEndpoint".to_owned())),
            "Which one.",
        )
        .may_take(
            "overlapHours",
            InputType::Scalar(Scalar::Int),
            "How long the secret before signs too, 0 to 168 hours; 24 when left out, 0 when it has leaked.",
        )
        .gives(
            "webhookEndpoint",
            PayloadType::Entity("WebhookEndpoint".to_owned()),
            "The endpoint.",
        )
        .gives(
            "secret",
            PayloadType::Scalar(Scalar::String),
            "The new secret, `whsec_...`. It cannot be shown again.",
        )
        .gives(
            "previousSignsUntil",
            PayloadType::Scalar(Scalar::DateTime),
            "Until when the one before signs too; null if it does no longer.",
        )
        .fails("WEBHOOK_ENDPOINT_NOT_FOUND", "There is no such endpoint.")
        .fails("OVERLAP_INVALID", "The overlap is not from 0 to 168 hours.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let hours = input.overlap_hours.unwrap_or(OVERLAP_HOURS);
        if !(0..=LONGEST_OVERLAP_HOURS).contains(&hours) {
            let message = "The overlap is from 0 to 168 hours.";
            return Ok(Outcome::refused("OVERLAP_INVALID", message, &["overlapHours"]).into());
        }
        let secret = SigningSecret::generate()?;
        let sealed = secret.seal(&call.app.vault, input.id)?;
        let request = json!({ "id": input.id, "sealed": sealed, "hours": hours });
        let answer = outcome::decide_own(call, "rotate_webhook_secret", &request).await?;
        Ok(match outcome::word(&answer) {
            "rotated" => Outcome::new()
                .entity("webhookEndpoint", input.id)
                .value("secret", secret.text())
                .value(
                    "previousSignsUntil",
                    outcome::instant(&answer, "previous_until"),
                ),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
