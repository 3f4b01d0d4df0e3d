//! Valid documents with tokens and bytes changed: refused or answered, in bounded time, and never our fault. Whatever
//! still passes the checks is run, so that a check with a gap shows as a statement that fails.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::test_runner::TestCaseError;
use serde_json::{Map, Value, json};

use crate::{choices::Choices, ground::Ground, writer::Writer};

/// Longest time for one document: far more than it takes, far less than anything that multiplies would.
const PATIENCE: Duration = Duration::from_secs(10);

/// What takes the place of tokens.
const TOKENS: [&str; 48] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    "$",
    "@",
    "...",
    "on",
    "!",
    "=",
    "\"",
    "\"\"\"",
    "#",
    "null",
    "true",
    "-1",
    "101",
    "1e400",
    "-0",
    "00",
    "1.5",
    "2147483648",
    "-9223372036854775809",
    "__typename",
    "__schema",
    "__type",
    "fragment",
    "query",
    "mutation",
    "subscription",
    "{__typename}",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\q\"",
    "\"99999-01-01T00:00:00Z\"",
    "\"infinity\"",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "node",
    "nodes",
    "edges",
    "first: 3",
    "...F0",
    "@skip(if: $v0)",
];

/// Whether the broken document was executed.
pub fn judge(ground: &Ground<'_>, bytes: &[u8]) -> Result<bool, TestCaseError> {
    let (changes, rest) = bytes.split_at(bytes.len().min(24));
    let document = Writer::write(ground, rest);
    let mut choices = Choices::new(changes);
    let (text, variables) = match choices.pick(3) {
        0 => (
            tokens(&document.text(), &mut choices),
            document.json_variables(),
        ),
        1 => (
            letters(&document.text(), &mut choices),
            document.json_variables(),
        ),
        _ => (
            document.text(),
            values(document.json_variables(), &mut choices),
        ),
    };
    let started = Instant::now();
    let answer = ground.send(&text, &variables);
    let took = started.elapsed();
    let fail = |what: &str| {
        let variables = Value::Object(variables.clone());
        Err(TestCaseError::fail(format!(
            "{what}\n{text:?}\n{variables}\n{answer}"
        )))
    };
    if took > PATIENCE {
        return fail("it took too long");
    }
    let Ok(parsed) = serde_json::from_str::<Value>(&answer) else {
        return fail("no JSON");
    };
    let errors = parsed["errors"].as_array();
    let mut codes = errors
        .into_iter()
        .flatten()
        .map(|error| &error["extensions"]["code"]);
    if codes.any(|code| !code.is_string() || code == "INTERNAL" || code == "TIMEOUT") {
        return fail("a fault of ours");
    }
    Ok(parsed.get("data").is_some())
}

/// Names, numbers, strings and single marks.
fn split(text: &str) -> Vec<String> {
    let mut out: Vec<String> = vec![];
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        let mut token = first.to_string();
        if first.is_alphanumeric() || first == '_' {
            while let Some(next) = chars.next_if(|next| next.is_alphanumeric() || *next == '_') {
                token.push(next);
            }
        } else if first == '"' {
            while let Some(next) = chars.next() {
                token.push(next);
                match next {
                    '"' => break,
                    '\\' => token.extend(chars.next()),
                    _ => {}
                }
            }
        }
        out.push(token);
    }
    out
}

fn tokens(text: &str, choices: &mut Choices<'_>) -> String {
    let mut tokens = split(text);
    for _ in 0..=choices.pick(4) {
        if tokens.is_empty() {
            break;
        }
        let at = choices.pick(tokens.len());
        let other = tokens[choices.pick(tokens.len())].clone();
        match choices.pick(5) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, other),
            2 => tokens[at] = other,
            3 => tokens[at] = (*choices.of(&TOKENS)).to_owned(),
            _ => tokens.insert(at, format!(" {} ", choices.of(&TOKENS))),
        }
    }
    tokens.concat()
}

fn letters(text: &str, choices: &mut Choices<'_>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=choices.pick(4) {
        let at = choices.pick(bytes.len().max(1));
        let byte = u8::try_from(choices.pick(256) % 256).unwrap_or(0);
        match choices.pick(4) {
            0 if at < bytes.len() => drop(bytes.remove(at)),
            1 if at < bytes.len() => bytes[at] = byte,
            2 => bytes.truncate(at),
            _ => bytes.insert(at, byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Variables of another kind; cursors with other values in them.
fn values(mut variables: Map<String, Value>, choices: &mut Choices<'_>) -> Map<String, Value> {
    let odd = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(101),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}"),
        json!("x".repeat(40_000)),
        json!("-infinity"),
        json!("9999-12-31T23:59:60+00:01"),
        json!([]),
        json!([null]),
        json!([[[["a"]]]]),
        json!({}),
        json!({ "not": { "not": { "not": { "not": {} } } } }),
    ];
    for value in variables.values_mut() {
        match value.as_str().and_then(cursor) {
            Some(mut parts) => {
                let at = 1 + choices.pick(parts.len());
                let forged = *choices.of(&[
                    None,
                    Some(""),
                    Some("0"),
                    Some("\u{0}"),
                    Some("infinity"),
                    Some("99999999999999999999"),
                    Some("+262000-01-01 00:00:00+00"),
                    Some("0000-01-01 00:00:00+00"),
                ]);
                if at < parts.len() {
                    parts[at] = forged.map(str::to_owned);
                }
                *value = json!(URL_SAFE_NO_PAD.encode(json!(parts).to_string()));
            }
            None if choices.one_in(2) => *value = choices.of(&odd).clone(),
            None => {}
        }
    }
    if choices.one_in(4) {
        variables.remove("v0");
    }
    variables
}

fn cursor(text: &str) -> Option<Vec<Option<String>>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
