//! The pages of `docs/` about the API: each operation in them is run on demo data, in the order of its page, and its answer
//! has all that is printed there.
//!
//! (`docs/payments.md` is run in `payments/localstripe.rs`, the program of `docs/subscriptions.md` in `live/clients.rs`.)
//!
//! An operation is a block `graphql`, its answer the block `json` that follows. Behind `graphql` stands who asks
//! (`as=`, a token; `guest=`, a secret) and the status, where it is not 200. In an answer `...` stands for any value,
//! and a name like `EVENT_ID` or `ACCESS_TOKEN` for one that the operations after it may use; what is not printed may be there.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::TestApp;

/// What names of values end with.
const NAMES: [&str; 4] = ["_ID", "_TOKEN", "_SECRET", "_CURSOR"];

struct Block<'a> {
    language: &'a str,
    /// What stands behind the language: `as=ACCESS_TOKEN`.
    given: BTreeMap<&'a str, &'a str>,
    text: String,
    line: usize,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let (mut found, mut open): (Vec<Block<'_>>, Option<Block<'_>>) = (vec![], None);
    for (at, line) in page.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(head), None) => {
                let mut words = head.split_whitespace();
                open = Some(Block {
                    language: words.next().unwrap_or_default(),
                    given: words.filter_map(|word| word.split_once('=')).collect(),
                    text: String::new(),
                    line: at + 2,
                });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    NAMES.iter().any(|ending| text.ends_with(ending))
        && text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// Whether the answer has what is printed; names met for the first time are noted.
fn compare(
    printed: &Value,
    answered: &Value,
    names: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let differs = || Err(format!("printed {printed}, answered {answered}"));
    match (printed, answered) {
        (Value::String(text), answered) if text == "..." => match answered.is_null() {
            true => differs(),
            false => Ok(()),
        },
        (Value::String(name), Value::String(value)) if is_name(name) => match names.get(name) {
            Some(known) if known != value => differs(),
            _ => {
                names.insert(name.clone(), value.clone());
                Ok(())
            }
        },
        (Value::Object(printed), Value::Object(answered)) => {
            for (key, value) in printed {
                let found = answered
                    .get(key)
                    .ok_or_else(|| format!("no {key} in {answered:?}"))?;
                compare(value, found, names).map_err(|wrong| format!("{key}: {wrong}"))?;
            }
            Ok(())
        }
        (Value::Array(printed), Value::Array(answered)) if printed.len() == answered.len() => {
            let pairs = printed.iter().zip(answered);
            pairs
                .into_iter()
                .try_for_each(|(one, other)| compare(one, other, names))
        }
        _ if printed == answered => Ok(()),
        _ => differs(),
    }
}

/// The text with values in place of names.
fn with_values(text: &str, names: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (name, value) in names {
        text = text.replace(&format!("\"{name}\""), &format!("\"{value}\""));
    }
    text
}

/// Runs the operations of a page, or of a part of it, with the names that are known by then.
pub async fn answers_as_printed(
    app: &TestApp,
    name: &str,
    page: &str,
    names: &mut BTreeMap<String, String>,
) {
    let mut ran = 0;
    let all = blocks(page);
    for (at, block) in all.iter().enumerate() {
        // A document for somebody else to run says so: `for=webhook`.
        if block.language != "graphql" || block.given.contains_key("for") {
            continue;
        }
        let here = format!("{name}, line {}", block.line);
        let answer = all.get(at + 1).filter(|next| next.language == "json");
        let Some(answer) = answer else {
            panic!("{here}: an operation without its answer");
        };
        let printed: Value = serde_json::from_str(&answer.text)
            .unwrap_or_else(|error| panic!("{here}: the answer is no JSON: {error}"));
        let mut request = app
            .http()
            .post(format!("{}/graphql", app.url))
            .header("accept", "application/graphql-response+json")
            .json(&serde_json::json!({ "query": with_values(&block.text, names) }));
        let value = |key| block.given.get(key).map(|name: &&str| &names[*name]);
        if let Some(token) = value("as") {
            request = request.bearer_auth(token);
        }
        if let Some(secret) = value("guest") {
            request = request.header("x-guest-secret", secret);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let body: Value = response.json().await.expect("JSON");
        let wanted = block
            .given
            .get("status")
            .map_or(200, |status| status.parse().expect("a status"));
        assert_eq!(status, wanted, "{here}: {body}");
        if let Err(wrong) = compare(&printed, &body, names) {
            panic!("{here}: {wrong}\nthe whole answer: {body:#}");
        }
        // Failures may not be left out.
        assert_eq!(
            printed.get("errors").is_some(),
            body.get("errors").is_some(),
            "{here}: {body}"
        );
        ran += 1;
    }
    assert!(ran > 1, "{name} has no operations");
}

#[tokio::test]
async fn what_the_guides_print_is_what_is_answered() {
    let app = TestApp::start().await;
    eventsphere::demo::fill(&app.app, 100)
        .await
        .expect("demo data");
    for (name, page) in [
        (
            "authentication.md",
            include_str!("../../../docs/authentication.md"),
        ),
        ("pagination.md", include_str!("../../../docs/pagination.md")),
        ("errors.md", include_str!("../../../docs/errors.md")),
        (
            "idempotency.md",
            include_str!("../../../docs/idempotency.md"),
        ),
        ("cost.md", include_str!("../../../docs/cost.md")),
        ("webhooks.md", include_str!("../../../docs/webhooks.md")),
    ] {
        answers_as_printed(&app, name, page, &mut BTreeMap::new()).await;
    }
    assert_eq!(app.database.stock_faults().await, 0);
}

#[test]
fn what_is_not_as_printed_is_found() {
    let mut names = BTreeMap::new();
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let mut holds = |printed: &str, answered: &str| {
        compare(&json(printed), &json(answered), &mut names).is_ok()
    };
    assert!(holds(
        r#"{"a": "...", "b": [{"id": "ONE_ID"}]}"#,
        r#"{"b": [{"id": "x", "c": 1}], "a": 5}"#
    ));
    assert!(!holds(r#"{"a": "..."}"#, r#"{"a": null}"#));
    assert!(!holds(r#"{"a": 1}"#, r#"{"b": 1}"#));
    assert!(!holds(r#"[1]"#, r#"[1, 2]"#));
    // A name stands for one value.
    assert!(holds(r#""ONE_ID""#, r#""x""#));
    assert!(!holds(r#""ONE_ID""#, r#""y""#));
    assert_eq!(
        with_values(r#"{ node(id: "ONE_ID") }"#, &names),
        r#"{ node(id: "x") }"#
    );
}
