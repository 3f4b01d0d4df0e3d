//! Inputs of mutations, made from their descriptions: which ids they take, and values for everything else.

use std::sync::atomic::{AtomicU32, Ordering};

use eventsphere_graphql::{
    catalog::{Catalog, Scalar},
    verb::{InputField, InputObject, InputType, Verb},
};
use serde_json::{Map, Value, json};

use super::ledger::Sdl;
use crate::harness;

/// Fields of an input of which one or the other is said: the first, or the second where another thing is chosen.
const EITHER: [(&str, &str, &str); 4] = [
    ("CreateMessageReminderInput", "minutesBefore", "daysBefore"),
    ("SignInInput", "organizationId", "organizationSlug"),
    ("PlaceRegistrationInput", "holdId", "holdKey"),
    ("CreateHoldInput", "ticketTypeId", "capacityPoolId"),
];

static NEXT: AtomicU32 = AtomicU32::new(0);

/// One place of an input that takes an id: the path to it and the entity.
pub type Place = (String, String);

/// Every place of the verb's input that takes an id, those inside of lists and objects too.
pub fn places(catalog: &Catalog, verb: &Verb) -> Vec<Place> {
    let mut out = vec![];
    collect(catalog, &verb.input, "", &mut out);
    out
}

fn collect(catalog: &Catalog, input: &InputObject, path: &str, out: &mut Vec<Place>) {
    for field in &input.fields {
        let path = format!("{path}{}", field.name);
        match &field.input_type {
            InputType::Scalar(Scalar::Id(name)) | InputType::List(Scalar::Id(name)) => {
                out.push((path, name.clone()));
            }
            InputType::Object(name) | InputType::Objects(name) => {
                collect(catalog, &catalog.inputs[name], &format!("{path}."), out);
            }
            _ => {}
        }
    }
}

/// How much of an input is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// What must be.
    Needed,
    /// Everything.
    All,
    /// Everything, and of what can be chosen another thing.
    Other,
}

/// An input with every id that `id` gives for its place, and as much of the rest as is said.
pub fn input(
    catalog: &Catalog,
    verb: &Verb,
    said: Said,
    id: &dyn Fn(&Place) -> Option<String>,
) -> Value {
    object(catalog, &verb.input, "", said, id)
}

fn object(
    catalog: &Catalog,
    input: &InputObject,
    path: &str,
    said: Said,
    id: &dyn Fn(&Place) -> Option<String>,
) -> Value {
    let all = said != Said::Needed;
    let mut out = Map::new();
    for field in &input.fields {
        let path = format!("{path}{}", field.name);
        let value = match &field.input_type {
            InputType::Scalar(Scalar::Id(name)) => id(&(path, name.clone())).map(Value::String),
            InputType::List(Scalar::Id(name)) => id(&(path, name.clone())).map(|id| json!([id])),
            InputType::Object(name) if field.required || all => Some(object(
                catalog,
                &catalog.inputs[name],
                &format!("{path}."),
                said,
                id,
            )),
            InputType::Objects(name) => {
                let described = &catalog.inputs[name];
                let inner = object(catalog, described, &format!("{path}."), said, id);
                // Optional lists only for the ids in them.
                let wanted = field.required || all || has_id(catalog, described, &path, id);
                wanted.then(|| json!([inner]))
            }
            // What a percentage needs, though other kinds do without; and what a reminder needs, unless it says days.
            _ if field.required
                || all
                || matches!(field.name.as_str(), "rateMillionths" | "minutesBefore") =>
            {
                Some(sample(catalog, field, said))
            }
            _ => None,
        };
        if let Some(value) = value {
            out.insert(field.name.clone(), value);
        }
    }
    for (_, one, other) in EITHER.iter().filter(|(name, ..)| *name == input.name) {
        let ruled_out = if said == Said::Other { one } else { other };
        if out.contains_key(*one) && out.contains_key(*other) {
            out.remove(*ruled_out);
        }
    }
    Value::Object(out)
}

/// Whether that place of the verb's input is left out where the other one is to be said.
pub fn gives_way(verb: &Verb, place: &str, to: &str) -> bool {
    EITHER.contains(&(verb.input.name.as_str(), place, to))
}

fn has_id(
    catalog: &Catalog,
    input: &InputObject,
    path: &str,
    id: &dyn Fn(&Place) -> Option<String>,
) -> bool {
    let mut places = vec![];
    collect(catalog, input, &format!("{path}."), &mut places);
    places.iter().any(|place| id(place).is_some())
}

