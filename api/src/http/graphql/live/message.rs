//! What clients say in `graphql-transport-ws`. Whatever is none of it ends the connection with 4400.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

/// A message of a client.
#[derive(Debug)]
pub(super) enum Said {
    /// `connection_init`
    Init(Map<String, Value>),
    /// `subscribe`: name and request, JSON.
    Subscribe(String, String),
    /// `complete`
    Complete(String),
    /// `ping`
    Ping(Option<Value>),
    /// `pong`
    Pong,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// Reads one; the error is the reason to close with.
pub(super) fn read(text: &str) -> Result<Said, &'static str> {
    let raw: Raw<'_> =
        serde_json::from_str(text).map_err(|_| "the message is no JSON object with a type")?;
    let id = || match &raw.id {
        Some(id) if !id.is_empty() => Ok(id.clone().into_owned()),
        _ => Err("the message needs an id"),
    };
    let payload = || match raw.payload.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(text) => match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(Some(fields)),
            _ => Err("the payload must be an object"),
        },
    };
    match &*raw.kind {
        "connection_init" => Ok(Said::Init(payload()?.unwrap_or_default())),
        "subscribe" => {
            let id = id()?;
            let given = payload()?.ok_or("`subscribe` needs a payload")?;
            let is_text = |name: &str| {
                given
                    .get(name)
                    .is_none_or(|value| value.is_null() || value.is_string())
            };
            let is_object = |name: &str| {
                given
                    .get(name)
                    .is_none_or(|value| value.is_null() || value.is_object())
            };
            if !["query", "operationName", "documentId"]
                .iter()
                .all(|name| is_text(name))
                || !["variables", "extensions"]
                    .iter()
                    .all(|name| is_object(name))
            {
                return Err("the payload of `subscribe` is no request");
            }
            let request = raw.payload.map(RawValue::get).unwrap_or_default();
            Ok(Said::Subscribe(id, request.to_owned()))
        }
        "complete" => Ok(Said::Complete(id()?)),
        "ping" => Ok(Said::Ping(payload()?.map(Value::Object))),
        "pong" => {
            payload()?;
            Ok(Said::Pong)
        }
        _ => Err("there is no message of that type"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_of_the_protocol_are_read() {
        for good in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"connection_init","payload":{"Authorization":"Bearer x"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":null}}"#,
            r#"{"id":"a b","type":"complete"}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"pong","payload":{}}"#,
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"start","id":"1","payload":{}}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            r#"{"type":"subscribe","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":[]}}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"ping","payload":1}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
