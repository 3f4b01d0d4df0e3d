//! What the verbs of the sale share: input checked before it reaches SQL, and the hash that tells two inputs apart.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{fault::Fault, vault::hex};

/// A person in an input.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
pub(super) struct Person {
    pub name: String,
    pub email: String,
}

/// An amount in an input.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Money {
    pub minor_units: i64,
    pub currency_code: String,
}

/// Adds what the caller expects it to cost, as `es.unexpected_total` takes it.
pub(super) fn expect(arguments: &mut serde_json::Value, total: Option<&Money>) {
    if let Some(total) = total {
        arguments["expected_total_minor"] = total.minor_units.into();
        arguments["expected_currency"] = total.currency_code.as_str().into();
    }
}

/// What is wrong with a person, as (field, sentence).
pub(super) fn fault_of(person: &Person) -> Option<(&'static str, &'static str)> {
    let name = person.name.trim();
    let email = person.email.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Some(("name", "a name has 1 to 200 characters"));
    }
    let shaped = email.chars().count() <= 254
        && !email.contains(char::is_whitespace)
        && email.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && !host.is_empty() && !host.contains('@')
        });
    match shaped {
        true => None,
        false => Some(("email", "this is no e-mail address")),
    }
}

/// As it is stored: trimmed, the address in lower case.
pub(super) fn clean(person: &Person) -> Person {
    Person {
        name: person.name.trim().to_owned(),
        email: person.email.trim().to_lowercase(),
    }
}

/// Keys are made by clients; short ones would collide between strangers.
pub(crate) fn check_key(key: &str) -> Result<(), Fault> {
    match (16..=200).contains(&key.chars().count()) {
        true => Ok(()),
        false => Err(Fault::BadInput(
            "`input.idempotencyKey` must have 16 to 200 characters".to_owned(),
        )),
    }
}

/// sha256 of the arguments, in hexadecimal.
fn argument_hash(arguments: &serde_json::Value) -> String {
    hex(&Sha256::digest(arguments.to_string().as_bytes()))
}

/// The request of a verb: its arguments, under the key that the client gave them. What is added later, such as signed
/// codes that differ from call to call, does not tell two requests apart.
pub(crate) fn keyed(arguments: serde_json::Value, key: &str) -> serde_json::Value {
    let hash = argument_hash(&arguments);
    let mut request = arguments;
    request["idempotency_key"] = key.into();
    request["argument_hash"] = hash.into();
    request
}
