//! Signing up, in, on and out.

use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestApp, at_once};

const VIEWER: &str = "{ viewer { email } }";

#[tokio::test]
async fn an_address_is_proved_before_anybody_signs_in() {
    let app = TestApp::start().await;
    let visitor = app.visitor();
    let account = json!({ "email": "Ada@Example.org", "password": PASSWORD, "name": "Ada" });
    visitor.does("signUp", "email", account).await;
    let sign_in = json!({ "email": "ada@example.org", "password": PASSWORD });
    let early = visitor
        .tries("signIn", "accessToken", sign_in.clone())
        .await;
    assert_eq!(early["userErrors"][0]["code"], "EMAIL_NOT_VERIFIED");
    assert_eq!(early["accessToken"], Value::Null);
    let code = app.mailed_code("ada@example.org").await;
    visitor
        .does("verifyEmail", "email", json!({ "code": code }))
        .await;
    let again = visitor
        .tries("verifyEmail", "email", json!({ "code": code }))
        .await;
    assert_eq!(again["userErrors"][0]["code"], "CODE_INVALID");
    let session = visitor
        .does("signIn", "accessToken user { email name }", sign_in)
        .await;
    assert_eq!(session["user"]["email"], "ada@example.org");
    let caller = app.with_token(session["accessToken"].as_str().unwrap());
    assert_eq!(
        caller.ask(VIEWER, json!({})).await["viewer"]["email"],
        "ada@example.org"
    );
}

#[tokio::test]
async fn nothing_tells_whether_an_address_has_an_account() {
    let app = TestApp::start().await;
    app.person("known@example.org").await;
    let visitor = app.visitor();
    let mut answers = vec![];
    for email in ["known@example.org", "unknown@example.org"] {
        let mut said = vec![];
        for (mutation, selection, input) in [
            (
                "signUp",
                "",
                json!({ "email": email, "password": "another long password", "name": "X" }),
            ),
            (
                "signIn",
                "accessToken",
                json!({ "email": email, "password": "a wrong long password" }),
            ),
            ("requestPasswordReset", "", json!({ "email": email })),
            ("resendVerification", "", json!({ "email": email })),
        ] {
            said.push(visitor.tries(mutation, selection, input).await);
        }
        answers.push(said);
    }
    // The second sign-in is of an account that has just been made but not verified: still the same words.
    assert_eq!(answers[0], answers[1]);
    let password = json!({ "email": "known@example.org", "password": PASSWORD });
    visitor.does("signIn", "accessToken", password).await;
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    let app = TestApp::start().await;
    let (_, session) = app.person("ada@example.org").await;
    let visitor = app.visitor();
    let refresh = |token: Value| {
        let visitor = visitor.clone();
        async move {
            visitor
                .tries(
                    "refreshSession",
                    "accessToken refreshToken",
                    json!({ "refreshToken": token }),
                )
                .await
        }
    };
    let second = refresh(session["refreshToken"].clone()).await;
    assert_eq!(second["userErrors"], json!([]));
    let caller = app.with_token(second["accessToken"].as_str().unwrap());
    assert_eq!(
        caller.ask(VIEWER, json!({})).await["viewer"]["email"],
        "ada@example.org"
    );

    let reused = refresh(session["refreshToken"].clone()).await;
    assert_eq!(reused["userErrors"][0]["code"], "REFRESH_TOKEN_INVALID");
    let heir = refresh(second["refreshToken"].clone()).await;
    assert_eq!(heir["userErrors"][0]["code"], "REFRESH_TOKEN_INVALID");
    assert_eq!(caller.fails(VIEWER, json!({})).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn of_two_refreshes_at_once_at_most_one_succeeds() {
    let app = TestApp::start().await;
    let (_, session) = app.person("ada@example.org").await;
    let visitor = app.visitor();
    let token = session["refreshToken"].clone();
    let answers = at_once(8, move |_| {
        let (visitor, token) = (visitor.clone(), token.clone());
        async move {
            visitor
                .tries(
                    "refreshSession",
                    "accessToken",
                    json!({ "refreshToken": token }),
                )
                .await
        }
    })
    .await;
    let good = answers
        .iter()
        .filter(|answer| answer["userErrors"] == json!([]))
        .count();
    assert_eq!(good, 1, "{answers:#?}");
}

#[tokio::test]
async fn signing_out_ends_the_access_token_too() {
    let app = TestApp::start().await;
    let (caller, session) = app.person("ada@example.org").await;
    caller.does("signOut", "signedOut", json!({})).await;
    assert_eq!(caller.fails(VIEWER, json!({})).await, "UNAUTHENTICATED");
    let refreshed = app
        .visitor()
        .tries(
            "refreshSession",
            "accessToken",
            json!({ "refreshToken": session["refreshToken"] }),
        )
        .await;
    assert_eq!(refreshed["userErrors"][0]["code"], "REFRESH_TOKEN_INVALID");
}

#[tokio::test]
async fn an_access_token_is_verified_by_anybody_who_reads_the_key_set() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let app = TestApp::start().await;
    let (_, session) = app.person("ada@example.org").await;
    let token = session["accessToken"].as_str().unwrap();
    let keys: Value = app
        .http()
        .get(format!("{}/.well-known/jwks.json", app.url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    assert_eq!(header["alg"], "EdDSA");
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header["kid"])
        .expect("the key of the token");
    assert!(key.get("d").is_none(), "a private key is published");
    let public = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, public)
        .verify(
            format!("{}.{}", parts[0], parts[1]).as_bytes(),
            &URL_SAFE_NO_PAD.decode(parts[2]).unwrap(),
        )
        .expect("a signature that holds");
}

#[tokio::test]
async fn an_access_token_runs_out() {
    let app = TestApp::start().await;
    let (caller, _) = app.person("ada@example.org").await;
    caller.ask(VIEWER, json!({})).await;
    app.app.clock.advance(chrono::TimeDelta::minutes(16));
    assert_eq!(caller.fails(VIEWER, json!({})).await, "UNAUTHENTICATED");
}
