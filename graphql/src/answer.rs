//! The response: data written from the rows that were read, errors beside it.

use std::{
    fmt::Write as _,
    ops::{ControlFlow, Range},
    sync::Arc,
};

use async_graphql::Pos;
use serde_json::{Value as Json, json};

use crate::{
    deprecation::used::Deprecated,
    engine::{Allowance, Columns},
    plan::Statement,
    rows::{Layout, Malformed, Reading, Shape, Step, Stop, Trail, object},
};

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
    /// Seconds after which a request that was held back, wholly or in part, may be tried again.
    pub retry_after_seconds: Option<u64>,
    /// What the operation used of the deprecated.
    pub deprecated: Vec<Arc<Deprecated>>,
    /// Whether something in it holds for the moment only, so that no cache may show it without asking.
    pub of_now: bool,
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It was refused before execution: there is no `data`.
    Refused,
    /// Too much was asked: it was not executed, or some of its fields were not.
    Throttled,
    /// The database was away or busy: there is no `data`, or nothing in it.
    Unavailable,
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
    pub path: Vec<Step>,
    /// Seconds after which it may be tried again, when that is known.
    pub retry_after_seconds: Option<u64>,
}

/// Why a field below the root is not given, wherever the answer comes to it.
#[derive(Clone, Debug)]
pub struct Denial {
    /// `extensions.code`.
    pub code: &'static str,
    /// For the client.
    pub message: String,
    /// Where in the document.
    pub pos: Pos,
}

/// Code of errors about too much that was asked.
pub const THROTTLED: &str = "THROTTLED";
/// Code of errors about a database that is away or busy.
pub const UNAVAILABLE: &str = "UNAVAILABLE";

impl Fail {
    /// An error about no place in particular.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            locations: vec![],
            path: vec![],
            retry_after_seconds: None,
        }
    }

    /// The same error, with the time after which it may be tried again.
    pub fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after_seconds = seconds;
        self
    }

    /// The same error about a field of the response.
    pub fn at(mut self, pos: Pos, path: &[&str]) -> Self {
        self.locations = vec![pos];
        let path = path.iter().map(|part| Step::Key((*part).to_owned()));
        self.path = path.collect();
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
    let reached = match fails {
        [fail] if fail.code == UNAVAILABLE => Reached::Unavailable,
        [fail] if fail.code == THROTTLED => Reached::Throttled,
        _ => Reached::Refused,
    };
    Answer {
        body: json!({ "errors": errors }).to_string(),
        reached,
        data: None,
        retry_after_seconds: retry_after(fails),
        deprecated: vec![],
        of_now: false,
    }
}

fn retry_after(fails: &[Fail]) -> Option<u64> {
    fails
        .iter()
        .filter_map(|fail| fail.retry_after_seconds)
        .max()
}

/// What an operation cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Points that it could have cost at most, judged before it ran.
    pub requested: u64,
    /// Points that it came to: see [`Cost::of`].
    pub actual: u64,
    /// What the caller has left, where points are counted.
    pub allowance: Option<Allowance>,
}

impl Cost {
    /// What that data came to: one point for each object in it, counted as opening braces (those inside of texts too,
    /// which is why it is at most what was requested), and besides what its verbs cost, its counts, aggregates, searches
    /// and functions, which are work however little they give. At least one.
    pub fn of(data: &str, besides: u64, requested: u64) -> u64 {
        let objects = data.bytes().filter(|byte| *byte == b'{').count() as u64;
        // The outermost braces are the answer's own.
        (objects.saturating_sub(1) + besides).max(1).min(requested)
    }