/// A value that the field accepts, by its type and, for texts, by what its name promises.
fn sample(catalog: &Catalog, field: &InputField, said: Said) -> Value {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    match &field.input_type {
        // What is taken off or charged is not nothing; prices are, so that nothing waits for money.
        InputType::Money if field.name == "amount" => {
            json!({ "minorUnits": "100", "currencyCode": "EUR" })
        }
        InputType::Money => json!({ "minorUnits": "0", "currencyCode": "EUR" }),
        InputType::List(_) if field.name == "eventTypes" => json!(["event.updated"]),
        InputType::List(_) if field.name == "returnOrigins" => json!(["https://example.org"]),
        InputType::List(_) | InputType::Scalar(Scalar::StringList) => json!(["events:read"]),
        InputType::Scalar(Scalar::Int) => match field.name.as_str() {
            "capacity" | "minutesBefore" => json!(60),
            name if name.starts_with("max") => json!(10),
            name if name.ends_with("Seconds") => json!(600),
            _ => json!(1),
        },
        InputType::Scalar(Scalar::BigInt) => json!("1"),
        InputType::Scalar(Scalar::Boolean) => json!(true),
        InputType::Scalar(Scalar::DateTime) => match field.name.to_ascii_lowercase() {
            // A time that is over.
            name if name == "from" => json!("2026-05-01T00:00:00Z"),
            name if name == "to" => json!("2026-05-04T00:00:00Z"),
            name if name.starts_with("expires") => json!("2099-01-01T00:00:00Z"),
            name if name.contains("end") || name.contains("until") => json!("2027-05-04T18:00:00Z"),
            _ => json!("2027-05-04T09:00:00Z"),
        },
        InputType::Scalar(Scalar::Date) => json!("2027-05-04"),
        InputType::Scalar(Scalar::Enum(name)) if name == "FeeKind" => json!("SERVICE"),
        InputType::Scalar(Scalar::Enum(name)) if name == "MessageKind" => json!("REMINDER"),
        InputType::Scalar(Scalar::Enum(_)) if field.name == "kind" => json!("PERCENT"),
        InputType::Scalar(Scalar::Enum(name)) => {
            let mut values = catalog.enums[name].values.iter();
            let chosen = match said {
                Said::Other => values.next_back(),
                _ => values.next(),
            };
            json!(chosen.expect("a value").shown)
        }
        _ => match field.name.as_str() {
            "email" | "supportEmail" => json!(format!("somebody{number}@example.org")),
            "provider" => json!("sandbox"),
            "credential" => json!("webhook_secret"),
            "value" => json!("a secret of sixteen characters"),
            "country" => json!("DE"),
            "locale" | "language" => json!("en"),
            "to" | "sender" => json!(format!("somebody{number}@example.org")),
            "name" if field.description.starts_with("By which name the provider") => {
                json!("made-up")
            }
            "address" => json!(format!("somebody{number}@example.org")),
            "mjml" => json!("<mjml><mj-body></mj-body></mjml>"),
            "currency" | "defaultCurrency" => json!("EUR"),
            "id" => json!(format!("made-up-{number}")),
            name if name.ends_with("assword") => json!("not the right password"),
            name if name.ends_with("Color") => json!("#112233"),
            "slug" | "code" => json!(format!("made-up-{number}")),
            "timeZone" => json!("Europe/Berlin"),
            "idempotencyKey" => json!(harness::key()),
            "url" => json!(format!("https://hooks.example.org/{number}")),
            "apiVersion" => json!("2026-11-21"),
            "webhookKey" => json!(
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA=="
            ),
            "text" | "document" => json!(format!("query MadeUp{number} {{ __typename }}")),
            name if name.ends_with("Url") => json!(format!("https://example.org/{number}")),
            _ => json!(format!("made up {number}")),
        },
    }
}

/// Everything in an object that a verb makes.
fn value(catalog: &Catalog, name: &str) -> String {
    use eventsphere_graphql::ValueType;
    let fields = catalog.values[name].fields.iter();
    let shown = fields.map(|(field, kind, ..)| match kind {
        ValueType::Scalar(_) => format!("{field} "),
        ValueType::Money => format!("{field} {{ minorUnits currencyCode amount }} "),
        ValueType::Objects(other) => format!("{field} {{ {} }} ", value(catalog, other)),
    });
    shown.collect()
}

/// The verb with its payload: whatever entity it gives, and what else it says.
pub fn document(catalog: &Catalog, verb: &Verb) -> String {
    use eventsphere_graphql::verb::PayloadType;
    let mut selection = String::new();
    for field in &verb.payload {
        selection += &match &field.payload_type {
            PayloadType::Entity(name) | PayloadType::Entities(name) => {
                format!(
                    "{} {{ {} }} ",
                    field.name,
                    super::document::scalars(&catalog.entities[name])
                )
            }
            PayloadType::Scalar(_) => format!("{} ", field.name),
            PayloadType::Value(name) => format!("{} {{ {} }} ", field.name, value(catalog, name)),
        };
    }
    let (name, input) = (&verb.name, &verb.input.name);
    format!(
        "mutation($input: {input}!) {{ {name}(input: $input) {{ {selection} userErrors {{ code message field }} \
         query {{ viewer {{ email }} currentOrganization {{ slug }} }} }} }}"
    )
}

/// Whether something can be chosen in it that is never answered with: what it means shows when it is said. Also which of
/// two fields is said.
pub fn has_choice(catalog: &Catalog, input: &InputObject, sdl: &Sdl) -> bool {
    let either = EITHER.iter().any(|(name, ..)| *name == input.name);
    either
        || input.fields.iter().any(|field| match &field.input_type {
            InputType::Scalar(Scalar::Enum(name)) => !sdl.is_answered_with(name),
            InputType::Object(name) | InputType::Objects(name) => {
                has_choice(catalog, &catalog.inputs[name], sdl)
            }
            _ => false,
        })
}
