//! Documents: bounded, parsed and validated once, then kept by the hash of their text.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_graphql::{
    Pos, Positioned, ServerError,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
};
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::{
    answer::Fail,
    deprecation::used::Deprecations,
    duplicates,
    front::Front,
    guard::{self, Limits},
    keywords, merging, single,
    types::Types,
    unknown,
};

/// Text of all documents that are kept, bytes. What is kept of one is some ten times its text.
const KNOWN_BYTES: u64 = 8 * 1024 * 1024;
/// An answer names no more errors than this: a document of nothing but errors must not have an answer many times its size.
const MOST_ERRORS: usize = 20;

/// The number of the next document.
static NUMBERS: AtomicU64 = AtomicU64::new(0);
/// SHA-256 of a document's text: what documents are known by, here and to clients that send the hash alone.
pub fn hash_of(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A document that may be executed.
#[derive(Debug)]
pub struct Document {
    /// As parsed.
    pub parsed: ExecutableDocument,
    /// Tells it from every other document of this process.
    pub number: u64,
    /// Whether one of its operations may use something deprecated.
    pub may_use_deprecated: bool,
    text_bytes: usize,
}

impl Document {
    /// The operation that a request means, and its name.
    pub fn named<'a>(
        &'a self,
        name: Option<&'a str>,
    ) -> Result<(Option<&'a str>, &'a Positioned<OperationDefinition>), Fail> {
        let unknown = |name: &str| {
            Fail::new(
                "BAD_USER_INPUT",
                format!("the document has no operation named {name:?}"),
            )
        };
        match (&self.parsed.operations, name) {
            (DocumentOperations::Single(operation), None) => Ok((None, operation)),
            (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
            (DocumentOperations::Multiple(all), Some(name)) => all
                .get(name)
                .map(|operation| (Some(name), operation))
                .ok_or_else(|| unknown(name)),
            (DocumentOperations::Multiple(all), None) => {
                let mut each = all.iter();
                match (each.next(), each.next()) {
                    (Some((name, only)), None) => Ok((Some(name.as_str()), only)),
                    _ => Err(Fail::new(
                        "BAD_USER_INPUT",
                        "the document has several operations; name one in `operationName`",
                    )),
                }
            }
        }
    }

    /// Names of its operations, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let all = self.parsed.operations.iter();
        all.filter_map(|(name, _)| name.map(|name| name.as_str()))
    }

    /// Whether that operation may come by GET; one that is not there is refused later, by its own words.
    pub fn may_be_got(&self, name: Option<&str>) -> bool {
        self.named(name).map_or(true, |(_, operation)| {
            operation.node.ty == OperationType::Query
        })
    }
}

/// The documents seen lately.
#[derive(Clone)]
pub struct Documents {
    front: Front,
    limits: Limits,
    types: Arc<Types>,
    deprecations: Arc<Deprecations>,
    known: Cache<[u8; 32], Arc<Document>>,
}

impl Documents {
    /// None yet.
    pub fn new(
        front: Front,
        limits: Limits,
        types: Arc<Types>,
        deprecations: Arc<Deprecations>,
    ) -> Self {
        let weight = |_: &[u8; 32], document: &Arc<Document>| {
            u32::try_from(document.text_bytes + 1024).unwrap_or(u32::MAX)
        };
        Self {
            front,
            limits,
            types,
            deprecations,
            known: Cache::builder()
                .max_capacity(KNOWN_BYTES)
                .weigher(weight)
                .build(),
        }
    }

    /// The document whose text has this hash, if it was seen lately.
    pub fn known(&self, hash: &[u8; 32]) -> Option<Arc<Document>> {
        self.known.get(hash)
    }

    /// The document of that text, or why it is refused.
    pub async fn get(&self, text: &str) -> Result<Arc<Document>, Vec<Fail>> {
        let hash = hash_of(text);
        if let Some(known) = self.known.get(&hash) {
            return Ok(known);
        }
        guard::check_text(text, &self.limits).map_err(refused)?;
        let parsed = async_graphql::parser::parse_query(text).map_err(|error| {
            let mut fail = Fail::new("GRAPHQL_PARSE_FAILED", error.to_string());
            fail.locations = error.positions().collect();
            vec![fail]
        })?;
        if let Some(pos) = keywords::glued(text) {
            let mut fail = Fail::new("GRAPHQL_PARSE_FAILED", "expected a definition");
            fail.locations = vec![pos];
            return Err(vec![fail]);
        }
        guard::check_document(&parsed, &self.limits).map_err(refused)?;
        self.types
            .check_variable_types(&parsed)
            .map_err(|(pos, error)| vec![misplaced(pos, error.0)])?;
        if let Some(pos) = unknown::too_many(&parsed, &self.types) {
            let message = format!(
                "the document asks for more than {} fields that do not exist",
                unknown::MOST_UNKNOWN
            );
            return Err(vec![misplaced(pos, message)]);
        }
        // Any operation's name will do: validation covers the whole document.
        let name = parsed
            .operations
            .iter()
            .next()
            .and_then(|(name, _)| name.map(ToString::to_string));
        self.front
            .validate(&parsed, name.as_deref())
            .await
            .map_err(|errors| {
                errors
                    .iter()
                    .take(MOST_ERRORS)
                    .map(invalid)
                    .collect::<Vec<_>>()
            })?;
        self.types
            .check_literals(&parsed)
            .map_err(|(pos, error)| vec![misplaced(pos, error.0)])?;
        if let Some((pos, message)) = single::fault(&parsed) {
            return Err(vec![misplaced(pos, message)]);
        }
        if let Some((pos, message)) = merging::conflict(&parsed, &self.types) {
            return Err(vec![misplaced(pos, message)]);
        }
        if let Some((name, pos)) = duplicates::find(text) {
            let message = format!("there can be only one input field named `{name}`");
            return Err(vec![misplaced(pos, message)]);
        }
        let document = Arc::new(Document {
            may_use_deprecated: self.deprecations.may_be_used(&parsed, &self.types),
            parsed,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            text_bytes: text.len(),
        });
        self.known.insert(hash, document.clone());
        Ok(document)
    }
}

fn refused(refusal: guard::Refusal) -> Vec<Fail> {
    let code = match refusal {
        guard::Refusal::TooMany { .. } => "COST_EXCEEDED",
        guard::Refusal::Introspection => "COST_EXCEEDED",
        guard::Refusal::Cycle(_) => "GRAPHQL_VALIDATION_FAILED",
    };
    vec![Fail::new(code, refusal.to_string())]
}

fn misplaced(pos: Pos, message: String) -> Fail {
    let mut fail = Fail::new("GRAPHQL_VALIDATION_FAILED", message);
    fail.locations = vec![pos];
    fail
}

fn invalid(error: &ServerError) -> Fail {
    let mut fail = Fail::new("GRAPHQL_VALIDATION_FAILED", error.message.clone());
    fail.locations.clone_from(&error.locations);
    fail
}
