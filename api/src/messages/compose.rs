//! From a letter to what is sent: the language of its recipient, the nearest template, the values, the calendar file. A
//! template that does not work (it was checked with examples, not with everything) gives way to the next.

use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    builtin,
    providers::Outgoing,
    template::{self, Made, Missing, Source},
    unsubscribe, variables,
};
use crate::{calendar, fault::Fault, state::App};

/// A letter with what was made of it.
#[derive(Clone, Debug)]
pub struct Composed {
    /// As it goes out.
    pub outgoing: Outgoing,
    /// Whether its text was there before.
    pub written_out: bool,
}

/// Makes it, of what `message_take` or `message_look` told.
pub async fn compose(app: &App, told: Json) -> Result<Composed, Fault> {
    let app = app.clone();
    // Parsing and rendering are work for a processor.
    tokio::task::spawn_blocking(move || make(&app, &told))
        .await
        .map_err(Fault::internal)?
}

fn make(app: &App, told: &Json) -> Result<Composed, Fault> {
    let examples = told["letter"]["variables"]["example"] == true;
    let exemplary = examples.then(|| with_examples(told));
    let told = exemplary.as_ref().unwrap_or(told);
    let (letter, facts) = (&told["letter"], &told["facts"]);
    let text = |name: &str| letter[name].as_str().map(str::to_owned);
    let need =
        |name: &str| text(name).ok_or_else(|| Fault::Internal(format!("a letter without {name}")));
    let id: Uuid = need("id")?.parse().map_err(Fault::internal)?;
    let (kind, channel, recipient) = (need("kind")?, need("channel")?, need("recipient")?);
    let org_id: Option<Uuid> = text("org_id").and_then(|id| id.parse().ok());
    let unsubscribe_url = match org_id {
        Some(org_id) if variables::is_unsubscribable(&kind) => {
            Some(unsubscribe::url(app, org_id, &channel, &recipient)?)
        }
        _ => None,
    };
    let written_out = letter["subject"].is_string();
    let (made, calendar) = match written_out {
        true => {
            let made = Made {
                subject: need("subject")?,
                text: text("body_text").unwrap_or_default(),
                html: text("body_html"),
            };
            (made, text("calendar"))
        }
        false => {
            let about = variables::About {
                kind: &kind,
                language: "",
                public_url: &app.posture.public_url,
                unsubscribe_url: unsubscribe_url.as_deref().unwrap_or(""),
            };
            let made = by_nearest(&about, &channel, told)?;
            let organizer = organizer(&app.messages.from, facts);
            let calendar = (channel == "email").then(|| calendar_file(&about, told, organizer));
            (made, calendar.flatten())
        }
    };
    let organization = &facts["organization"];
    let reply_to = organization["support_email"].as_str();
    Ok(Composed {
        outgoing: Outgoing {
            id,
            channel,
            from_name: organization["name"]
                .as_str()
                // Of what was written out before, the mailbox knows the name.
                .or(told["organization"].as_str())
                .unwrap_or("EventSphere")
                .to_owned(),
            from_address: app.messages.from.to_string(),
            reply_to: reply_to
                .filter(|address| !address.is_empty())
                .map(str::to_owned),
            to: recipient,
            subject: made.subject,
            text: made.text,
            html: made.html,
            calendar,
            unsubscribe_url,
            written_at: variables::instant(&letter["created_at"])
                .unwrap_or_else(|| app.clock.now()),
        },
        written_out,
    })
}

/// A message that is sent to be looked at tells of made-up things.
fn with_examples(told: &Json) -> Json {
    let mut told = told.clone();
    let recipient = told["facts"]["recipient"]["address"].clone();
    told["facts"] = variables::completed(&told["facts"]);
    told["facts"]["recipient"]["address"] = recipient;
    told["letter"]["variables"] = variables::example_told();
    told
}

/// The languages to try: the recipient's, the organization's, English; each also without its region.
pub fn languages(recipient: Option<&str>, organization: Option<&str>) -> Vec<String> {
    let mut wanted: Vec<String> = vec![];
    for language in [recipient, organization, Some("en")].into_iter().flatten() {
        let base = language.split(['-', '_']).next().unwrap_or(language);
        for language in [language.replace('_', "-"), base.to_lowercase()] {
            if !language.is_empty() && !wanted.contains(&language) {
                wanted.push(language);
            }
        }
    }
    wanted
}

