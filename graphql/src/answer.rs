//! The response: data written from the rows that were read, errors beside it.

use async_graphql::Pos;
use serde_json::{Value as Json, json};

use crate::{
    engine::Columns,
    plan::Statement,
    rows::{Layout, Malformed, Reading, Shape, object},
};

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The whole response, JSON.
    pub body: String,
    /// How far it came; the transport makes a status of it.
    pub reached: Reached,
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
        retry_after_seconds: None,
    }
}

/// A piece of the data.
#[derive(Clone, Debug)]
pub enum Part {
    /// JSON made here.
    Text(String),
    /// Read from the database.
    Read(Shape),
    /// An object of pieces.
    Object(Vec<(String, Part)>),
}

impl From<Shape> for Part {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Text(text) => Self::Text(text),
            shape => Self::Read(shape),
        }
    }
}

impl Part {
    /// JSON null.
    pub fn null() -> Self {
        Self::Text("null".to_owned())
    }

    /// The piece as JSON, from the row that the statement gave.
    pub fn render(
        &self,
        statement: Option<&Statement>,
        row: &dyn Columns,
    ) -> Result<String, Malformed> {
        let nothing = Layout::default();
        let layout = statement.map_or(&nothing, |statement| &statement.layout);
        let reading = Reading::new(layout, row)?;
        // Names of fields stand beside the values; ids are half as long again as keys.
        let mut out = Vec::with_capacity(256 + 3 * reading.size());
        self.write(&reading, &mut out)?;
        String::from_utf8(out).map_err(|_| Malformed("a text that is no UTF-8"))
    }

    fn write(&self, reading: &Reading<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Read(shape) => shape.write(reading, 0, out)?,
            Self::Object(parts) => object(parts, out, |part, out| part.write(reading, out))?,
        }
        Ok(())
    }

    /// Bytes that it holds, about.
    pub fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Read(shape) => shape.weight(),
            Self::Object(parts) => parts
                .iter()
                .map(|(key, part)| key.len() + size_of::<Self>() + part.weight())
                .sum(),
        }
    }
}

/// A request that was executed.
pub fn executed(data: &str, fails: &[Fail], cost: u64, request_id: &str) -> Answer {
    let mut body = String::with_capacity(data.len() + 256);
    body.push('{');
    if !fails.is_empty() {
        let errors: Vec<Json> = fails.iter().map(|fail| fail.to_json(request_id)).collect();
        body.push_str("\"errors\":");
        body.push_str(&Json::Array(errors).to_string());
        body.push(',');
    }
    body.push_str("\"data\":");
    body.push_str(data);
    body.push_str(&format!(
        ",\"extensions\":{{\"cost\":{{\"requested\":{cost}}}}}}}"
    ));
    Answer {
        body,
        reached: Reached::Executed,
        retry_after_seconds: None,
    }
}
