//! Planner and compiler against whatever may come: random catalogs made real in PostgreSQL and filled with random rows,
//! random documents valid for them, and a model that says what the answer must be.
//!
//! `make test` tries a fixed number of worlds from fixed seeds. `make fuzz MINUTES=60` goes on with fresh ones; what
//! fails is told with the seed of its world and the smallest document that still fails, and `PROPERTY_SEED=<seed>` tries
//! that world again.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests open connections of their own, and a failed unwrap is a failed test"
)]

mod asks;
#[path = "../support/bench.rs"]
mod bench;
mod choices;
mod document;
mod ground;
mod model;
mod offers;
mod tables;
mod texts;
mod totals;
mod values;
mod walks;
mod world;
mod writer;
mod wrong;

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use choices::bytes_of;
use eventsphere_graphql::{Engine, guard::Limits};
use ground::Ground;
use model::{Model, UNKNOWN};
use world::World;
use writer::Writer;

/// Worlds that `make test` tries, and documents in each.
const WORLDS: u64 = 16;
const DOCUMENTS: u32 = 40;

/// The seeds to try: one that was named, fresh ones until the time is up, or the first so many.
fn seeds() -> Box<dyn Iterator<Item = u64>> {
    let number = |name: &str| {
        env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    if let Some(seed) = number("PROPERTY_SEED") {
        return Box::new(std::iter::once(seed));
    }
    match number("PROPERTY_MINUTES") {
        None => Box::new(1..=WORLDS),
        Some(minutes) => {
            let end = Instant::now() + Duration::from_secs(minutes * 60);
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let first = now.unwrap_or_default().as_secs() * 1_000_000;
            Box::new((first..).take_while(move |_| Instant::now() < end))
        }
    }
}

fn runner(seed: u64, cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 3000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes_of(seed, 32));
    TestRunner::new_with_rng(config, rng)
}

/// Broken documents in each world.
const TEXTS: u32 = 80;

/// How many documents were answered, and how many were refused for what they would cost.
#[derive(Default)]
struct Tally {
    worlds: u64,
    answered: u64,
    refused: u64,
    walks: u64,
    /// Statements that several requests shared.
    shared: usize,
    /// Answered documents with each of [`MARKS`].
    marked: [u64; MARKS.len()],
}

/// What must come up in documents, else nothing is proved of it, by what their text has then.
const MARKS: [(&str, &[&str]); 8] = [
    ("aggregates", &["aggregates"]),
    ("groups", &["groupBy"]),
    ("days", &["_DAY", "_WEEK", "_MONTH"]),
    (
        "sums of money",
        &["price0Sum", "fee0Sum", "price1Sum", "fee1Sum"],
    ),
    ("related", &["some: {", "none: {"]),
    ("listed rows", &["listed"]),
    ("found rows", &["sought"]),
    ("arguments", &["value:", "when:", "shift:"]),
];

fn over_worlds(each: impl Fn(u64, &Runtime, &Arc<Client>, &mut Tally)) -> Tally {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let client = runtime.block_on(ground::database());
    let mut tally = Tally::default();
    for seed in seeds() {
        each(seed, &runtime, &client, &mut tally);
        tally.worlds += 1;
    }
    tally
}

#[test]
fn every_valid_document_gets_the_answer_that_the_rows_give() {
    let tally = over_worlds(|seed, runtime, client, tally| {
        let ground = Ground::lay(World::random(seed), client, runtime);
        let tally = std::cell::RefCell::new(tally);
        let ran = runner(seed, DOCUMENTS).run(&vec(any::<u8>(), 0..600), |bytes| {
            let judged = judge(&ground, &bytes)?;
            let mut tally = tally.borrow_mut();
            match judged {
                Some(text) => {
                    tally.answered += 1;
                    for (count, (_, marks)) in tally.marked.iter_mut().zip(MARKS) {
                        *count += u64::from(marks.iter().any(|mark| text.contains(mark)));
                    }
                }
                None => tally.refused += 1,
            }
            Ok(())
        });
        if let Err(error) = ran {
            panic!("PROPERTY_SEED={seed}\n{error}");
        }
        let tally = tally.into_inner();
        tally.walks += walks::every_row_comes_once(&ground, seed);
        tally.shared += ground
            .host
            .shared
            .load(std::sync::atomic::Ordering::Relaxed);
        ground.clear();
    });
    println!(
        "{} worlds, {} documents answered, {} refused, {} walks, {} shared",
        tally.worlds, tally.answered, tally.refused, tally.walks, tally.shared
    );
    assert!(tally.shared > 0 || tally.worlds == 1, "nothing was shared");
    assert!(tally.answered > 9 * tally.refused, "too many were refused");
    for ((name, _), count) in MARKS.iter().zip(tally.marked) {
        println!("{count} with {name}");
        // One world alone need not have everything.
        assert!(count > 0 || tally.worlds == 1, "none with {name}");
    }
}