/// By the event's template, else the organization's, else the built-in one, each in the first language that there is.
fn by_nearest(about: &variables::About<'_>, channel: &str, told: &Json) -> Result<Made, Fault> {
    let facts = &told["facts"];
    let languages = languages(
        facts["recipient"]["language"].as_str(),
        facts["organization"]["language"].as_str(),
    );
    let templates = told["templates"].as_array().map_or(&[][..], Vec::as_slice);
    for language in &languages {
        let about = variables::About {
            language,
            ..about.clone()
        };
        let values = variables::of(&about, facts, &told["letter"]["variables"]);
        for of_event in [true, false] {
            let own = templates.iter().find(|template| {
                template["language"] == language.as_str()
                    && template["event_id"].is_string() == of_event
            });
            let Some(own) = own else { continue };
            match template::render(source(own), &values, Missing::Empty) {
                Ok(made) => return Ok(made),
                Err(flaw) => {
                    tracing::warn!(template = %own["id"], %flaw, "a template failed; the next one is taken");
                }
            }
        }
        if let Some(built_in) = builtin::mail(about.kind, language) {
            let mut made = template::render(built_in.source(), &values, Missing::Empty)
                .map_err(|flaw| Fault::Internal(format!("{}: {flaw}", about.kind)))?;
            if channel != "email" {
                // What the mail says, in short.
                made.html = None;
            }
            return Ok(made);
        }
    }
    Err(Fault::Internal(format!("no text for {}", about.kind)))
}

/// A stored template as a source.
pub fn source(template: &Json) -> Source<'_> {
    Source {
        subject: template["subject"].as_str(),
        mjml: template["mjml"].as_str(),
        text: template["text"].as_str(),
    }
}

/// Name and address of whoever invites: where answers go, else where the mail comes from.
fn organizer(from: &str, facts: &Json) -> (String, String) {
    let organization = &facts["organization"];
    let support = organization["support_email"].as_str();
    let name = organization["name"].as_str().unwrap_or("EventSphere");
    let address = support.filter(|address| !address.is_empty());
    (name.to_owned(), address.unwrap_or(from).to_owned())
}

/// The date, to enter or to take out, for the registration that the letter is about.
fn calendar_file(
    about: &variables::About<'_>,
    told: &Json,
    organizer: (String, String),
) -> Option<String> {
    let facts = &told["facts"];
    let cancelled = match about.kind {
        "registration_confirmed" => false,
        "registration_cancelled" | "event_cancelled" => true,
        _ => return None,
    };
    let (event, date) = (&facts["event"], &facts["date"]);
    let text = |from: &Json, name: &str| from[name].as_str().unwrap_or("").to_owned();
    let sequence = date["sequence"].as_u64().unwrap_or(0);
    let entry = calendar::Entry {
        id: date["id"].as_str()?.parse().ok()?,
        registration_id: Some(facts["registration"]["id"].as_str()?.parse().ok()?),
        starts_at: variables::instant(&date["starts_at"])?,
        ends_at: variables::instant(&date["ends_at"])?,
        cancelled,
        title: text(event, "title"),
        summary: text(event, "summary"),
        place: text(event, "place"),
        // What takes the date out is later than what entered it.
        sequence: u32::try_from(sequence)
            .unwrap_or(u32::MAX)
            .saturating_add(cancelled.into()),
        said_at: variables::instant(&told["letter"]["created_at"])?,
        organizer: Some(organizer),
        url: format!(
            "{}/calendar/{}/{}.ics",
            about.public_url,
            text(&facts["organization"], "slug"),
            text(event, "slug"),
        ),
    };
    Some(entry.file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_tried_from_the_nearest_on() {
        assert_eq!(
            languages(Some("pt_BR"), Some("de")),
            ["pt-BR", "pt", "de", "en"]
        );
        assert_eq!(languages(None, Some("en")), ["en"]);
    }
}
