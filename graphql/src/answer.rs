//! The response: data glued from texts that PostgreSQL built, errors beside it.

use std::ops::Range;

use async_graphql::Pos;
use serde_json::{Value as Json, json};

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The whole response, JSON.
    pub body: String,
    /// How far it came; the transport makes a status of it.
    pub reached: Reached,
    /// Where in the body the value of `data` is, when nothing failed: the part that depends on the question and on
    /// what is stored alone.
    pub data: Option<Range<usize>>,
    /// Seconds after which a throttled request may be tried again.
    pub retry_after_seconds: Option<u64>,
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It was refused before execution: there is no `data`.
    Refused,
    /// It was executed; `data` is there, perhaps with errors beside it.
    Executed,
}

/// One entry of `errors`.
#[derive(Clone, Debug)]
pub struct Fail {
    /// `extensions.code`.
    pub code: String,
    /// For the client.
    pub message: String,
    /// Where in the document.
    pub locations: Vec<Pos>,
    /// Which field of the response.
    pub path: Vec<String>,
}

impl Fail {
    /// An error about no place in particular.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            locations: vec![],
            path: vec![],
        }
    }

    /// The same error about a field of the response.
    pub fn at(mut self, pos: Pos, path: &[&str]) -> Self {
        self.locations = vec![pos];
        self.path = path.iter().map(|part| (*part).to_owned()).collect();
        self
    }

    /// Takes a "did you mean" out of the message.
    pub fn without_suggestion(&mut self) {
        if let Some(at) = self.message.find(" Did you mean") {
            self.message.truncate(at);
        }
    }

    fn to_json(&self, request_id: &str) -> Json {
        let mut out = json!({ "message": self.message });
        if !self.locations.is_empty() {
            out["locations"] = self
                .locations
                .iter()
                .map(|pos| json!({ "line": pos.line, "column": pos.column }))
                .collect();
        }
        if !self.path.is_empty() {
            out["path"] = json!(self.path);
        }
        out["extensions"] = json!({ "code": self.code, "requestId": request_id });
        out
    }
}

/// A request that was not executed.
pub fn refused(fails: &[Fail], request_id: &str) -> Answer {
    let errors: Vec<Json> = fails.iter().map(|fail| fail.to_json(request_id)).collect();
    Answer {
        body: json!({ "errors": errors }).to_string(),
        reached: Reached::Refused,
        data: None,
        retry_after_seconds: None,
    }
}

/// A piece of the data.
#[derive(Clone, Debug)]
pub enum Part {
    /// JSON made here.
    Text(String),
    /// Column of the flight.
    Column(usize),
    /// An object of pieces.
    Object(Vec<(String, Part)>),
}

impl Part {
    /// JSON null.
    pub fn null() -> Self {
        Self::Text("null".to_owned())
    }

    /// Writes the piece; `columns` are the texts of the flight.
    pub fn render(&self, columns: &[Option<String>], out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Column(index) => out.push_str(
                columns
                    .get(*index)
                    .and_then(Option::as_deref)
                    .unwrap_or("null"),
            ),
            Self::Object(parts) => {
                out.push('{');
                for (index, (key, part)) in parts.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    // A GraphQL name needs no escaping.
                    out.push('"');
                    out.push_str(key);
                    out.push_str("\":");
                    part.render(columns, out);
                }
                out.push('}');
            }
        }
    }
}

/// A request that was executed.
pub fn executed(data: &str, fails: &[Fail], cost: u64, request_id: &str) -> Answer {
    let mut body = String::with_capacity(data.len() + 128);
    body.push('{');
    if !fails.is_empty() {
        let errors: Vec<Json> = fails.iter().map(|fail| fail.to_json(request_id)).collect();
        body.push_str("\"errors\":");
        body.push_str(&Json::Array(errors).to_string());
        body.push(',');
    }
    body.push_str("\"data\":");
    let start = body.len();
    body.push_str(data);
    let end = body.len();
    body.push_str(&format!(
        ",\"extensions\":{{\"cost\":{{\"requested\":{cost}}}}}}}"
    ));
    Answer {
        body,
        reached: Reached::Executed,
        data: fails.is_empty().then_some(start..end),
        retry_after_seconds: None,
    }
}
