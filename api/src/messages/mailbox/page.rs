//! The mailbox as pages. Everything is escaped, nothing runs scripts; what a mail looks like is shown in a frame that may
//! nothing.

use std::fmt::Write as _;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};

use super::Letter;

const STYLE: &str = include_str!("style.css");

/// For the pages themselves: a style of their own, frames and forms to themselves.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";
/// For a mail in its frame: its own style, pictures; no scripts, no forms, and links lead nowhere by themselves.
const FRAME_POLICY: &str = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// How a letter is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Html,
    Text,
    Source,
}

impl View {
    /// As addresses name it; what a letter has not is shown as text.
    pub(super) fn of(name: Option<&str>, letter: &Letter) -> Self {
        match name {
            Some("source") => Self::Source,
            Some("text") => Self::Text,
            _ if letter.html.is_some() => Self::Html,
            _ => Self::Text,
        }
    }
}

/// The list, and beside it the letter that was chosen.
pub(super) fn mailbox(
    letters: &[Letter],
    to: Option<&str>,
    chosen: Option<(&Letter, View)>,
    now: DateTime<Utc>,
) -> Response {
    let title = chosen.map_or("All mail", |(letter, _)| letter.subject.as_str());
    let side = match chosen {
        Some((letter, view)) => reading(letter, to, view),
        None if letters.is_empty() => String::new(),
        None => "<div class=\"empty choose\"><b>Choose a letter</b>What the program sends is kept here while no \
                 mail server is configured.</div>"
            .to_owned(),
    };
    let list = list(letters, to, chosen.map(|(letter, _)| letter), now);
    let body = format!(
        "<header><h1><a href=\"/dev/mailbox\">Mailbox <span>· development</span></a></h1>\
         <form action=\"/dev/mailbox\"><input type=\"search\" name=\"to\" value=\"{}\" placeholder=\"Recipient's address\" \
         aria-label=\"Recipient\"><button>Show</button></form></header><main>{list}{side}</main>",
        escaped(to.unwrap_or(""))
    );
    let class = if chosen.is_some() {
        "reading"
    } else {
        "listing"
    };
    page(StatusCode::OK, title, class, &body)
}

fn query(to: Option<&str>, before: char) -> String {
    match to {
        Some(to) => format!("{before}to={}", encoded(to)),
        None => String::new(),
    }
}

fn list(
    letters: &[Letter],
    to: Option<&str>,
    chosen: Option<&Letter>,
    now: DateTime<Utc>,
) -> String {
    if letters.is_empty() {
        let (what, why) = match to {
            Some(_) => ("Nothing for this address", "Nobody has written there yet."),
            None => (
                "No mail yet",
                "Sign up, or register for an event, and it appears here.",
            ),
        };
        return format!("<div class=\"empty\"><b>{what}</b>{why}</div>");
    }
    let mut html = String::from("<nav aria-label=\"Letters\">");
    for letter in letters {
        let current = match chosen.is_some_and(|chosen| chosen.id == letter.id) {
            true => " aria-current=\"page\"",
            false => "",
        };
        // Writing to a String does not fail.
        let _ = write!(
            html,
            "<a href=\"/dev/mailbox/{}{}\"{current}><span class=\"face\" aria-hidden=\"true\">{}</span>\
             <span class=\"to\">{}</span><time datetime=\"{}\">{}</time><span class=\"subject\">{}</span>\
             <span class=\"marks\">{}</span></a>",
            letter.id,
            query(to, '?'),
            escaped(&letter.to.chars().take(1).collect::<String>()),
            escaped(&letter.to),
            letter.created_at.format("%Y-%m-%dT%H:%M:%SZ"),
            ago(letter.created_at, now),
            escaped(&letter.subject),
            marks(letter),
        );
    }
    html.push_str("</nav>");
    html
}

fn marks(letter: &Letter) -> String {
    let state = letter.state.as_str();
    let kind = letter.kind.replace('_', " ");
    let mut html = format!(
        "<span class=\"mark {}\">{}</span><span class=\"mark\">{}</span>",
        escaped(state),
        escaped(state),
        escaped(&kind)
    );
    let channel = (letter.channel != "email").then_some(&letter.channel);
    for more in channel.into_iter().chain(&letter.organization) {
        let _ = write!(html, "<span class=\"mark\">{}</span>", escaped(more));
    }
    html
}