    fn write(&self, out: &mut String) {
        let Self {
            requested, actual, ..
        } = self;
        let _ = write!(out, "{{\"requested\":{requested},\"actual\":{actual}");
        if let Some(left) = &self.allowance {
            let (max, available, rate) = (left.max, left.available, left.restore_rate);
            let _ = write!(
                out,
                ",\"throttle\":{{\"max\":{max},\"available\":{available},\"restoreRate\":{rate}}}"
            );
        }
        out.push('}');
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

    /// The piece as JSON, from the row that the statement gave; null when something in it must be there and is not. What
    /// it costs besides its objects is added to `points`; what it meets of the denied is told in `fails`, with `path`
    /// before the paths of its own.
    pub fn render(
        &self,
        statement: Option<&Statement>,
        row: &dyn Columns,
        points: &mut u64,
        (denials, path): (&[Denial], &[&str]),
        fails: &mut Vec<Fail>,
    ) -> Result<String, Malformed> {
        let nothing = Layout::default();
        let layout = statement.map_or(&nothing, |statement| &statement.layout);
        let reading = Reading::new(layout, row)?;
        if !denials.is_empty() {
            let mut trail = Trail::at(path);
            let _ = self.walk(&reading, &mut trail);
            fails.extend(trail.met().into_iter().filter_map(|met| {
                let denial = denials.get(met.denial)?;
                let fail = Fail::new(denial.code, denial.message.clone());
                Some(Fail {
                    locations: vec![denial.pos],
                    path: met.path,
                    ..fail
                })
            }));
        }
        // Names of fields stand beside the values; ids are half as long again as keys.
        let mut out = Vec::with_capacity(256 + 3 * reading.size());
        let written = self.write(&reading, &mut out);
        *points += reading.paid();
        match written {
            Ok(()) => {}
            Err(Stop::Null) => return Ok("null".to_owned()),
            Err(Stop::Malformed(malformed)) => return Err(malformed),
        }
        String::from_utf8(out).map_err(|_| Malformed("a text that is no UTF-8"))
    }

    fn write(&self, reading: &Reading<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Read(shape) => shape.write(reading, 0, out)?,
            Self::Object(parts) => object(parts, out, |part, out| part.write(reading, out))?,
        }
        Ok(())
    }

    fn walk(&self, reading: &Reading<'_>, trail: &mut Trail) -> ControlFlow<()> {
        match self {
            Self::Text(_) => ControlFlow::Continue(()),
            Self::Read(shape) => shape.walk(reading, 0, trail),
            Self::Object(parts) => trail.fields(parts, |part, trail| part.walk(reading, trail)),
        }
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

/// A message of a subscription.
pub fn message(data: &str, fails: &[Fail], request_id: &str) -> String {
    let mut body = String::with_capacity(data.len() + 16);
    body.push('{');
    if !fails.is_empty() {
        let errors: Vec<Json> = fails.iter().map(|fail| fail.to_json(request_id)).collect();
        body.push_str("\"errors\":");
        body.push_str(&Json::Array(errors).to_string());
        body.push(',');
    }
    body.push_str("\"data\":");
    body.push_str(data);
    body.push('}');
    body
}

/// The errors alone, as `error` messages of subscriptions and bodies of refused requests list them.
pub fn errors(fails: &[Fail], request_id: &str) -> Json {
    fails.iter().map(|fail| fail.to_json(request_id)).collect()
}

/// A request that was executed. `cost` is told the data.
pub fn executed(
    data: &str,
    fails: &[Fail],
    cost: impl FnOnce(&str) -> Cost,
    request_id: &str,
) -> Answer {
    let mut body = String::with_capacity(data.len() + 320);
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
    let cost = cost(&body[start..]);
    body.push_str(",\"extensions\":{\"cost\":");
    cost.write(&mut body);
    body.push_str("}}");
    let reached = match fails.iter().any(|fail| fail.code == THROTTLED) {
        true => Reached::Throttled,
        false => Reached::Executed,
    };
    Answer {
        body,
        reached,
        data: fails.is_empty().then_some(start..end),
        retry_after_seconds: retry_after(fails),
        deprecated: vec![],
        of_now: false,
    }
}
