//! Who may keep which answers.

use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, ETAG, IF_NONE_MATCH},
};
use serde_json::json;

use super::{extension, get, hash, posted};
use crate::{
    harness::{EventSetup, TestApp},
    protocol::reply::{GRAPHQL, Reply},
};

const QUERY: &str = "{ events { nodes { title } } }";

/// What is left and what it costs now is asked for each time; unchanged, it is not sent again.
#[tokio::test]
async fn what_holds_for_the_moment_is_shown_by_no_cache_unasked() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    for field in ["available", "saleStatus", "currentPrice { minorUnits }"] {
        let query = format!("{{ events {{ nodes {{ ticketTypes {{ nodes {{ {field} }} }} }} }} }}");
        let reply = Reply::of(get(&app, &[("query", &query)])).await;
        assert_eq!(
            reply.headers["cache-control"], "public, no-cache",
            "{field}"
        );
    }
    let query = "{ events { nodes { ticketTypes { nodes { available } } } } }";
    let ask = |tag: &str| get(&app, &[("query", query)]).header(IF_NONE_MATCH, tag.to_owned());
    let first = Reply::of(ask("\"none\"")).await;
    let tag = first.headers[ETAG].to_str().expect("ASCII").to_owned();
    assert_eq!(Reply::of(ask(&tag)).await.status, 304);
    app.visitor().place(&event, &event["types"][0], 1).await;
    let after = Reply::of(ask(&tag)).await;
    assert_eq!(after.status, 200);
    assert_ne!(after.json(), first.json());
}

fn varies_with(reply: &Reply) -> Vec<String> {
    let values = reply.headers.get_all("vary").iter();
    values
        .flat_map(|value| value.to_str().expect("ASCII").split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect()
}

#[tokio::test]
async fn caches_keep_what_visitors_get_and_nothing_else() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    organizer.event(&EventSetup::default()).await;
    let reply = Reply::of(get(&app, &[("query", QUERY)])).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.headers["cache-control"],
        "public, max-age=5, stale-while-revalidate=5"
    );
    assert!(reply.headers.contains_key(ETAG));
    let varies = varies_with(&reply);
    for name in ["accept", "authorization", "x-guest-secret", "origin"] {
        assert!(
            varies.iter().any(|known| known == name),
            "{name}: {varies:?}"
        );
    }
    // Nothing in it is of this one request.
    assert_eq!(
        reply.json(),
        json!({ "data": { "events": { "nodes": [{ "title": "Rust Day" }] } } })
    );

    let private = [
        (
            "a member",
            get(&app, &[("query", QUERY)]).bearer_auth(&organizer.token),
        ),
        (
            "a guest",
            get(&app, &[("query", QUERY)]).header("x-guest-secret", "something"),
        ),
        (
            "a POST",
            super::post(&app, None, &json!({ "query": QUERY })),
        ),
        (
            "an error",
            get(&app, &[("query", "{ registrations { totalCount } }")]),
        ),
        (
            "partial",
            get(
                &app,
                &[(
                    "query",
                    "{ events { totalCount } registrations { totalCount } }",
                )],
            ),
        ),
        ("no document", get(&app, &[("query", "{ nothing }")])),
        ("refused", get(&app, &[])),
        (
            "a wrong token",
            get(&app, &[("query", QUERY)]).bearer_auth("nonsense"),
        ),
    ];
    for (who, request) in private {
        let reply = Reply::of(request).await;
        assert_eq!(
            reply.headers["cache-control"], "no-store",
            "{who}: {reply:?}"
        );
        assert!(!reply.headers.contains_key(ETAG), "{who}");
    }
}

#[tokio::test]
async fn an_entity_tag_spares_the_body_until_the_data_changes() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let digest = hash(QUERY);
    posted(
        &app,
        None,
        json!({ "query": QUERY, "extensions": extension(&digest) }),
    )
    .await;
    let extensions = extension(&digest).to_string();
    let ask = || get(&app, &[("extensions", extensions.as_str())]);
    let first = Reply::of(ask()).await;
    let again = Reply::of(ask()).await;
    assert_eq!(first.text, again.text);
    let tag = first.headers[ETAG].to_str().expect("ASCII").to_owned();
    assert!(
        tag.starts_with('"') && tag.ends_with('"'),
        "a strong tag: {tag}"
    );
    assert_eq!(again.headers[ETAG], tag.as_str());
    for named in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"other\", {tag}"),
        "*".to_owned(),
    ] {
        let reply = Reply::of(ask().header(IF_NONE_MATCH, &named)).await;
        assert_eq!((reply.status, reply.text.as_str()), (304, ""), "{named}");
        assert_eq!(reply.headers[ETAG], tag.as_str());
        assert!(
            reply.headers["cache-control"]
                .to_str()
                .expect("ASCII")
                .starts_with("public")
        );
        assert!(varies_with(&reply).contains(&"authorization".to_owned()));
    }
    // Another representation is another tag; a signed-in caller has none.
    let json = Reply::of(get(&app, &[("query", QUERY)]).header(ACCEPT, "application/json")).await;
    assert!(json.status == 200);
    let bare = app
        .http()
        .get(format!("{}/graphql?documentId={digest}", app.url));
    let plain = Reply::of(bare.header(ACCEPT, "application/json")).await;
    assert_ne!(plain.headers[ETAG], tag.as_str());
    let member = ask()
        .bearer_auth(&organizer.token)
        .header(IF_NONE_MATCH, "*");
    assert_eq!(Reply::of(member).await.status, 200);

    organizer
        .caller
        .does(
            "updateEvent",
            "event { title }",
            json!({ "eventId": event["id"], "title": "Rust Days" }),
        )
        .await;
    let changed = Reply::of(ask().header(IF_NONE_MATCH, &tag)).await;
    assert_eq!(changed.status, 200);
    assert!(changed.text.contains("Rust Days"));
    assert_ne!(changed.headers[ETAG], tag.as_str());
}

#[tokio::test]
async fn head_says_what_get_would_say() {
    let app = TestApp::start().await;
    let url = format!("{}/graphql?query=%7B__typename%7D", app.url);
    let got = app
        .http()
        .get(&url)
        .header(ACCEPT, GRAPHQL)
        .send()
        .await
        .expect("an answer");
    let head = app
        .http()
        .request(Method::HEAD, &url)
        .header(ACCEPT, GRAPHQL);
    let head = head.send().await.expect("an answer");
    assert_eq!(head.status(), StatusCode::OK);
    for name in ["etag", "cache-control", "content-type", "content-length"] {
        assert_eq!(head.headers()[name], got.headers()[name], "{name}");
    }
    assert_eq!(head.text().await.expect("nothing"), "");
    let mutation = format!(
        "{}/graphql?query=mutation%7BsignOut(input:%7B%7D)%7BsignedOut%7D%7D",
        app.url
    );
    let refused = app
        .http()
        .request(Method::HEAD, mutation)
        .send()
        .await
        .expect("an answer");
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn how_long_caches_may_keep_is_configured() {
    for (seconds, expected) in [
        ("0", "public, no-cache"),
        ("60", "public, max-age=60, stale-while-revalidate=60"),
    ] {
        let app = TestApp::start_with(&[("PUBLIC_MAX_AGE", seconds)]).await;
        let reply = Reply::of(get(&app, &[("query", "{ __typename }")])).await;
        assert_eq!(reply.headers["cache-control"], expected);
    }
}
