//! previewMessageTemplate: what somebody would get, without sending it.

use async_trait::async_trait;
use eventsphere_graphql::{
    InputType, PayloadType, Scalar, ValueObject, ValueType, Verb, engine::Outcome,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    builtin, compose,
    save_template::{Words, is_language, no_language, takes_place, takes_words, told},
    template::{self, Flaw, Made, Missing, Source},
    variables,
};
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct PreviewMessageTemplate;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    event_id: Option<Uuid>,
    registration_id: Option<Uuid>,
    kind: String,
    channel: Option<String>,
    language: String,
    #[serde(flatten)]
    words: Words,
}

const REFUSALS: Refusals = &[
    (
        "event_not_found",
        "EVENT_NOT_FOUND",
        "there is no such event",
        &["eventId"],
    ),
    (
        "registration_not_found",
        "REGISTRATION_NOT_FOUND",
        "there is no such registration",
        &["registrationId"],
    ),
];

/// What the verb gives.
pub(super) fn preview() -> ValueObject {
    let text = || ValueType::Scalar(Scalar::String);
    ValueObject::new(
        "MessagePreview",
        "What somebody would get. Show `html` in a frame that may run nothing.",
    )
    .has(
        "subject",
        text(),
        "Subject line; empty where there is none.",
    )
    .may_have(
        "html",
        text(),
        "The mail with its looks; null for other channels.",
    )
    .has("text", text(), "Plain text.")
    .may_have(
        "mjml",
        text(),
        "The template that it was made of: to begin one's own with. Null for other channels.",
    )
    .has(
        "variables",
        text(),
        "Names of the values that messages of the kind have, with commas between them.",
    )
}

#[async_trait]
impl Handle for PreviewMessageTemplate {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "previewMessageTemplate",
            "What somebody would get: of the text that is given, else of the one that counts now. With a registration it \
             tells of that (this needs `registrations:read` and `attendees:read`), with an event of that (`events:read`), \
             and of made-up things for the rest. Nothing is sent or kept.",
        )
        .scope("messages:read")
        .may_take(
            "eventId",
            InputType::Scalar(Scalar::Id("Event".to_owned())),
            "An event to tell of.",
        )
        .may_take(
            "registrationId",
            InputType::Scalar(Scalar::Id("Registration".to_owned())),
            "A registration to tell of; its event counts.",
        );
        takes_words(takes_place(verb))
            .gives(
                "preview",
                PayloadType::Value("MessagePreview".to_owned()),
                "What somebody would get.",
            )
            .fails("EVENT_NOT_FOUND", "There is no such event.")
            .fails("REGISTRATION_NOT_FOUND", "There is no such registration.")
            .fails(
                "UNKNOWN_VARIABLE",
                "It names a value that messages of this kind do not have; the message says where.",
            )
            .fails(
                "TEMPLATE_BROKEN",
                "It cannot be read, or is no MJML; the message says where.",
            )
            .fails(
                "INVALID",
                "A part is missing, too long, or not for this channel.",
            )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let channel = input.channel.clone().unwrap_or_else(|| "email".to_owned());
        if !is_language(&input.language) {
            return Ok(no_language().into());
        }
        let given = input.words.source();
        let own_words = given.subject.or(given.mjml).or(given.text).is_some();
        if let Some(unfit) = input.words.unfit(&channel).filter(|_| own_words) {
            return Ok(unfit.into());
        }
        let request = json!({
            "kind": input.kind, "channel": channel, "event_id": input.event_id, "registration_id": input.registration_id,
        });
        let answer = outcome::decide_own(call, "message_sample", &request).await?;
        if outcome::word(&answer) != "sample" {
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        }
        let url = call.app.posture.public_url.clone();
        let shown =
            tokio::task::spawn_blocking(move || show(&input, own_words, &channel, &answer, &url))
                .await
                .map_err(Fault::internal)?;
        Ok(match shown {
            Ok(preview) => Outcome::new().value("preview", preview),
            Err(flaw) => told(&flaw),
        }
        .into())
    }
}

fn show(
    input: &Input,
    own_words: bool,
    channel: &str,
    answer: &Json,
    url: &str,
) -> Result<Json, Flaw> {
    let kind = input.kind.as_str();
    let unsubscribe = match variables::is_unsubscribable(kind) {
        true => format!("{url}/unsubscribe/example"),
        false => String::new(),
    };
    let about = variables::About {
        kind,
        language: &input.language,
        public_url: url,
        unsubscribe_url: &unsubscribe,
    };
    let values = variables::of(
        &about,
        &variables::completed(&answer["facts"]),
        &variables::example_told(),
    );
    let (made, source) = match own_words {
        true => {
            let source = input.words.source();
            template::check(source, kind)?;
            (
                template::render(source, &values, Missing::Refused)?,
                source.mjml.map(str::to_owned),
            )
        }
        false => in_force(kind, channel, &input.language, answer, &values)?,
    };
    Ok(json!({
        "subject": made.subject, "html": made.html, "text": made.text, "mjml": source,
        "variables": variables::listed(kind),
    }))
}

/// The text that counts now, and what it is made of.
fn in_force(
    kind: &str,
    channel: &str,
    language: &str,
    answer: &Json,
    values: &Json,
) -> Result<(Made, Option<String>), Flaw> {
    let templates = answer["templates"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let organization = answer["facts"]["organization"]["language"].as_str();
    for language in compose::languages(Some(language), organization) {
        for of_event in [true, false] {
            let own = templates.iter().find(|template| {
                template["language"] == language.as_str()
                    && template["event_id"].is_string() == of_event
            });
            if let Some(own) = own {
                let source: Source<'_> = compose::source(own);
                let made = template::render(source, values, Missing::Empty)?;
                return Ok((made, source.mjml.map(str::to_owned)));
            }
        }
        if let Some(built_in) = builtin::mail(kind, &language) {
            let mut made = template::render(built_in.source(), values, Missing::Empty)?;
            if channel != "email" {
                made.html = None;
                return Ok((made, None));
            }
            return Ok((made, Some(built_in.mjml)));
        }
    }
    Err(Flaw {
        part: "mjml",
        line: None,
        what: "there is no text for this message".to_owned(),
        unknown: false,
    })
}
