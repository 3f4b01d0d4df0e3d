//! Passwords: reset, change, and what guessing leads to.

use serde_json::json;

use crate::harness::{PASSWORD, TestApp};

const NEW: &str = "quite another long password";

#[tokio::test]
async fn a_reset_changes_the_password_and_ends_every_session() {
    let app = TestApp::start().await;
    let (caller, _) = app.person("ada@example.org").await;
    let visitor = app.visitor();
    visitor
        .does(
            "requestPasswordReset",
            "",
            json!({ "email": "ada@example.org" }),
        )
        .await;
    let code = app.mailed_code("ada@example.org").await;
    let short = visitor
        .tries(
            "resetPassword",
            "",
            json!({ "code": code, "newPassword": "short" }),
        )
        .await;
    assert_eq!(short["userErrors"][0]["code"], "PASSWORD_LENGTH");
    visitor
        .does(
            "resetPassword",
            "",
            json!({ "code": code, "newPassword": NEW }),
        )
        .await;
    assert_eq!(
        caller.fails("{ viewer { email } }", json!({})).await,
        "UNAUTHENTICATED"
    );
    let old = json!({ "email": "ada@example.org", "password": PASSWORD });
    let refused = visitor.tries("signIn", "accessToken", old).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID_CREDENTIALS");
    let new = json!({ "email": "ada@example.org", "password": NEW });
    visitor.does("signIn", "accessToken", new).await;
    let again = visitor
        .tries(
            "resetPassword",
            "",
            json!({ "code": code, "newPassword": PASSWORD }),
        )
        .await;
    assert_eq!(again["userErrors"][0]["code"], "CODE_INVALID");
}

#[tokio::test]
async fn a_reset_code_runs_out() {
    let app = TestApp::start().await;
    app.person("ada@example.org").await;
    let visitor = app.visitor();
    visitor
        .does(
            "requestPasswordReset",
            "",
            json!({ "email": "ada@example.org" }),
        )
        .await;
    let code = app.mailed_code("ada@example.org").await;
    app.app.clock.advance(chrono::TimeDelta::hours(25));
    let late = visitor
        .tries(
            "resetPassword",
            "",
            json!({ "code": code, "newPassword": NEW }),
        )
        .await;
    assert_eq!(late["userErrors"][0]["code"], "CODE_INVALID");
}

#[tokio::test]
async fn guessing_locks_the_account_for_a_while_even_with_the_right_password() {
    let app = TestApp::start().await;
    app.person("ada@example.org").await;
    let visitor = app.visitor();
    for _ in 0..5 {
        let wrong = json!({ "email": "ada@example.org", "password": "a wrong long password" });
        let answer = visitor.tries("signIn", "accessToken", wrong).await;
        assert_eq!(answer["userErrors"][0]["code"], "INVALID_CREDENTIALS");
    }
    let right = json!({ "email": "ada@example.org", "password": PASSWORD });
    let locked = visitor.tries("signIn", "accessToken", right.clone()).await;
    assert_eq!(locked["userErrors"][0]["code"], "INVALID_CREDENTIALS");
    app.app.clock.advance(chrono::TimeDelta::minutes(16));
    visitor.does("signIn", "accessToken", right).await;
}

#[tokio::test]
async fn aliases_do_not_help_guessing() {
    let app = TestApp::start().await;
    let guesses: Vec<String> = (0..15)
        .map(|n| format!("g{n}: signIn(input: {{ email: \"ada@example.org\", password: \"guess number {n} of many\" }}) {{ userErrors {{ code }} }}"))
        .collect();
    let operation = format!("mutation {{ {} }}", guesses.join(" "));
    let mut throttled = 0;
    // Ninety guesses in six requests: more than the address may be tried in one go, counted one by one.
    for _ in 0..6 {
        let answer = app.visitor().send(&operation, json!({})).await;
        throttled += answer["errors"].as_array().map_or(0, |errors| {
            errors
                .iter()
                .filter(|error| error["extensions"]["code"] == "THROTTLED")
                .count()
        });
    }
    assert!((50..=70).contains(&throttled), "{throttled} of 90");
}

#[tokio::test]
async fn no_secret_is_stored_in_the_clear() {
    let app = TestApp::start().await;
    let (_, session) = app.person("ada@example.org").await;
    let rows = app
        .database
        .admin()
        .await
        .query_one(
            "select (select string_agg(s::text, ' ') from user_secrets s) || \
                    (select string_agg(t::text, ' ') from refresh_tokens t) || \
                    (select string_agg(k::text, ' ') from signing_keys k)",
            &[],
        )
        .await
        .unwrap();
    let stored: String = rows.get(0);
    assert!(stored.contains("$argon2id$"));
    assert!(!stored.contains(PASSWORD));
    assert!(!stored.contains(session["refreshToken"].as_str().unwrap()));
}
