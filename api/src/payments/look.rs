//! How pages of payments look: one card, text first, nothing from elsewhere but what a provider's form needs.

use axum::{
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};

use super::amounts;
use crate::fault::Fault;

const STYLE: &str = include_str!("look.css");

/// A page. `content` is HTML; whatever stands in it that people wrote went through [`escape`].
pub(super) struct Card<'a> {
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
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
             <title>{title}</title><style>{STYLE}</style></head><body>{banner}<main>{content}</main>{after}</body></html>",
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

/// What it is about, and how much: `25.00 EUR`.
pub(super) fn due(description: &str, amount_minor: i64, currency: &str) -> String {
    let amount = amounts::ISO
        .text(amount_minor, currency)
        .unwrap_or_default();
    format!(
        "<h1>{}</h1><p class=\"amount\">{amount} <span>{}</span></p>",
        escape(description),
        escape(currency)
    )
}

/// A sentence about how it stands: `good`, `bad` or `waits`.
pub(super) fn said(how: &str, sentence: &str) -> String {
    format!(
        "<p id=\"said\" class=\"said {how}\" role=\"status\">{}</p>",
        escape(sentence)
    )
}

/// A way back, if there is one.
pub(super) fn back(url: Option<&str>) -> String {
    url.map_or_else(String::new, |url| {
        format!(
            "<p class=\"back\"><a href=\"{}\">Back to the shop</a></p>",
            escape(url)
        )
    })
}

/// Text for HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
