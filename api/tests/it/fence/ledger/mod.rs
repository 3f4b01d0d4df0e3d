//! What the matrix really asked. Each question is taken apart as it is sent, by the parser that the program uses, against
//! the schema that it serves: a coordinate counts as asked when the answer of somebody who has no business there was
//! looked through for what it must not hold, and as answered when it showed something to whose it is.

mod sdl;
mod walk;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, OnceLock},
};

use async_graphql::parser::{parse_query, types::ExecutableDocument};
use serde_json::Value;

pub use sdl::{Kind, Sdl};
use walk::Walk;
pub use walk::says_something;

use super::ask::Way;

/// A question as it was sent.
#[derive(Debug, Hash)]
pub struct Asked {
    /// The document.
    pub query: String,
    /// Its variables.
    pub variables: Value,
    /// How it was sent.
    pub way: Way,
}

/// What is known of a coordinate.
#[derive(Clone, Default)]
pub struct Mark {
    /// The ways by which those who have no business there asked it.
    pub ways: Vec<Way>,
    /// Whether it showed something to whose it is.
    pub answered: bool,
}

static SDL: OnceLock<Sdl> = OnceLock::new();
static MARKS: Mutex<BTreeMap<String, Mark>> = Mutex::new(BTreeMap::new());
/// Few documents are sent many times.
static PARSED: Mutex<Option<HashMap<String, Arc<ExecutableDocument>>>> = Mutex::new(None);

/// The schema that is served.
pub fn schema(definition: impl FnOnce() -> String) -> &'static Sdl {
    SDL.get_or_init(|| Sdl::read(&definition()))
}

/// Everything that is known by now.
pub fn marks() -> BTreeMap<String, Mark> {
    MARKS.lock().expect("marks").clone()
}

/// What was seen before, by its hash: many people ask the same, and are told the same.
#[derive(Default)]
pub struct Seen(Mutex<Option<HashSet<u64>>>);

impl Seen {
    const fn nothing() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether it is seen for the first time.
    pub fn is_new(&self, thing: &impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        thing.hash(&mut hasher);
        let mut seen = self.0.lock().expect("what was seen");
        seen.get_or_insert_default().insert(hasher.finish())
    }
}

static ASKED: Seen = Seen::nothing();
static ANSWERED: Seen = Seen::nothing();

fn parsed(query: &str) -> Arc<ExecutableDocument> {
    let mut known = PARSED.lock().expect("documents");
    let known = known.get_or_insert_default();
    if let Some(document) = known.get(query) {
        return document.clone();
    }
    let document = Arc::new(parse_query(query).expect("a document"));
    known.insert(query.to_owned(), document.clone());
    document
}

fn walk(asked: &Asked, met: &mut dyn FnMut(String), go: impl FnOnce(&mut Walk<'_>)) {
    let Some(sdl) = SDL.get() else { return };
    let document = parsed(&asked.query);
    go(&mut Walk {
        sdl,
        document: &document,
        variables: &asked.variables,
        met,
    });
}

/// Notes that somebody who has no business there asked this, and that what they were told was looked through.
pub fn note_asked(asked: &Asked) {
    if !ASKED.is_new(asked) {
        return;
    }
    let mut met = vec![];
    walk(asked, &mut |one| met.push(one), |walk| walk.asked());
    let mut marks = MARKS.lock().expect("marks");
    for one in met {
        let ways = &mut marks.entry(one).or_default().ways;
        if !ways.contains(&asked.way) {
            ways.push(asked.way);
        }
    }
}

/// Notes what this answer shows to somebody to whom it belongs.
pub fn note_answered(asked: &Asked, answer: &str) {
    if !ANSWERED.is_new(&(&asked.query, &asked.variables, answer)) {
        return;
    }
    let body: Value = serde_json::from_str(answer).unwrap_or_default();
    let mut met = vec![];
    walk(asked, &mut |one| met.push(one), |walk| {
        walk.answered(&body["data"])
    });
    let mut marks = MARKS.lock().expect("marks");
    for one in met {
        marks.entry(one).or_default().answered = true;
    }
}
