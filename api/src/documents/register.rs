//! registerTrustedDocuments: what a frontend's build does with the documents that it found in the sources.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use eventsphere_entities::trusted_documents::ErrorPolicy;
use eventsphere_graphql::{
    InputObject, InputType, PayloadType, Scalar, Verb,
    answer::Fail,
    document::{Document, hash_of},
    engine::{Outcome, UserError},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    accounts::input,
    fault::Fault,
    http::{is_name, sha256},
    outcome,
    vault::hex,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct RegisterTrustedDocuments;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    documents: Vec<Given>,
    error_policy: Option<String>,
}

/// One document as it was given.
#[derive(Debug, Deserialize)]
pub struct Given {
    text: String,
    id: Option<String>,
    name: Option<String>,
}

/// The input object of one document.
pub fn document() -> InputObject {
    let text = || InputType::Scalar(Scalar::String);
    InputObject::new(
        "TrustedDocumentInput",
        "A document to register, as generators of clients write them into their manifests.",
    )
    .required(
        "text",
        text(),
        "The document with all fragments that it uses, to the letter as clients will send or hash it.",
    )
    .optional(
        "id",
        text(),
        "What clients will send as `documentId`: 1 to 128 letters, digits and `-._~`. Needs not be given when it is the \
         SHA-256 of the text; 64 hexadecimal digits must be that.",
    )
    .optional(
        "name",
        text(),
        "What to call it, 1 to 200 characters; the names of its operations when left out.",
    )
}

#[async_trait]
impl Handle for RegisterTrustedDocuments {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "registerTrustedDocuments",
            "Registers GraphQL documents that the organization trusts: tokens made with `trustedDocumentsOnly` execute \
             these and no others. Each is checked against the schema and the limits of documents first. Registering a \
             text again changes nothing but its name and its identifier.",
        )
        .takes(
            "documents",
            InputType::Objects("TrustedDocumentInput".to_owned()),
            "1 to 1000 documents.",
        )
        .may_take(
            "errorPolicy",
            InputType::Scalar(Scalar::Enum("ErrorPolicy".to_owned())),
            "Whether one document with an error keeps all out (`REJECT_ALL`, when left out) or only itself.",
        )
        .gives(
            "trustedDocuments",
            PayloadType::Entities("TrustedDocument".to_owned()),
            "Those of the call that are registered now.",
        )
        .gives(
            "added",
            PayloadType::Scalar(Scalar::Int),
            "How many of them were not before.",
        )
        .scope("documents:write")
        .fails("DOCUMENT_INVALID", "It is no valid document under this schema.")
        .fails("DOCUMENT_TOO_LARGE", "It exceeds a limit of documents.")
        .fails("ID_INVALID", "The identifier has other characters, or too many, or comes twice.")
        .fails("ID_MISMATCH", "The identifier looks like a SHA-256, but not of this text.")
        .fails("ID_TAKEN", "Another document of the organization has this identifier.")
        .fails("NAME_INVALID", "The name is empty, too long or not on one line.")
        .fails("DOCUMENTS_COUNT", "There are none, or the organization would have more than 5000.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let skip_failed = input.error_policy.as_deref() == Some(ErrorPolicy::SkipFailed.as_str());
        let mut checks = Checks::default();
        for (index, given) in input.documents.into_iter().enumerate() {
            checks.check(call, index, given).await;
        }
        let failed = !checks.errors.is_empty();
        if checks.good.is_empty() && !failed {
            return Ok(count().into());
        }
        if (failed && !skip_failed) || checks.good.is_empty() {
            return Ok(nothing(checks.errors).into());
        }
        let request = json!({ "documents": checks.good, "skip_failed": skip_failed });
        let answer = outcome::decide_own(call, "register_trusted_documents", &request).await?;
        if let Some(org_id) = call.actor.org_id() {
            call.app.trusted_documents.forget(org_id);
        }
        told(&answer, checks)
    }
}

/// What is good of a call, and what is wrong with the rest.
#[derive(Default)]
struct Checks {
    good: Vec<Value>,
    /// Places of the good ones in the input.
    places: Vec<usize>,
    errors: Vec<UserError>,
    texts: HashSet<[u8; 32]>,
    ids: HashMap<String, [u8; 32]>,
}

