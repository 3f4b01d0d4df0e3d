//! Versions of what is sent. An endpoint has chosen one, and each delivery keeps the one that it was rendered in: to change
//! what integrators parse is to add a line here. An endpoint gets another version when its owner says so.

use serde_json::{Value as Json, json};

/// What there is to say about an event, in the API's words, before a version gives it a shape.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub message_id: &'a str,
    pub event_type: &'a str,
    pub event_version: i32,
    /// RFC 3339, in UTC.
    pub timestamp: String,
    pub organization_id: Option<String>,
    /// `type` and `id`.
    pub object: Option<Json>,
    pub sequence: i64,
    pub data: Json,
    pub errors: Option<Json>,
}

/// A version by its date.
#[derive(Debug)]
pub(super) struct Version {
    pub name: &'static str,
    /// Makes the body.
    pub shape: fn(&'static str, Told<'_>) -> Json,
}

/// All of them, oldest first.
pub(super) const VERSIONS: &[Version] = &[Version {
    name: "2026-11-21",
    shape: flat,
}];

/// The version that endpoints get which choose none.
pub(super) fn newest() -> &'static str {
    VERSIONS.last().map_or("", |version| version.name)
}

/// The version of that name.
pub(super) fn version(name: &str) -> Option<&'static Version> {
    VERSIONS.iter().find(|version| version.name == name)
}

/// Their names, for people.
pub(super) fn names() -> String {
    let names: Vec<&str> = VERSIONS.iter().map(|version| version.name).collect();
    names.join(", ")
}

fn flat(version: &'static str, told: Told<'_>) -> Json {
    let mut body = json!({
        "id": told.message_id,
        "type": told.event_type,
        "timestamp": told.timestamp,
        "version": told.event_version,
        "apiVersion": version,
        "organizationId": told.organization_id,
        "object": told.object,
        "sequence": told.sequence,
        "data": told.data,
    });
    if let Some(errors) = told.errors {
        body["errors"] = errors;
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dates_in_order_and_each_body_says_its_own() {
        assert!(VERSIONS.is_sorted_by(|one, other| one.name < other.name));
        for known in VERSIONS {
            assert!(known.name.parse::<chrono::NaiveDate>().is_ok());
            let told = Told {
                message_id: "evt_1",
                event_type: "event.updated",
                event_version: 1,
                timestamp: "2026-11-21T12:00:00.000000Z".to_owned(),
                organization_id: None,
                object: None,
                sequence: 1,
                data: json!({}),
                errors: None,
            };
            let body = (known.shape)(known.name, told);
            assert_eq!(body["apiVersion"], known.name);
            assert_eq!(version(known.name).map(|one| one.name), Some(known.name));
        }
        assert!(version("2020-01-01").is_none());
        assert!(version(newest()).is_some());
    }
}
