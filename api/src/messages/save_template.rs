//! saveMessageTemplate: an organization's own words for a message. It is tried out first: what names a value that there is
//! not, or is no MJML, is not kept.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    template::{self, Flaw, Missing, Source},
    variables,
};
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct SaveMessageTemplate;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    event_id: Option<Uuid>,
    kind: String,
    channel: Option<String>,
    language: String,
    #[serde(flatten)]
    words: Words,
}

/// The text itself.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Words {
    pub subject: Option<String>,
    pub mjml: Option<String>,
    pub text: Option<String>,
}

impl Words {
    /// As a template; nothing of it is empty.
    pub fn source(&self) -> Source<'_> {
        let filled =
            |text: &'_ Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        Source {
            subject: self.subject.as_deref().filter(|_| filled(&self.subject)),
            mjml: self.mjml.as_deref().filter(|_| filled(&self.mjml)),
            text: self.text.as_deref().filter(|_| filled(&self.text)),
        }
    }

    /// Whether these are the parts that messages of the channel have, in a length that is kept.
    pub fn unfit(&self, channel: &str) -> Option<Outcome> {
        let source = self.source();
        let invalid =
            |message: &str, field: &str| Some(Outcome::refused("INVALID", message, &[field]));
        match (channel, source.subject, source.mjml, source.text) {
            ("email", None, ..) => return invalid("A mail has a subject.", "subject"),
            ("email", _, None, _) => return invalid("A mail has its looks, in MJML.", "mjml"),
            ("email", ..) => {}
            (_, Some(_), ..) => return invalid("Only mails have a subject.", "subject"),
            (_, _, Some(_), _) => return invalid("Only mails have MJML.", "mjml"),
            (_, _, _, None) => return invalid("The message needs a text.", "text"),
            _ => {}
        }
        let lengths = [
            ("subject", source.subject, 300),
            ("mjml", source.mjml, 100_000),
            ("text", source.text, 50_000),
        ];
        lengths
            .into_iter()
            .find(|(_, text, most)| {
                text.is_some_and(|text| text.chars().count() > *most || text.contains('\0'))
            })
            .and_then(|(field, _, most)| {
                invalid(&format!("It has at most {most} characters."), field)
            })
    }
}

const REFUSALS: Refusals = &[(
    "event_not_found",
    "EVENT_NOT_FOUND",
    "there is no such event",
    &["eventId"],
)];

/// The fields that describe a text, for inputs.
pub(super) fn takes_words(verb: Verb) -> Verb {
    let text = || InputType::Scalar(Scalar::String);
    verb.may_take(
        "subject",
        text(),
        "Subject line of a mail, up to 300 characters.",
    )
    .may_take(
        "mjml",
        text(),
        "The mail with its looks, as MJML, up to 100000 characters.",
    )
    .may_take(
        "text",
        text(),
        "Plain text, up to 50000 characters; of a mail it is made of the MJML when left out.",
    )
}

/// The kind, channel and language of a text, for inputs.
pub(super) fn takes_place(verb: Verb) -> Verb {
    verb.takes(
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
        "language",
        InputType::Scalar(Scalar::String),
        "Its language: two letters (ISO 639-1), a region where it matters (`pt-BR`).",
    )
}

/// What is wrong with a text, as a user error that names the place.
pub(super) fn told(flaw: &Flaw) -> Outcome {
    let code = match flaw.unknown {
        true => "UNKNOWN_VARIABLE",
        false => "TEMPLATE_BROKEN",
    };
    let message = match flaw.line {
        Some(line) => format!("line {line}: {}", flaw.what),
        None => flaw.what.clone(),
    };
    Outcome::refused(code, &message, &[flaw.part])
}

/// Whether it is the name of a language.
pub(super) fn is_language(text: &str) -> bool {
    let (base, region) = text
        .split_once('-')
        .map_or((text, None), |(base, region)| (base, Some(region)));
    matches!(base.len(), 2 | 3)
        && base.bytes().all(|byte| byte.is_ascii_lowercase())
        && region.is_none_or(|region| {
            region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase())
        })
}

pub(super) fn no_language() -> Outcome {
    let message = "A language is two letters, and a region where it matters: en, pt-BR.";
    Outcome::refused("INVALID", message, &["language"])
}

#[async_trait]
impl Handle for SaveMessageTemplate {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "saveMessageTemplate",
            "Makes or replaces the organization's own text for a message, for one event or for all. It is tried out with \
             examples first, so that what is saved can be sent.",
        )
        .scope("messages:write")
        .may_take(
            "eventId",
            InputType::Scalar(Scalar::Id("Event".to_owned())),
            "The event that it is for; for all of the organization when left out.",
        );
        takes_words(takes_place(verb))
            .gives(
                "messageTemplate",
                PayloadType::Entity("MessageTemplate".to_owned()),
                "The text as it is now.",
            )
            .fails("EVENT_NOT_FOUND", "There is no such event.")
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
        let channel = input.channel.as_deref().unwrap_or("email");
        if !is_language(&input.language) {
            return Ok(no_language().into());
        }
        if let Some(unfit) = input.words.unfit(channel) {
            return Ok(unfit.into());
        }
        let request = json!({
            "event_id": input.event_id, "kind": input.kind, "channel": channel, "language": input.language,
            "subject": input.words.source().subject, "mjml": input.words.source().mjml,
            "text": input.words.source().text,
        });
        let kind = input.kind.clone();
        let tried = tokio::task::spawn_blocking(move || try_out(&input.words, &kind))
            .await
            .map_err(Fault::internal)?;
        if let Err(flaw) = tried {
            return Ok(told(&flaw).into());
        }
        let answer = outcome::decide_own(call, "save_message_template", &request).await?;
        Ok(match outcome::word(&answer) {
            "saved" => {
                Outcome::new().entity("messageTemplate", outcome::key(&answer, "template_id")?)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}

/// With examples of all values, and with as few as there can be.
fn try_out(words: &Words, kind: &str) -> Result<(), Flaw> {
    template::check(words.source(), kind)?;
    for facts in [variables::example(), Json::Null] {
        let missing = match facts.is_null() {
            true => Missing::Empty,
            false => Missing::Refused,
        };
        let about = variables::About {
            kind,
            language: "en",
            public_url: "https://example.org",
            unsubscribe_url: "https://example.org/unsubscribe/example",
        };
        let values = variables::of(&about, &facts, &variables::example_told());
        template::render(words.source(), &values, missing)?;
    }
    Ok(())
}
