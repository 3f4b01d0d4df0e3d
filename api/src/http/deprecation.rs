//! Tells in headers what an operation used that will be removed: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) with
//! the earliest dates among them, a link to where it is described, and the list of all of them.

use std::{fmt::Write as _, sync::Arc};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use chrono::{NaiveDate, NaiveTime};
use eventsphere_graphql::Deprecated;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// A list of strings as in RFC 9651, each with the date of its removal: `"Event.summary";sunset=@1814400000`.
const LIST: HeaderName = HeaderName::from_static("graphql-deprecated");
/// No more of them are listed, for proxies bound the size of headers.
const MOST: usize = 40;

/// What scripts of other origins may read.
pub(super) const HEADERS: [HeaderName; 4] = [DEPRECATION, SUNSET, LIST, header::LINK];

/// Adds the headers when something deprecated was used.
pub(super) fn announce(headers: &mut HeaderMap, used: &[Arc<Deprecated>]) {
    let since = used.iter().map(|one| one.since).min();
    let removal = used.iter().map(|one| one.removal).min();
    let (Some(since), Some(removal)) = (since, removal) else {
        return;
    };
    let mut list = String::new();
    for one in used.iter().take(MOST) {
        let comma = if list.is_empty() { "" } else { ", " };
        // Writing to a String does not fail. A coordinate is made of names, `.`, `(`, `:` and `)`.
        let _ = write!(
            list,
            "{comma}\"{}\";sunset=@{}",
            one.coordinate,
            seconds(one.removal)
        );
    }
    let sunset = removal.format("%a, %d %b %Y 00:00:00 GMT").to_string();
    for (name, value) in [
        (DEPRECATION, format!("@{}", seconds(since))),
        (SUNSET, sunset),
        (LIST, list),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    headers.append(
        header::LINK,
        HeaderValue::from_static("</schema.graphql>; rel=\"deprecation\"; type=\"text/plain\""),
    );
}

fn seconds(day: NaiveDate) -> i64 {
    day.and_time(NaiveTime::MIN).and_utc().timestamp()
}
