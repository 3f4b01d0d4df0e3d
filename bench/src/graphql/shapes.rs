//! The three questions, each in the words of each contestant, over the same values.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Days, Utc};
use serde_json::{Value, json};

use super::member::Member;
use crate::{Failure, http, places};

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    EventPage,
    OrganizerList,
    Discovery,
}

pub const SHAPES: [Shape; 3] = [Shape::EventPage, Shape::OrganizerList, Shape::Discovery];

/// Tag of events in the global ids of our schema.
const EVENT_TAG: u8 = 11;

/// Values of one request. The same numbers that the scripts of pgbench draw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Draw {
    /// Number of the event.
    pub event: u64,
    /// Days from the first day that can be asked for.
    pub days: u64,
}

impl Shape {
    pub fn name(self) -> &'static str {
        match self {
            Self::EventPage => "event_page",
            Self::OrganizerList => "organizer_list",
            Self::Discovery => "discovery",
        }
    }

    /// Every value that is asked, in an order that mixes them.
    pub fn draws(self) -> Vec<Draw> {
        let mut all: Vec<Draw> = match self {
            Self::EventPage => (0..=332)
                .map(|n| Draw {
                    event: 30 * n + 5,
                    days: 0,
                })
                .collect(),
            Self::OrganizerList => (1..=10)
                .flat_map(|event| (40..=138).map(move |days| Draw { event, days }))
                .collect(),
            Self::Discovery => (0..=599).map(|days| Draw { event: 0, days }).collect(),
        };
        all.sort_by_key(|draw| (draw.event * 7919 + draw.days * 104_729) % 1009);
        all
    }

    /// Requests to our server.
    pub fn ours(self, members: &[Member]) -> Result<Vec<Vec<u8>>, Failure> {
        self.requests(
            "eventsphere",
            members,
            |member| &member.token,
            |event| {
                let mut id = vec![1, EVENT_TAG];
                id.extend(key(4, event));
                URL_SAFE_NO_PAD.encode(id)
            },
        )
    }

    /// Requests to PostGraphile.
    pub fn theirs(self, members: &[Member]) -> Result<Vec<Vec<u8>>, Failure> {
        self.requests(
            "postgraphile",
            members,
            |member| &member.peer_token,
            |event| key_text(4, event),
        )
    }

    fn requests(
        self,
        contestant: &str,
        members: &[Member],
        token: impl Fn(&Member) -> &str,
        id: impl Fn(u64) -> String,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let query = places::read(&format!("shapes/{}/{contestant}.graphql", self.name()))?;
        self.draws()
            .into_iter()
            .map(|draw| {
                let (variables, member) = match self {
                    Self::EventPage => (json!({ "id": id(draw.event) }), None),
                    Self::OrganizerList => {
                        let before = day("2026-01-05T08:00:00Z", draw.days)?;
                        let member = members.get(draw.event as usize - 1).ok_or("no member")?;
                        (
                            json!({ "id": id(draw.event), "before": before }),
                            Some(member),
                        )
                    }
                    Self::Discovery => (
                        json!({ "from": day("2026-06-01T00:00:00Z", draw.days)? }),
                        None,
                    ),
                };
                let body = json!({ "query": query, "variables": variables }).to_string();
                Ok(http::post("/graphql", member.map(&token), &body))
            })
            .collect()
    }

    /// The script of pgbench, with the member's standing filled in.
    pub fn script(self, members: &[Member]) -> Result<String, Failure> {
        let text = places::read(&format!("shapes/{}/bare.sql", self.name()))?;
        let member = members.first().ok_or("no member")?;
        // pgbench takes a colon for the start of one of its variables, in texts too.
        let permissions = member.permissions.replace(':', ".");
        Ok(text
            .replace("{user}", &member.user)
            .replace("{permissions}", &permissions))
    }

    /// The statements of that script with these values in place of what pgbench draws.
    pub fn statements(self, members: &[Member], draw: Draw) -> Result<Vec<String>, Failure> {
        let script = self.script(members)?;
        let lines: Vec<&str> = script
            .lines()
            .filter(|line| !line.starts_with('\\'))
            .collect();
        let text = lines
            .join("\n")
            .replace(":event::text", &format!("'{}'", draw.event))
            .replace(":days *", &format!("{} *", draw.days));
        Ok(text
            .split(";\n")
            .map(|statement| statement.trim().trim_end_matches(';').to_owned())
            .filter(|statement| !statement.is_empty())
            .collect())
    }
}

fn day(first: &str, days: u64) -> Result<String, Failure> {
    let first: DateTime<Utc> = first.parse()?;
    let day = first
        .checked_add_days(Days::new(days))
        .ok_or("beyond the calendar")?;
    Ok(day.to_rfc3339())
}

/// Key of the n-th row of a kind, see `sql/dataset.sql`.
pub fn key_text(kind: u8, n: u64) -> String {
    format!("01900000-00{kind:02}-7000-8000-{n:012}")
}

fn key(kind: u8, n: u64) -> Vec<u8> {
    let digits: Vec<u8> = key_text(kind, n)
        .bytes()
        .filter_map(|digit| char::from(digit).to_digit(16).map(|digit| digit as u8))
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect()
}

/// The global id of an organization, for whoever switches there.
pub fn organization_id(n: u64) -> String {
    let mut id = vec![1, 2];
    id.extend(key(1, n));
    URL_SAFE_NO_PAD.encode(id)
}

/// An answer as all contestants would give it: ids as their keys, instants in microseconds, words of enums in lower
/// case, money as two fields. Nothing is dropped and no list is sorted.
pub fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        Value::Object(fields) => {
            let mut out = serde_json::Map::new();
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("price" | "total", Value::Object(money)) => {
                        out.insert(format!("{name}Minor"), text_of(&money["minorUnits"]));
                        out.insert("currency".to_owned(), text_of(&money["currencyCode"]));
                    }
                    ("priceMinor" | "totalMinor", _) => {
                        out.insert(name.clone(), text_of(value));
                    }
                    ("id", Value::String(id)) => {
                        out.insert(name.clone(), json!(plain_id(id)));
                    }
                    ("status" | "format" | "direction" | "outcome", Value::String(word)) => {
                        out.insert(name.clone(), json!(word.to_lowercase()));
                    }
                    (_, Value::String(text)) if name.ends_with("At") => {
                        out.insert(name.clone(), plain_instant(text));
                    }
                    _ => {
                        out.insert(name.clone(), plain(value));
                    }
                }
            }
            out.sort_keys();
            Value::Object(out)
        }
        _ => value.clone(),
    }
}

fn text_of(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.to_string()),
        other => other.clone(),
    }
}

/// The key in a global id, in hexadecimal without hyphens.
pub fn key_in(id: &str) -> Result<String, Failure> {
    match plain_id(id) {
        key if key.len() == 32 => Ok(key),
        _ => Err(format!("{id} is no global id").into()),
    }
}

fn plain_id(id: &str) -> String {
    match URL_SAFE_NO_PAD.decode(id) {
        Ok(bytes) if bytes.len() == 18 => bytes[2..]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        _ => id.replace('-', ""),
    }
}

fn plain_instant(text: &str) -> Value {
    text.parse::<DateTime<Utc>>()
        .map_or_else(|_| json!(text), |instant| json!(instant.timestamp_micros()))
}
