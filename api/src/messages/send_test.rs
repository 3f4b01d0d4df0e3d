//! sendTestMessage: one message of made-up things, to see that it arrives and how it looks.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;

use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    throttle::Size,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct SendTestMessage;

/// What it takes.
#[derive(Debug, Deserialize)]
pub(super) struct Input {
    kind: String,
    channel: Option<String>,
    to: String,
}

const REFUSALS: Refusals = &[(
    "no_account",
    "NO_ACCOUNT",
    "the organization has no account that carries such messages (saveMessageAccount)",
    &["channel"],
)];

/// The address or number as it is kept, if it is one.
fn recipient(channel: &str, to: &str) -> Option<String> {
    let to = to.trim().to_lowercase();
    let fits = match channel {
        "email" => to.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && !host.is_empty()
                && to.len() <= 254
                && !to.contains(char::is_whitespace)
        }),
        _ => to.strip_prefix('+').is_some_and(|digits| {
            matches!(digits.len(), 7..=15) && digits.bytes().all(|byte| byte.is_ascii_digit())
        }),
    };
    fits.then_some(to)
}

#[async_trait]
impl Handle for SendTestMessage {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "sendTestMessage",
            "Sends one message of made-up things in the organization's words. It goes the way of all others, so the log says \
             what became of it.",
        )
        .scope("messages:write")
        .takes(
            "kind",
            InputType::Scalar(Scalar::Enum("MessageKind".to_owned())),
            "Which message.",
        )
        .may_take(
            "channel",
            InputType::Scalar(Scalar::Enum("MessageChannel".to_owned())),
            "Which way it goes; `EMAIL` when left out.",
        )
        .takes(
            "to",
            InputType::Scalar(Scalar::String),
            "E-mail address, or phone number as `+` and 7 to 15 digits (E.164).",
        )
        .gives(
            "delivery",
            PayloadType::Entity("MessageDelivery".to_owned()),
            "Its line in the log.",
        )
        .fails("NO_ACCOUNT", "There is no account that carries such messages.")
        .fails("INVALID", "This is no address or number.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let channel = input.channel.as_deref().unwrap_or("email");
        let Some(to) = recipient(channel, &input.to) else {
            let message = "This is no address, or no number such as +4930123456.";
            return Ok(Outcome::refused("INVALID", message, &["to"]).into());
        };
        let by = call.actor.org_id().unwrap_or_default().to_string();
        let throttle = &call.app.throttle;
        throttle
            .count("test-message", &by, Size::one_every(60, 20_000))
            .await?;
        let request = json!({ "kind": input.kind, "channel": channel, "recipient": to });
        let answer = outcome::decide_own(call, "write_test_message", &request).await?;
        Ok(match outcome::word(&answer) {
            "written" => {
                call.app.jobs.wake();
                Outcome::new().entity("delivery", outcome::key(&answer, "delivery_id")?)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
