//! Automatic persisted queries, and `documentId` of GraphQL over HTTP.

use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use super::{extension, get, hash, misses, posted};
use crate::{harness::TestApp, protocol::reply::Reply};

#[tokio::test]
async fn a_hash_is_enough_once_the_text_was_sent_with_it() {
    let app = TestApp::start().await;
    let text = "query Count($n: Int) { events(first: $n) { totalCount } }";
    let (digest, variables) = (hash(text), json!({ "n": 1 }));
    let by_hash = json!({ "extensions": extension(&digest), "variables": variables });
    misses(&posted(&app, None, by_hash.clone()).await);
    // As `application/json` it is 200, as for every request that is one.
    let plain = super::post(&app, None, &by_hash).header(ACCEPT, "application/json");
    let reply = Reply::of(plain).await;
    assert_eq!(
        reply.json()["errors"][0]["extensions"]["code"],
        "PERSISTED_QUERY_NOT_FOUND"
    );

    // Text alone is not remembered.
    app.visitor().ask(text, variables.clone()).await;
    misses(&posted(&app, None, by_hash.clone()).await);

    let both = json!({ "query": text, "extensions": extension(&digest), "variables": variables });
    let expected = json!({ "events": { "totalCount": 0 } });
    assert_eq!(posted(&app, None, both).await.json()["data"], expected);
    assert_eq!(posted(&app, None, by_hash).await.json()["data"], expected);

    let extensions = extension(&digest).to_string();
    let id = format!("sha256:{digest}");
    for pairs in [
        [
            ("extensions", extensions.as_str()),
            ("variables", "{\"n\":1}"),
            ("operationName", "Count"),
        ],
        [
            ("documentId", id.as_str()),
            ("variables", "{\"n\":1}"),
            ("operationName", ""),
        ],
        [
            ("documentId", digest.as_str()),
            ("variables", "{\"n\":1}"),
            ("operationName", "Count"),
        ],
    ] {
        assert_eq!(Reply::of(get(&app, &pairs)).await.json()["data"], expected);
    }
    let by_id = json!({ "documentId": id, "variables": { "n": 1 } });
    assert_eq!(posted(&app, None, by_id).await.json()["data"], expected);
    let unknown = format!("sha256:{}", hash("{ nobodySentThis }"));
    misses(&posted(&app, None, json!({ "documentId": unknown })).await);
    misses(&Reply::of(get(&app, &[("documentId", &unknown)])).await);
    misses(&posted(&app, None, json!({ "documentId": "a-name" })).await);
}

#[tokio::test]
async fn a_text_is_never_kept_under_the_hash_of_another() {
    let app = TestApp::start().await;
    let (good, bad) = ("{ __typename }", "{ events { totalCount } }");
    for asked in [
        json!({ "query": bad, "extensions": extension(&hash(good)) }),
        json!({ "query": bad, "documentId": format!("sha256:{}", hash(good)) }),
        json!({ "query": good, "extensions": extension(&hash(good)), "documentId": hash(bad) }),
    ] {
        posted(&app, None, asked)
            .await
            .refuses(400, "BAD_USER_INPUT");
    }
    let extensions = extension(&hash(good)).to_string();
    let pairs = [("query", bad), ("extensions", extensions.as_str())];
    Reply::of(get(&app, &pairs))
        .await
        .refuses(400, "BAD_USER_INPUT");
    for text in [good, bad] {
        misses(&posted(&app, None, json!({ "extensions": extension(&hash(text)) })).await);
    }
}

#[tokio::test]
async fn only_version_one_and_well_formed_hashes_are_taken() {
    let app = TestApp::start().await;
    let digest = hash("{ __typename }");
    for persisted in [
        json!({ "version": 2, "sha256Hash": digest }),
        json!({ "version": "1", "sha256Hash": digest }),
        json!({ "sha256Hash": digest }),
        json!({ "version": 1 }),
        json!({ "version": 1, "sha256Hash": digest.to_uppercase() }),
        json!({ "version": 1, "sha256Hash": "5" }),
        json!("1"),
    ] {
        let extensions = json!({ "persistedQuery": persisted });
        for query in [Value::Null, json!("{ __typename }")] {
            let body = json!({ "query": query, "extensions": extensions });
            posted(&app, None, body)
                .await
                .refuses(400, "BAD_USER_INPUT");
        }
    }
    for id in [
        json!(5),
        json!("md5:abc"),
        json!("sha256:abc"),
        json!(""),
        json!("a b"),
    ] {
        posted(&app, None, json!({ "documentId": id }))
            .await
            .refuses(400, "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn what_is_invalid_or_too_large_is_not_remembered() {
    let app = TestApp::start().await;
    let large = format!(
        "{{ {} }}",
        (0..31)
            .map(|n| format!("a{n}: __typename "))
            .collect::<String>()
    );
    for (text, code) in [
        ("{ nothingLikeThis }", "GRAPHQL_VALIDATION_FAILED"),
        (&large, "COST_EXCEEDED"),
    ] {
        let both = json!({ "query": text, "extensions": extension(&hash(text)) });
        posted(&app, None, both).await.refuses(400, code);
        misses(&posted(&app, None, json!({ "extensions": extension(&hash(text)) })).await);
    }
}

#[tokio::test]
async fn mutations_do_not_come_by_get_whatever_names_them() {
    let app = TestApp::start().await;
    let text = "mutation { signOut(input: {}) { signedOut } }";
    let body = json!({ "query": text, "extensions": extension(&hash(text)) });
    posted(&app, None, body).await;
    let extensions = extension(&hash(text)).to_string();
    let reply = Reply::of(get(&app, &[("extensions", &extensions)])).await;
    reply.refuses(405, "BAD_USER_INPUT");
    assert_eq!(reply.headers["cache-control"], "no-store");
    let id = format!("sha256:{}", hash(text));
    Reply::of(get(&app, &[("documentId", &id)]))
        .await
        .refuses(405, "BAD_USER_INPUT");
}

#[tokio::test]
async fn what_no_longer_fits_is_forgotten_and_never_confused() {
    let app = TestApp::start_with(&[("PERSISTED_DOCUMENTS_KIB", "8")]).await;
    let texts: Vec<String> = (0..60)
        .map(|n| format!("{{ a{n}: __typename {} }}", " ".repeat(500)))
        .collect();
    for text in &texts {
        let body = json!({ "query": text, "extensions": extension(&hash(text)) });
        assert_eq!(posted(&app, None, body).await.status, 200);
    }
    // Room is made some time after it is taken; then there is room for a dozen.
    let (mut hits, mut gone) = (0, 0);
    for _ in 0..3 {
        (hits, gone) = (0, 0);
        for (n, text) in texts.iter().enumerate() {
            let reply = posted(&app, None, json!({ "extensions": extension(&hash(text)) })).await;
            match reply.status {
                200 => {
                    hits += 1;
                    assert_eq!(reply.json()["data"], json!({ format!("a{n}"): "Query" }));
                }
                _ => {
                    gone += 1;
                    misses(&reply);
                }
            }
        }
    }
    assert!(hits > 0 && gone > 40, "{hits} known, {gone} forgotten");
}