impl Checks {
    async fn check(&mut self, call: Call<'_>, index: usize, given: Given) {
        let hash = hash_of(&given.text);
        let document = call.app.engine.check(&given.text).await;
        let before = self.errors.len();
        let name = match &document {
            Ok(document) => named(given.name.as_deref(), document),
            Err(fails) => {
                self.errors.push(unfit(index, fails));
                Ok(String::new())
            }
        };
        if name.is_err() {
            let message = "A name has 1 to 200 characters, on one line.";
            self.error(index, "name", "NAME_INVALID", message);
        }
        // The hash itself is no further name.
        let id = given.id.filter(|id| sha256(plain(id)) != Some(hash));
        if let Some(id) = &id {
            let taken = self.ids.get(id).is_some_and(|known| *known != hash);
            if sha256(plain(id)).is_some() {
                let message = "This identifier looks like a SHA-256, but is not that of the text.";
                self.error(index, "id", "ID_MISMATCH", message);
            } else if !is_name(id) || taken {
                let message = "An identifier has 1 to 128 letters, digits and `-._~`, and belongs to one document.";
                self.error(index, "id", "ID_INVALID", message);
            }
        }
        // The same text twice is registered once, as it came first.
        if self.errors.len() > before || !self.texts.insert(hash) {
            return;
        }
        if let Some(id) = &id {
            self.ids.insert(id.clone(), hash);
        }
        self.places.push(index);
        self.good.push(json!({
            "text": given.text, "sha256": hex(&hash), "document_id": id, "name": name.unwrap_or_default(),
        }));
    }

    fn error(&mut self, index: usize, field: &str, code: &str, message: &str) {
        self.errors.push(UserError {
            code: code.to_owned(),
            message: message.to_owned(),
            field: vec!["documents".to_owned(), index.to_string(), field.to_owned()],
        });
    }
}

fn plain(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

/// The name that was given, else those of the operations.
fn named(given: Option<&str>, document: &Document) -> Result<String, ()> {
    if let Some(given) = given {
        return input::name(given, 200).map_err(|_| ());
    }
    let mut names: Vec<&str> = document.names().collect();
    names.sort_unstable();
    let name: String = names.join(", ").chars().take(200).collect();
    Ok(match name.is_empty() {
        true => "unnamed".to_owned(),
        false => name,
    })
}

fn unfit(index: usize, fails: &[Fail]) -> UserError {
    let bounds = fails.iter().any(|fail| fail.code == "COST_EXCEEDED");
    let messages: Vec<String> = fails.iter().take(3).map(in_words).collect();
    UserError {
        code: match bounds {
            true => "DOCUMENT_TOO_LARGE",
            false => "DOCUMENT_INVALID",
        }
        .to_owned(),
        message: messages.join("; "),
        field: vec!["documents".to_owned(), index.to_string(), "text".to_owned()],
    }
}

fn in_words(fail: &Fail) -> String {
    let message: String = fail.message.chars().take(300).collect();
    match fail.locations.first() {
        Some(at) => format!("{message} (line {}, column {})", at.line, at.column),
        None => message,
    }
}

fn nothing(errors: Vec<UserError>) -> Outcome {
    Outcome {
        user_errors: errors,
        ..Outcome::default()
    }
}

fn count() -> Outcome {
    let message = "Give 1 to 1000 documents; an organization has at most 5000.";
    Outcome::refused("DOCUMENTS_COUNT", message, &["documents"])
}

/// What the function decided, with what was wrong before.
fn told(answer: &Value, mut checks: Checks) -> Result<Done, Fault> {
    for taken in answer["taken"].as_array().into_iter().flatten() {
        let place = taken.as_u64().and_then(|at| usize::try_from(at).ok());
        if let Some(index) = place.and_then(|at| checks.places.get(at).copied()) {
            let message =
                "Another document of the organization has this identifier; remove that one first.";
            checks.error(index, "id", "ID_TAKEN", message);
        }
    }
    match outcome::word(answer) {
        "refused" => Ok(nothing(checks.errors).into()),
        "too_many" => Ok(count().into()),
        "registered" => {
            let ids = answer["ids"].as_array().into_iter().flatten();
            let ids: Vec<Uuid> = ids.filter_map(|id| id.as_str()?.parse().ok()).collect();
            let outcome = nothing(checks.errors)
                .entities("trustedDocuments", ids)
                .value("added", answer["added"].clone());
            Ok(outcome.into())
        }
        "forbidden" => Err(outcome::forbidden()),
        _ => Err(Fault::Internal(format!("unknown outcome {answer}"))),
    }
}