fn reading(letter: &Letter, to: Option<&str>, view: View) -> String {
    let tabs = [
        (View::Html, "html", "Looks", letter.html.is_some()),
        (View::Text, "text", "Text", true),
        (View::Source, "source", "Source", letter.source.is_some()),
    ];
    let mut shown = String::new();
    for (tab, name, title, there) in tabs {
        if there {
            let current = if tab == view {
                " aria-current=\"page\""
            } else {
                ""
            };
            let _ = write!(
                shown,
                "<a href=\"/dev/mailbox/{}?view={name}{}\"{current}>{title}</a>",
                letter.id,
                query(to, '&')
            );
        }
    }
    let body = match view {
        View::Html => format!(
            "<iframe sandbox=\"allow-popups\" title=\"The letter\" src=\"/dev/mailbox/{}/html\"></iframe>",
            letter.id
        ),
        View::Text => format!("<pre>{}</pre>", escaped(&letter.text)),
        View::Source => format!(
            "<pre class=\"source\">{}</pre>",
            escaped(letter.source.as_deref().unwrap_or(""))
        ),
    };
    let calendar = match letter.calendar.is_some() {
        true => format!(
            "<dt>File</dt><dd><a class=\"file\" href=\"/dev/mailbox/{}/event.ics\">event.ics</a></dd>",
            letter.id
        ),
        false => String::new(),
    };
    let failure = match &letter.failure {
        Some(failure) => format!("<dt>Why</dt><dd class=\"why\">{}</dd>", escaped(failure)),
        None => String::new(),
    };
    format!(
        "<article><div class=\"head\"><a class=\"back\" href=\"/dev/mailbox{}\">‹ All mail</a><h2>{}</h2><dl><dt>From</dt>\
         <dd>{}</dd><dt>To</dt><dd>{}</dd><dt>When</dt><dd>{} UTC</dd>{calendar}{failure}</dl><span class=\"marks\">{}</span>\
         </div><div class=\"tabs\">{shown}</div><div class=\"body\">{body}</div></article>",
        query(to, '?'),
        escaped(&letter.subject),
        escaped(&letter.from),
        escaped(&letter.to),
        letter.created_at.format("%Y-%m-%d %H:%M:%S"),
        marks(letter),
    )
}

/// How long ago, in the largest unit that fits.
fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds().max(0);
    match seconds {
        0..60 => "now".to_owned(),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => at.format("%Y-%m-%d").to_string(),
    }
}

/// A page of ours.
fn page(status: StatusCode, title: &str, class: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{} · Mailbox</title>\
         <style>{STYLE}</style></head><body class=\"{class}\">{body}</body></html>",
        escaped(title)
    );
    guarded(
        (status, html).into_response(),
        "text/html; charset=utf-8",
        POLICY,
    )
}

/// A mail as its readers see it, for the frame.
pub(super) fn framed(html: &str) -> Response {
    guarded(
        html.to_owned().into_response(),
        "text/html; charset=utf-8",
        FRAME_POLICY,
    )
}

/// A calendar file.
pub(super) fn calendar(file: &str) -> Response {
    guarded(
        file.to_owned().into_response(),
        "text/calendar; charset=utf-8",
        POLICY,
    )
}

fn guarded(mut response: Response, kind: &'static str, policy: &'static str) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// One sentence instead of a letter.
pub(super) fn sentence(status: StatusCode, title: &str, text: &str) -> Response {
    let body = format!(
        "<header><h1><a href=\"/dev/mailbox\">Mailbox <span>· development</span></a></h1></header>\
         <div class=\"empty\"><b>{title}</b>{text}</div>"
    );
    page(status, title, "listing", &body)
}

/// Text as HTML text or attribute value.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// Text as a value in an address.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn letter(text: &str) -> Letter {
        Letter {
            id: Uuid::nil(),
            kind: text.into(),
            channel: text.into(),
            from: text.into(),
            to: text.into(),
            subject: text.into(),
            text: text.into(),
            html: Some(text.into()),
            source: Some(text.into()),
            calendar: Some(text.into()),
            organization: Some(text.into()),
            state: text.into(),
            failure: Some(text.into()),
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn nothing_in_a_letter_becomes_markup() {
        let evil = "<script>alert('x')</script>\"&";
        let letter = letter(evil);
        let views =
            [View::Html, View::Text, View::Source].map(|view| reading(&letter, Some(evil), view));
        let list = list(
            std::slice::from_ref(&letter),
            Some(evil),
            Some(&letter),
            DateTime::UNIX_EPOCH,
        );
        for html in views.into_iter().chain([list]) {
            assert!(!html.contains("<script"), "{html}");
            assert!(
                html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"),
                "{html}"
            );
        }
    }

    #[test]
    fn pages_run_no_scripts_are_not_kept_and_frame_only_themselves() {
        let response = mailbox(&[letter("a")], None, None, DateTime::UNIX_EPOCH);
        for (response, frames) in [
            (response, "frame-src 'self'"),
            (framed("<script>x</script>"), "sandbox allow-popups"),
        ] {
            let headers = response.headers();
            let policy = headers[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .expect("a policy");
            assert!(
                policy.contains("default-src 'none'") && policy.contains(frames),
                "{policy}"
            );
            assert!(!policy.contains("script-src") && !policy.contains("allow-scripts"));
            assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        }
    }
}
