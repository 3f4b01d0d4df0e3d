//! The texts that are there before anybody writes others: in English all of them, in German those of organizations. One
//! file each: the subject line, then what stands in the middle of the layout.

use super::template::Source;

const LAYOUT: &str = include_str!("builtin/layout.mjml");

macro_rules! texts {
    ($language:literal: $($kind:literal),+) => {
        &[$(($kind, include_str!(concat!("builtin/", $language, "/", $kind, ".mjml")))),+]
    };
}

const ENGLISH: &[(&str, &str)] = texts!("en":
    "verify_email", "already_signed_up", "reset_password", "password_changed", "account_locked", "invitation",
    "ticket_transfer", "waitlist_offer", "registration_confirmed", "registration_cancelled", "event_cancelled", "reminder",
    "registration_approved", "registration_rejected", "tickets_cancelled", "payment_refunded", "ticket_received",
    "ticket_handed_over");
const GERMAN: &[(&str, &str)] = texts!("de":
    "invitation", "ticket_transfer", "waitlist_offer", "registration_confirmed", "registration_cancelled",
    "event_cancelled", "reminder", "registration_approved", "registration_rejected", "tickets_cancelled",
    "payment_refunded", "ticket_received", "ticket_handed_over");

/// A built-in text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Subject line, a template.
    pub subject: String,
    /// The whole mail, a template.
    pub mjml: String,
}

impl BuiltIn {
    /// As a template.
    pub fn source(&self) -> Source<'_> {
        Source {
            subject: Some(&self.subject),
            mjml: Some(&self.mjml),
            text: None,
        }
    }
}

/// The built-in mail of the kind in that language, if there is one.
pub fn mail(kind: &str, language: &str) -> Option<BuiltIn> {
    let (texts, unsubscribe) = match language {
        "en" => (ENGLISH, "No more reminders from this organizer"),
        "de" => (GERMAN, "Keine Erinnerungen dieses Veranstalters mehr"),
        _ => return None,
    };
    let (_, text) = texts.iter().find(|(known, _)| *known == kind)?;
    let (subject, body) = text.split_once('\n')?;
    Some(BuiltIn {
        subject: subject.to_owned(),
        mjml: LAYOUT
            .replace("<!-- body -->", body.trim_end())
            .replace("<!-- unsubscribe -->", unsubscribe),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{template, variables};

    #[test]
    fn each_keeps_the_rules_for_what_organizations_write() {
        for (language, texts) in [("en", ENGLISH), ("de", GERMAN)] {
            for (kind, _) in texts {
                let built_in = mail(kind, language).expect("a text");
                template::check(built_in.source(), kind)
                    .unwrap_or_else(|flaw| panic!("{language} {kind}: {flaw}"));
                let about = variables::About {
                    kind,
                    language,
                    public_url: "https://events.example",
                    unsubscribe_url: "https://events.example/u",
                };
                let mut facts = variables::example();
                let told = variables::example_told();
                for organization in [None, Some("<b>X</b> & co")] {
                    if let Some(name) = organization {
                        facts["organization"] = serde_json::json!({
                            "name": name, "slug": "x", "support_email": "help@x.example", "primary_color": "#112233",
                            "logo_url": "https://x.example/logo.png", "footer_text": "Foot",
                        });
                    }
                    let values = variables::of(&about, &facts, &told);
                    let made =
                        template::render(built_in.source(), &values, template::Missing::Refused)
                            .unwrap_or_else(|flaw| panic!("{language} {kind}: {flaw}"));
                    let html = made.html.expect("looks");
                    assert!(
                        !made.subject.is_empty()
                            && !made.text.contains("{{")
                            && !html.contains("<!-- body")
                    );
                    assert!(!html.contains("<b>X</b>"), "{html}");
                }
            }
        }
    }

    #[test]
    fn codes_stand_in_a_link_and_on_a_line_of_their_own() {
        for kind in [
            "verify_email",
            "reset_password",
            "invitation",
            "ticket_transfer",
        ] {
            let about = variables::About {
                kind,
                language: "en",
                public_url: "https://events.example",
                unsubscribe_url: "",
            };
            let told = serde_json::json!({ "code": "esc_dev_x1", "expires_at": "2027-05-01T10:00:00+00:00" });
            let values = variables::of(&about, &variables::example(), &told);
            let built_in = mail(kind, "en").expect("a text");
            let made = template::render(built_in.source(), &values, template::Missing::Refused)
                .expect("a letter");
            let is_link = |line: &str| {
                line.starts_with("https://events.example/") && line.ends_with("?code=esc_dev_x1")
            };
            assert!(made.text.lines().any(is_link), "{}", made.text);
            assert!(
                made.text.lines().any(|line| line == "esc_dev_x1"),
                "{}",
                made.text
            );
        }
    }
}
