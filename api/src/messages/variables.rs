//! The values that messages tell: which there are for which kind, how they are made of what the database says, and examples
//! of them for previews.

use chrono::{DateTime, Datelike, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use serde_json::{Map, Value as Json, json};

/// What every message of an organization has.
const ALWAYS: &[&str] = &[
    "organization.name",
    "organization.support_email",
    "organization.primary_color",
    "organization.logo_url",
    "organization.footer_text",
    "recipient.name",
    "recipient.address",
    "unsubscribe_url",
];
const EVENT: &[&str] = &[
    "event.title",
    "event.summary",
    "event.place",
    "event.time_zone",
    "event.calendar_url",
    "date.starts",
    "date.ends",
    "date.day",
    "date.time",
];
const REGISTRATION: &[&str] = &[
    "registration.number",
    "registration.status",
    "registration.total",
    "registration.cancel_reason",
];
const TICKETS: &[&str] = &["tickets"];
const CODE: &[&str] = &["code", "action_url"];
const EXPIRES: &[&str] = &["expires"];
const REASON: &[&str] = &["reason"];
const COUNT: &[&str] = &["count"];
const AMOUNT: &[&str] = &["amount"];

/// The groups of names that messages of a kind have.
fn groups(kind: &str) -> &'static [&'static [&'static str]] {
    match kind {
        "invitation" => &[ALWAYS, CODE],
        "ticket_transfer" | "waitlist_offer" => &[ALWAYS, EVENT, CODE, EXPIRES],
        "registration_confirmed" => &[ALWAYS, EVENT, REGISTRATION, TICKETS],
        "registration_cancelled" | "event_cancelled" => &[ALWAYS, EVENT, REGISTRATION],
        "reminder" | "ticket_received" => &[ALWAYS, EVENT, TICKETS],
        "registration_approved" => &[ALWAYS, EVENT, REGISTRATION, EXPIRES],
        "registration_rejected" => &[ALWAYS, EVENT, REGISTRATION, REASON],
        "tickets_cancelled" => &[ALWAYS, EVENT, REGISTRATION, TICKETS, REASON, COUNT],
        "payment_refunded" => &[ALWAYS, EVENT, REGISTRATION, AMOUNT],
        "ticket_handed_over" => &[ALWAYS, EVENT],
        // About accounts; no organization writes these.
        _ => &[ALWAYS, CODE, &["reset_url"]],
    }
}

/// Whether messages of the kind have this value, or something of which it is a part.
pub fn is_known(kind: &str, name: &str) -> bool {
    let names = groups(kind).iter().copied().flatten();
    names.into_iter().any(|known| {
        *known == name
            || known
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// The names, for people.
pub fn listed(kind: &str) -> String {
    let names: Vec<&str> = groups(kind).iter().copied().flatten().copied().collect();
    let tickets = names.contains(&"tickets");
    let names = names.join(", ");
    match tickets {
        true => format!("{names} (a list of type, name, email, code)"),
        false => names,
    }
}

/// Whether people may ask for no more of it. What belongs to a purchase or to an account is always sent.
pub fn is_unsubscribable(kind: &str) -> bool {
    kind == "reminder"
}

/// The page that the message leads to.
fn action(kind: &str) -> &'static str {
    match kind {
        "verify_email" => "verify-email",
        "already_signed_up" => "sign-in",
        "reset_password" => "reset-password",
        "password_changed" | "account_locked" => "request-password-reset",
        "invitation" => "accept-invitation",
        "ticket_transfer" => "accept-ticket",
        _ => "waitlist",
    }
}

/// What a message needs to know beside the facts.
#[derive(Clone, Debug, Default)]
pub struct About<'a> {
    /// Which it is.
    pub kind: &'a str,
    /// Language of its words.
    pub language: &'a str,
    /// How people reach us.
    pub public_url: &'a str,
    /// Where to ask for no more; empty where one cannot.
    pub unsubscribe_url: &'a str,
}

/// The values, of what the database said (`es.message_facts`) and what the letter tells.
pub fn of(about: &About<'_>, facts: &Json, told: &Json) -> Json {
    let text = |from: &Json, name: &str| json!(from[name].as_str().unwrap_or(""));
    let mut values = Map::new();
    values.insert(
        "organization".to_owned(),
        organization(&facts["organization"]),
    );
    let mut recipient = facts["recipient"].clone();
    if let (Some(name), Json::Object(recipient)) = (told["name"].as_str(), &mut recipient) {
        recipient.insert("name".to_owned(), json!(name));
    }
    values.insert("recipient".to_owned(), recipient);
    let zone = zone(&facts["event"]);
    let instant = |from: &Json| match instant(from) {
        Some(at) => json!(moment(at, zone, about.language)),
        None => json!(""),
    };
    let event = &facts["event"];
    if event.is_object() {
        let slugs = (
            facts["organization"]["slug"].as_str(),
            event["slug"].as_str(),
        );
        let calendar = match slugs {
            (Some(organization), Some(slug)) => {
                format!("{}/calendar/{organization}/{slug}.ics", about.public_url)
            }
            _ => String::new(),
        };
        values.insert(
            "event".to_owned(),
            json!({
                "title": text(event, "title"), "summary": text(event, "summary"), "place": text(event, "place"),
                "time_zone": text(event, "time_zone"), "calendar_url": calendar,
            }),
        );
        values.insert(
            "date".to_owned(),
            date(&facts["date"], zone, about.language),
        );
    }
    if facts["registration"].is_object() {
        values.insert("registration".to_owned(), facts["registration"].clone());
    }
    values.insert(
        "tickets".to_owned(),
        match &facts["tickets"] {
            Json::Array(tickets) => json!(tickets),
            _ => json!([]),
        },
    );
    let code = told["code"].as_str().unwrap_or("");
    let mut url = format!("{}/{}", about.public_url, action(about.kind));
    if !code.is_empty() {
        url = format!("{url}?code={code}");
    }
    values.insert("code".to_owned(), json!(code));
    values.insert("action_url".to_owned(), json!(url));
    values.insert(
        "reset_url".to_owned(),
        json!(format!("{}/request-password-reset", about.public_url)),
    );
    values.insert("expires".to_owned(), instant(&told["expires_at"]));
    values.insert("reason".to_owned(), text(told, "reason"));
    values.insert("amount".to_owned(), text(told, "amount"));
    values.insert(
        "count".to_owned(),
        json!(told["count"].as_u64().unwrap_or(0)),
    );
    values.insert("unsubscribe_url".to_owned(), json!(about.unsubscribe_url));
    Json::Object(values)
}

/// The sender of letters about accounts belongs to no organization.
fn organization(known: &Json) -> Json {
    match known.is_object() {
        true => known.clone(),
        false => json!({
            "name": "EventSphere", "support_email": "", "primary_color": "#1f3a5f", "logo_url": "", "footer_text": "",
        }),
    }
}

fn zone(event: &Json) -> Tz {
    let name = event["time_zone"].as_str().unwrap_or("UTC");
    name.parse().unwrap_or(Tz::UTC)
}

/// An instant as PostgreSQL writes it into JSON.
pub fn instant(from: &Json) -> Option<DateTime<Utc>> {
    let text = from.as_str()?;
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|at| at.with_timezone(&Utc))
}

fn date(known: &Json, zone: Tz, language: &str) -> Json {
    let (starts, ends) = (instant(&known["starts_at"]), instant(&known["ends_at"]));
    let (Some(starts), Some(ends)) = (starts, ends) else {
        return json!({ "starts": "", "ends": "", "day": "", "time": "" });
    };
    let same_day =
        starts.with_timezone(&zone).date_naive() == ends.with_timezone(&zone).date_naive();
    json!({
        "starts": moment(starts, zone, language),
        "ends": match same_day {
            true => time(ends, zone),
            false => moment(ends, zone, language),
        },
        "day": day(starts, zone, language),
        "time": time(starts, zone),
    })
}

/// Day and time with its zone, as people of that language write it.
fn moment(at: DateTime<Utc>, zone: Tz, language: &str) -> String {
    format!(
        "{}, {} ({})",
        day(at, zone, language),
        time(at, zone),
        zone.name()
    )
}

fn time(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

fn day(at: DateTime<Utc>, zone: Tz, language: &str) -> String {
    let local = at.with_timezone(&zone).date_naive();
    let (weekday, month) = (weekday_index(local.weekday()), local.month0() as usize);
    match language.split('-').next() {
        Some("en") => format!(
            "{}, {} {} {}",
            EN_DAYS[weekday],
            local.day(),
            EN_MONTHS[month],
            local.year()
        ),
        Some("de") => format!(
            "{}, {}. {} {}",
            DE_DAYS[weekday],
            local.day(),
            DE_MONTHS[month],
            local.year()
        ),
        // Understood everywhere.
        _ => local.format("%Y-%m-%d").to_string(),
    }
}

fn weekday_index(weekday: Weekday) -> usize {
    weekday.num_days_from_monday() as usize
}

const EN_DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const EN_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DE_DAYS: [&str; 7] = [
    "Montag",
    "Dienstag",
    "Mittwoch",
    "Donnerstag",
    "Freitag",
    "Samstag",
    "Sonntag",
];
const DE_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// Facts of an event and a registration that never were, for previews.
pub fn example() -> Json {
    json!({
        "recipient": { "name": "Ada Example", "address": "ada@example.org" },
        "event": {
            "title": "An evening of examples", "summary": "Two hours of them.", "slug": "examples",
            "time_zone": "Europe/Berlin", "place": "Town hall, 1 Main Street, Exampleton",
        },
        "date": { "starts_at": "2027-05-04T16:00:00+00:00", "ends_at": "2027-05-04T20:00:00+00:00" },
        "registration": {
            "number": "REG-20270401-EXAMPLE00", "status": "confirmed", "total": "25.00 EUR",
            "cancel_reason": "The buyer asked for it.",
        },
        "tickets": [
            { "type": "Standard", "name": "Ada Example", "email": "ada@example.org", "code": "v1.example" },
            { "type": "Student", "name": "Ben Example", "email": "ben@example.org", "code": "v1.example-two" },
        ],
    })
}

/// What is known, and examples of the rest.
pub fn completed(known: &Json) -> Json {
    let mut facts = example();
    if let (Json::Object(facts), Json::Object(known)) = (&mut facts, known) {
        let with_registration = known.get("registration").is_some_and(Json::is_object);
        for (name, value) in known {
            // Who and which tickets are those of a registration.
            let of_registration = matches!(name.as_str(), "recipient" | "tickets");
            if !value.is_null() && (with_registration || !of_registration) {
                facts.insert(name.clone(), value.clone());
            }
        }
    }
    facts
}

/// What a letter of the kind would tell by itself.
pub fn example_told() -> Json {
    json!({
        "code": "example-code", "expires_at": "2027-05-01T10:00:00+00:00", "reason": "The buyer asked for it.", "count": 1,
        "amount": "12.50 EUR",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_event() {
        let summer = instant(&json!("2027-05-04T16:00:00+00:00")).expect("an instant");
        let zone: Tz = "Europe/Berlin".parse().expect("a zone");
        assert_eq!(
            moment(summer, zone, "en"),
            "Tuesday, 4 May 2027, 18:00 (Europe/Berlin)"
        );
        assert_eq!(
            moment(summer, zone, "de-AT"),
            "Dienstag, 4. Mai 2027, 18:00 (Europe/Berlin)"
        );
        assert_eq!(
            moment(summer, zone, "ko"),
            "2027-05-04, 18:00 (Europe/Berlin)"
        );
        let winter = instant(&json!("2026-12-24T23:30:00Z")).expect("an instant");
        assert_eq!(
            moment(winter, zone, "en"),
            "Friday, 25 December 2026, 00:30 (Europe/Berlin)"
        );
    }

    #[test]
    fn a_name_is_known_with_its_parts_and_to_its_kinds_only() {
        assert!(is_known("reminder", "event.title") && is_known("reminder", "event"));
        assert!(!is_known("reminder", "event.titl") && !is_known("reminder", "even"));
        assert!(!is_known("reminder", "code") && is_known("invitation", "code"));
    }
}
