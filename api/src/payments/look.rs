//! How pages of payments look: one card, text first, nothing from elsewhere but what a provider's form needs.

use axum::{
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};

use super::{amounts, words::Words};
use crate::{fault::Fault, http::Problem};

const STYLE: &str = include_str!("look.css");

/// What a page may do that has no script.
pub(super) const NO_SCRIPT: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page. `content` is HTML; whatever stands in it that people wrote went through [`escape`].
pub(super) struct Card<'a> {
    /// Its language.
    pub lang: &'a str,
    /// What it is about; escaped here.
    pub title: &'a str,
    /// Above the card: who speaks, or a warning. HTML.
    pub banner: &'a str,
    pub content: &'a str,
    /// After the card: scripts.
    pub after: &'a str,
    /// Its Content-Security-Policy.
    pub policy: &'a str,
}

impl Card<'_> {
    /// The answer. Nobody keeps a copy of it or shows it in a frame, and where it leads to is told the origin at most.
    pub fn answer(&self) -> Result<Response, Fault> {
        let text = format!(
            "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
             <title>{title}</title><style>{STYLE}</style></head><body>{banner}<main>{content}</main>{after}</body></html>",
            lang = self.lang,
            title = escape(self.title),
            banner = self.banner,
            content = self.content,
            after = self.after,
        );
        let mut response = Html(text).into_response();
        let headers = response.headers_mut();
        let policy = HeaderValue::from_str(self.policy).map_err(Fault::internal)?;
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("strict-origin-when-cross-origin"),
        );
        Ok(response)
    }
}

/// What it is about, to whom it is paid and under which number (where that is not what it is about), and how much:
/// `25.00 EUR`.
pub(super) fn due(
    about: &str,
    whose: Option<(&str, &str)>,
    amount_minor: i64,
    currency: &str,
) -> String {
    let amount = amounts::ISO
        .text(amount_minor, currency)
        .unwrap_or_default();
    let whose = whose.map_or_else(String::new, |(name, number)| {
        let (name, number) = (escape(name), escape(number));
        format!("<p class=\"whose\">{name} · <span>{number}</span></p>")
    });
    format!(
        "<h1>{}</h1>{whose}<p class=\"amount\">{} <span>{}</span></p>",
        escape(about),
        grouped(&amount),
        escape(currency)
    )
}

/// A decimal number, its thousands apart by narrow spaces, as ISO 31 has it in every language; short ones as they are.
fn grouped(number: &str) -> String {
    let (whole, part) = match number.split_once('.') {
        Some((whole, part)) => (whole, format!(".{part}")),
        None => (number, String::new()),
    };
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && whole.len() > 4 && (whole.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text + &part
}

/// A sentence about how it stands: `good`, `bad` or `waits`.
pub(super) fn said(how: &str, sentence: &str) -> String {
    format!(
        "<p id=\"said\" class=\"said {how}\" role=\"status\">{}</p>",
        escape(sentence)
    )
}

/// Where a link leads, and whether it is what one comes to this page for.
pub(super) fn link(url: &str, label: &str, first: bool) -> String {
    let class = if first { "button first" } else { "button" };
    format!(
        "<a class=\"{class}\" href=\"{}\">{}</a>",
        escape(url),
        escape(label)
    )
}

/// A page for whoever cannot be shown what they asked for, with the status that programs are told.
pub(super) fn failed(words: &Words, problem: Problem) -> Response {
    let missing = matches!(problem.0, Fault::NotFound(_));
    let mut told = problem.into_response();
    let content = match missing {
        true => said("bad", words.missing),
        false => said("bad", words.busy) + &link("", words.try_again, true),
    };
    let card = Card {
        lang: words.lang,
        title: words.payment,
        banner: "",
        content: &format!("<h1>{}</h1>{content}", words.payment),
        after: "",
        policy: NO_SCRIPT,
    };
    let Ok(page) = card.answer() else { return told };
    let (shown, body) = page.into_parts();
    told.headers_mut().remove(header::CONTENT_LENGTH);
    told.headers_mut().extend(shown.headers);
    *told.body_mut() = body;
    told
}

/// Text for HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn long_amounts_are_apart_by_thousands() {
        for (plain, shown) in [
            ("0.05", "0.05"),
            ("1234.50", "1234.50"),
            ("12345.50", "12 345.50"),
            ("45000", "45 000"),
            ("1234567.125", "1 234 567.125"),
            ("100", "100"),
        ] {
            assert_eq!(grouped(plain).replace('\u{202f}', " "), shown);
        }
    }
}