#[test]
fn broken_documents_are_refused_or_answered_but_never_our_fault() {
    let tally = over_worlds(|seed, runtime, client, tally| {
        let ground = Ground::lay(World::random(seed), client, runtime);
        let counts = std::cell::Cell::new((0, 0));
        let ran = runner(!seed, TEXTS).run(&vec(any::<u8>(), 24..300), |bytes| {
            let (answered, refused) = counts.get();
            counts.set(match texts::judge(&ground, &bytes)? {
                true => (answered + 1, refused),
                false => (answered, refused + 1),
            });
            Ok(())
        });
        if let Err(error) = ran {
            panic!("PROPERTY_SEED={seed}\n{error}");
        }
        tally.answered += counts.get().0;
        tally.refused += counts.get().1;
        ground.clear();
    });
    println!(
        "{} worlds, {} broken documents refused, {} still good",
        tally.worlds, tally.refused, tally.answered
    );
    assert!(tally.refused > tally.worlds && tally.answered > tally.worlds);
}

#[test]
fn what_is_asked_wrongly_is_refused_for_its_own_reason() {
    let tally = over_worlds(|seed, runtime, client, tally| {
        let ground = Ground::lay(World::random(seed), client, runtime);
        for (query, variables, code, words) in wrong::questions(&ground) {
            let variables = variables.as_object().cloned().unwrap_or_default();
            let answer = ground.send(&query, &variables);
            let parsed: Value = serde_json::from_str(&answer).expect("JSON");
            let error = &parsed["errors"][0];
            let fits = error["extensions"]["code"] == code
                && error["message"]
                    .as_str()
                    .is_some_and(|text| text.contains(words));
            assert!(
                fits && parsed.get("data").is_none(),
                "PROPERTY_SEED={seed}, not {code} {words}\n{query}\n{answer}"
            );
            tally.refused += 1;
        }
        ground.clear();
    });
    println!("{} worlds, {} wrong questions", tally.worlds, tally.refused);
    assert!(tally.refused > 10 * tally.worlds || tally.worlds == 1);
}

#[test]
fn a_list_is_offered_only_to_operators_that_take_one() {
    let engine = (1..)
        .map(|seed| Engine::new(World::random(seed).catalog(), Limits::default()))
        .map(|engine| engine.expect("an engine").sdl())
        .find(|sdl| {
            sdl.contains("input BooleanValueFilter") && sdl.contains("input IntValueFilter")
        });
    let sdl = engine.expect("a world that filters by both");
    let fields = |name: &str| {
        let body = sdl.split(&format!("input {name} {{")).nth(1);
        let body = body.and_then(|body| body.split('}').next());
        body.expect("its fields").to_owned()
    };
    assert!(fields("IntValueFilter").contains("in: [Int!]"));
    assert!(!fields("BooleanValueFilter").contains('['));
}

/// The document that was answered, `None` when it costs too much; an error says what is wrong with an answer. It is asked again with other values
/// of its variables, and then with the first ones: what the engine keeps of a document must not depend on them.
fn judge(ground: &Ground<'_>, bytes: &[u8]) -> Result<Option<String>, TestCaseError> {
    let document = Writer::write(ground, bytes);
    let answered = judge_one(ground, bytes, &document)?;
    let bits = usize::from(bytes.last().copied().unwrap_or(0xff));
    for bits in [bits, 0xff] {
        if let Some(other) = document.with_others(bits) {
            judge_one(ground, bytes, &other)?;
            judge_one(ground, bytes, &document)?;
        }
    }
    Ok(answered.then(|| document.text()))
}

fn judge_one(
    ground: &Ground<'_>,
    bytes: &[u8],
    document: &document::Document,
) -> Result<bool, TestCaseError> {
    let (text, variables) = (document.text(), document.json_variables());
    let stops = bytes.first().is_some_and(|byte| byte % 2 == 1);
    ground
        .host
        .stops
        .store(stops, std::sync::atomic::Ordering::Relaxed);
    let answer = ground.send(&text, &variables);
    let fail = |what: &str| {
        let variables = Value::Object(variables.clone());
        TestCaseError::fail(format!("{what}\n{text}\n{variables}\n{answer}"))
    };
    let parsed: Value = serde_json::from_str(&answer).map_err(|_| fail("no JSON"))?;
    if parsed["errors"][0]["extensions"]["code"] == "COST_EXCEEDED" {
        return Ok(false);
    }
    if !parsed["errors"].is_null() {
        return Err(fail("errors"));
    }
    let expected = Model { ground, document }.answer();
    match differs(&parsed["data"], &expected, "data") {
        None => Ok(true),
        Some(difference) => Err(fail(&difference)),
    }
}

/// Where the answer differs from what is expected; the order of keys matters.
fn differs(found: &Value, expected: &Value, path: &str) -> Option<String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let keys: Vec<&String> = found.keys().collect();
            if keys != expected.keys().collect::<Vec<_>>() {
                let expected: Vec<&String> = expected.keys().collect();
                return Some(format!("{path} has the keys {keys:?}, not {expected:?}"));
            }
            found
                .iter()
                .zip(expected.values())
                .find_map(|((key, one), other)| differs(one, other, &format!("{path}.{key}")))
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => found
            .iter()
            .zip(expected)
            .enumerate()
            .find_map(|(at, (one, other))| differs(one, other, &format!("{path}.{at}"))),
        (Value::String(_), Value::String(expected)) if expected == UNKNOWN => None,
        _ if found == expected => None,
        _ => Some(format!("{path} is {found}, not {expected}")),
    }
}
