//! Where a buyer came from, as the shop's page noticed it: short texts, and addresses without what follows the path.

use eventsphere_graphql::{InputObject, InputType, Scalar, engine::Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

const LONGEST_TEXT: usize = 200;
const LONGEST_ADDRESS: usize = 1000;

/// The input.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Source {
    utm_source: Option<String>,
    utm_medium: Option<String>,
    utm_campaign: Option<String>,
    utm_term: Option<String>,
    utm_content: Option<String>,
    affiliate: Option<String>,
    referrer: Option<String>,
    landing_url: Option<String>,
}

/// Its type in the API.
pub(super) fn input() -> InputObject {
    let text = || InputType::Scalar(Scalar::String);
    InputObject::new(
        "RegistrationSourceInput",
        "Where a buyer came from. Texts have at most 200 characters; of addresses the scheme, host and path are kept, \
         at most 1000 characters.",
    )
    .optional("utmSource", text(), "`utm_source` of the link.")
    .optional("utmMedium", text(), "`utm_medium` of the link.")
    .optional("utmCampaign", text(), "`utm_campaign` of the link.")
    .optional("utmTerm", text(), "`utm_term` of the link.")
    .optional("utmContent", text(), "`utm_content` of the link.")
    .optional("affiliate", text(), "The partner who sent them.")
    .optional("referrer", text(), "The page that they came from.")
    .optional("landingUrl", text(), "The page at which they arrived.")
}

impl Source {
    fn texts(&self) -> [(&'static str, &'static str, &Option<String>); 6] {
        [
            ("utmSource", "utm_source", &self.utm_source),
            ("utmMedium", "utm_medium", &self.utm_medium),
            ("utmCampaign", "utm_campaign", &self.utm_campaign),
            ("utmTerm", "utm_term", &self.utm_term),
            ("utmContent", "utm_content", &self.utm_content),
            ("affiliate", "affiliate", &self.affiliate),
        ]
    }

    fn addresses(&self) -> [(&'static str, &'static str, &Option<String>); 2] {
        [
            ("referrer", "referrer", &self.referrer),
            ("landingUrl", "landing_url", &self.landing_url),
        ]
    }

    /// What is too long.
    pub(super) fn fault(&self) -> Option<Outcome> {
        let refused = |field: &str, longest: usize| {
            let message = format!("at most {longest} characters are kept");
            Outcome::refused("INVALID", &message, &["source", field])
        };
        let too_long = |text: &Option<String>, longest| {
            text.as_deref()
                .is_some_and(|text| text.chars().count() > longest || text.contains('\0'))
        };
        if let Some((field, ..)) = self
            .texts()
            .into_iter()
            .find(|(.., text)| too_long(text, LONGEST_TEXT))
        {
            return Some(refused(field, LONGEST_TEXT));
        }
        self.addresses()
            .into_iter()
            .find(|(.., text)| {
                let kept = text.as_deref().map(bare).map(str::to_owned);
                too_long(&kept, LONGEST_ADDRESS)
            })
            .map(|(field, ..)| refused(field, LONGEST_ADDRESS))
    }

    /// For the function that places; null when nothing is said.
    pub(super) fn request(&self) -> Json {
        let mut out = Map::new();
        for (_, name, text) in self.texts() {
            if let Some(text) = text
                .as_deref()
                .map(str::trim)
                .filter(|text| !text.is_empty())
            {
                out.insert(name.to_owned(), json!(text));
            }
        }
        for (_, name, text) in self.addresses() {
            if let Some(text) = text.as_deref().map(bare).filter(|text| !text.is_empty()) {
                out.insert(name.to_owned(), json!(text));
            }
        }
        match out.is_empty() {
            true => Json::Null,
            false => Json::Object(out),
        }
    }
}

/// The address without query and fragment: those carry click ids that are different for everybody, and sometimes secrets.
fn bare(address: &str) -> &str {
    let address = address.trim();
    address
        .split_once(['?', '#'])
        .map_or(address, |(kept, _)| kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_is_different_for_everybody() {
        let source = Source {
            utm_source: Some(" news ".to_owned()),
            utm_medium: Some("  ".to_owned()),
            referrer: Some("https://a.example/b?token=secret#x".to_owned()),
            landing_url: Some("https://c.example/#frag".to_owned()),
            ..Source::default()
        };
        assert_eq!(
            source.request(),
            json!({ "utm_source": "news", "referrer": "https://a.example/b", "landing_url": "https://c.example/" })
        );
        assert!(source.fault().is_none());
        assert_eq!(Source::default().request(), Json::Null);
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let source = Source {
            affiliate: Some("a".repeat(201)),
            ..Source::default()
        };
        assert_eq!(
            source.fault().unwrap().user_errors[0].field,
            ["source", "affiliate"]
        );
        let source = Source {
            referrer: Some(format!("https://a.example/{}", "b".repeat(1000))),
            ..Source::default()
        };
        assert!(source.fault().is_some());
    }
}
