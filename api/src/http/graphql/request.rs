//! What a request asks for: from a body or a query string to a document (by text, by hash, by identifier), variables
//! and the name of an operation.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, Method, StatusCode, header},
};
use eventsphere_graphql::Incoming;
use serde_json::{Map, Value};

use super::{
    Refused,
    documents::{Wanted, wanted},
    refused,
};

/// A request, decoded.
pub(super) struct Decoded {
    /// Which document.
    pub wanted: Wanted,
    /// What to do with it.
    pub incoming: Incoming,
}

/// Reads the request, whichever way it came.
pub(super) async fn read(request: Request) -> Result<Decoded, Refused> {
    match *request.method() {
        Method::POST => {
            check_content_type(request.headers())?;
            let body = body(request).await?;
            from_json(&body)
        }
        Method::GET | Method::HEAD => {
            let query = request.uri().query().unwrap_or_default().to_owned();
            from_query(&query)
        }
        _ => Err(refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "send GraphQL by POST, queries also by GET",
        )),
    }
}

async fn body(request: Request) -> Result<Bytes, Refused> {
    Bytes::from_request(request, &())
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("a request is at most {} bytes", crate::http::LARGEST_BODY),
            ),
            _ => refused(StatusCode::BAD_REQUEST, "the body could not be read"),
        })
}

/// Only `application/json`: a page of another origin cannot send that without asking first.
fn check_content_type(headers: &HeaderMap) -> Result<(), Refused> {
    let wrong = || {
        refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send JSON with Content-Type: application/json",
        )
    };
    let plain = headers
        .get(header::CONTENT_ENCODING)
        .is_none_or(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !plain {
        return Err(refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send the body without Content-Encoding",
        ));
    }
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(wrong)?;
    let mut parts = value
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase());
    if parts.next().as_deref() != Some("application/json") {
        return Err(wrong());
    }
    let foreign = parts.any(|part| {
        part.strip_prefix("charset=")
            .is_some_and(|charset| charset.trim_matches('"') != "utf-8")
    });
    match foreign {
        true => Err(wrong()),
        false => Ok(()),
    }
}

/// Reads the JSON of a request.
pub(super) fn from_json(body: &[u8]) -> Result<Decoded, Refused> {
    let bad = |message: &str| refused(StatusCode::BAD_REQUEST, message);
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| bad(&format!("the body is not JSON: {error}")))?;
    let mut fields = match value {
        Value::Object(fields) => fields,
        Value::Array(_) => return Err(bad("batches are not taken; send one operation a request")),
        _ => return Err(bad("the body must be a JSON object with a `query`")),
    };
    let query = text(fields.remove("query"), "query")?;
    let document_id = text(fields.remove("documentId"), "documentId")?;
    let operation_name = text(fields.remove("operationName"), "operationName")?;
    let variables = object(fields.remove("variables"), "variables")?;
    let extensions = object(fields.remove("extensions"), "extensions")?;
    Ok(Decoded {
        wanted: wanted(query, document_id.as_deref(), &extensions)?,
        incoming: Incoming {
            operation_name,
            variables,
        },
    })
}

fn text(value: Option<Value>, name: &str) -> Result<Option<String>, Refused> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(refused(
            StatusCode::BAD_REQUEST,
            format!("`{name}` must be a string"),
        )),
    }
}

fn object(value: Option<Value>, name: &str) -> Result<Map<String, Value>, Refused> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(refused(
            StatusCode::BAD_REQUEST,
            format!("`{name}` must be an object"),
        )),
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryString {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

fn from_query(text: &str) -> Result<Decoded, Refused> {
    let bad = |message: String| refused(StatusCode::BAD_REQUEST, message);
    if !is_utf8_inside(text) {
        return Err(bad("the query string is not UTF-8".to_owned()));
    }
    let uri: axum::http::Uri = format!("/?{text}")
        .parse()
        .map_err(|_| bad("the query string cannot be read".to_owned()))?;
    let axum::extract::Query(given) = axum::extract::Query::<QueryString>::try_from_uri(&uri)
        .map_err(|error| bad(error.to_string()))?;
    let json = |text: Option<String>, name: &str| match text {
        None => Ok(Map::new()),
        Some(text) => {
            let value = serde_json::from_str(&text)
                .map_err(|error| bad(format!("`{name}` is not JSON: {error}")))?;
            object(Some(value), name)
        }
    };
    let extensions = json(given.extensions, "extensions")?;
    Ok(Decoded {
        wanted: wanted(given.query, given.document_id.as_deref(), &extensions)?,
        incoming: Incoming {
            operation_name: given.operation_name.filter(|name| !name.is_empty()),
            variables: json(given.variables, "variables")?,
        },
    })
}

/// Whether the percent-escapes make UTF-8. The decoder itself would put replacement characters for what is broken.
fn is_utf8_inside(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: usize| {
        let byte = bytes.get(at).copied()?;
        char::from(byte).to_digit(16)
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| Some(digit(at + 1)? * 16 + digit(at + 2)?))
            .flatten()
            .and_then(|code| u8::try_from(code).ok());
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    std::str::from_utf8(&out).is_ok()
}
