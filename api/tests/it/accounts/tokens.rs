//! API tokens of applications.

use serde_json::{Value, json};

use crate::harness::{EventSetup, TestApp};

#[tokio::test]
async fn a_token_may_what_its_scopes_say_until_it_is_revoked() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    organizer.event(&EventSetup::default()).await;
    let made = organizer
        .caller
        .does(
            "createApiToken",
            "token apiToken { id name scopes }",
            json!({ "name": "Website", "scopes": ["events:read"] }),
        )
        .await;
    let secret = made["token"].as_str().unwrap();
    assert!(secret.starts_with("es_"));
    let application = app.with_token(secret);
    let data = application
        .ask(
            "{ events { nodes { title } } viewer { email } currentOrganization { slug } }",
            json!({}),
        )
        .await;
    assert_eq!(data["events"]["nodes"][0]["title"], "Rust Day");
    assert_eq!(data["viewer"], Value::Null);
    assert_eq!(data["currentOrganization"]["slug"], "north");
    assert_eq!(
        application
            .fails("{ registrations { totalCount } }", json!({}))
            .await,
        "FORBIDDEN"
    );
    assert_eq!(
        application
            .fails(
                "mutation($i: CreateVenueInput!) { createVenue(input: $i) { userErrors { code } } }",
                json!({ "i": { "name": "Hall" } }),
            )
            .await,
        "FORBIDDEN"
    );
    let stored = app
        .database
        .admin()
        .await
        .query_one("select string_agg(t::text, ' ') || (select string_agg(s::text, ' ') from api_token_secrets s) from api_tokens t", &[])
        .await
        .unwrap();
    assert!(!stored.get::<_, String>(0).contains(secret));
    organizer
        .caller
        .does(
            "revokeApiToken",
            "apiToken { revokedAt }",
            json!({ "apiTokenId": made["apiToken"]["id"] }),
        )
        .await;
    assert_eq!(
        application
            .fails("{ events { totalCount } }", json!({}))
            .await,
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn a_token_runs_out_and_never_holds_what_is_no_scope() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let unknown = organizer
        .caller
        .tries(
            "createApiToken",
            "token",
            json!({ "name": "X", "scopes": ["everything:write"] }),
        )
        .await;
    assert_eq!(unknown["userErrors"][0]["code"], "PERMISSION_UNKNOWN");
    let soon = (app.app.clock.now() + chrono::TimeDelta::hours(1)).to_rfc3339();
    let made = organizer
        .caller
        .does(
            "createApiToken",
            "token",
            json!({ "name": "X", "scopes": ["events:read"], "expiresAt": soon }),
        )
        .await;
    let application = app.with_token(made["token"].as_str().unwrap());
    application
        .ask("{ events { totalCount } }", json!({}))
        .await;
    app.app.clock.advance(chrono::TimeDelta::minutes(61));
    assert_eq!(
        application
            .fails("{ events { totalCount } }", json!({}))
            .await,
        "UNAUTHENTICATED"
    );
}
