//! Documents that an organization registered, and tokens bound to them.

use serde_json::{Value, json};

use super::{extension, get, hash, misses, posted};
use crate::{
    harness::{EventSetup, Organizer, TestApp},
    protocol::reply::Reply,
};

const TITLES: &str = "query Titles { events { nodes { title } } }";
const NAME: &str = "query Name { currentOrganization { slug } }";
const OTHER: &str = "{ currentOrganization { name } }";

async fn token(organizer: &Organizer, trusted_only: bool) -> (String, Value) {
    let made = organizer
        .caller
        .does(
            "createApiToken",
            "token apiToken { id trustedDocumentsOnly }",
            json!({
                "name": "Website", "scopes": ["events:read", "organization:read", "documents:write"],
                "trustedDocumentsOnly": trusted_only,
            }),
        )
        .await;
    assert_eq!(made["apiToken"]["trustedDocumentsOnly"], trusted_only);
    let secret = made["token"].as_str().expect("a secret").to_owned();
    (secret, made["apiToken"]["id"].clone())
}

async fn register(organizer: &Organizer, documents: Value) -> Value {
    organizer
        .caller
        .does(
            "registerTrustedDocuments",
            "added trustedDocuments { id sha256 documentId name text }",
            json!({ "documents": documents }),
        )
        .await
}

#[track_caller]
fn untrusted(reply: &Reply) {
    reply.refuses(403, "FORBIDDEN");
    let message = reply.json()["errors"][0]["message"].to_string();
    assert!(message.contains("registerTrustedDocuments"), "{message}");
}

#[tokio::test]
async fn a_bound_token_executes_what_is_registered_and_nothing_else() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    organizer.event(&EventSetup::default()).await;
    let (secret, id) = token(&organizer, true).await;
    let ask = async |body: Value| posted(&app, Some(&secret), body).await;
    untrusted(&ask(json!({ "query": TITLES })).await);
    untrusted(&ask(json!({ "documentId": "titles" })).await);

    let made = register(&organizer, json!([{ "text": TITLES, "id": "titles" }])).await;
    assert_eq!(made["added"], 1);
    let entry = &made["trustedDocuments"][0];
    assert_eq!(entry["sha256"], hash(TITLES));
    assert_eq!(
        (&entry["name"], &entry["text"]),
        (&json!("Titles"), &json!(TITLES))
    );

    let expected = json!({ "events": { "nodes": [{ "title": "Rust Day" }] } });
    let digest = hash(TITLES);
    for body in [
        json!({ "query": TITLES }),
        json!({ "query": TITLES, "extensions": extension(&digest) }),
        json!({ "extensions": extension(&digest) }),
        json!({ "documentId": format!("sha256:{digest}") }),
        json!({ "documentId": "titles", "operationName": "Titles" }),
    ] {
        let reply = ask(body.clone()).await;
        assert_eq!(reply.json()["data"], expected, "{body}: {reply:?}");
        assert_eq!(reply.headers["cache-control"], "no-store");
    }
    let by_get = get(&app, &[("documentId", "titles")]).bearer_auth(&secret);
    assert_eq!(Reply::of(by_get).await.json()["data"], expected);

    // What others made known by its hash is not trusted for that; nor is a text that differs by a space.
    posted(
        &app,
        None,
        json!({ "query": OTHER, "extensions": extension(&hash(OTHER)) }),
    )
    .await;
    for body in [
        json!({ "query": OTHER }),
        json!({ "query": format!("{TITLES} ") }),
        json!({ "extensions": extension(&hash(OTHER)) }),
        json!({ "query": OTHER, "extensions": extension(&hash(OTHER)) }),
        json!({ "query": "{ __typename }" }),
        json!({ "query": "{ __schema { queryType { name } } }" }),
        json!({ "documentId": "nobody" }),
    ] {
        untrusted(&ask(body).await);
    }
    ask(json!({ "query": OTHER, "extensions": extension(&digest) }))
        .await
        .refuses(400, "BAD_USER_INPUT");
    // Introspection is a document like any other.
    let introspection = "{ __schema { queryType { name } } }";
    register(&organizer, json!([{ "text": introspection }])).await;
    let reply = ask(json!({ "query": introspection })).await;
    assert_eq!(
        reply.json()["data"]["__schema"]["queryType"]["name"],
        "Query"
    );

    organizer
        .caller
        .does(
            "revokeApiToken",
            "apiToken { id }",
            json!({ "apiTokenId": id }),
        )
        .await;
    ask(json!({ "query": TITLES }))
        .await
        .refuses(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_removed_document_is_refused_at_once() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let (secret, _) = token(&organizer, true).await;
    let made = register(&organizer, json!([{ "text": NAME }, { "text": OTHER }])).await;
    let ask = async || posted(&app, Some(&secret), json!({ "query": NAME })).await;
    assert_eq!(ask().await.status, 200);
    let ids: Vec<&Value> = made["trustedDocuments"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|document| &document["id"])
        .collect();
    let remove = async |input: Value| {
        let caller = &organizer.caller;
        caller
            .tries("removeTrustedDocuments", "removed", input)
            .await
    };
    let refused = remove(json!({ "trustedDocumentIds": ids, "atMost": 1 })).await;
    assert_eq!(refused["userErrors"][0]["code"], "TOO_MANY");
    assert_eq!(ask().await.status, 200);
    let removed = remove(json!({ "trustedDocumentIds": [ids[0]], "atMost": 1 })).await;
    assert_eq!(removed["removed"], 1);
    untrusted(&ask().await);
    let again = remove(json!({ "trustedDocumentIds": ids, "atMost": 5 })).await;
    assert_eq!(again["userErrors"][0]["code"], "TRUSTED_DOCUMENT_NOT_FOUND");
    assert_eq!(
        again["userErrors"][0]["field"],
        json!(["trustedDocumentIds", "0"])
    );
    assert_eq!(
        posted(&app, Some(&secret), json!({ "query": OTHER }))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn another_organization_s_documents_are_nobody_s() {
    let app = TestApp::start().await;
    let (north, south) = (app.organizer("north").await, app.organizer("south").await);
    register(&north, json!([{ "text": NAME, "id": "name" }])).await;
    register(&south, json!([{ "text": OTHER, "id": "name" }])).await;
    let (bound, _) = token(&south, true).await;
    let (free, _) = token(&south, false).await;
    for body in [
        json!({ "query": NAME }),
        json!({ "extensions": extension(&hash(NAME)) }),
        json!({ "documentId": hash(NAME) }),
    ] {
        untrusted(&posted(&app, Some(&bound), body).await);
    }
    let by_hash = json!({ "extensions": extension(&hash(NAME)) });
    misses(&posted(&app, Some(&free), by_hash.clone()).await);
    misses(&posted(&app, None, by_hash.clone()).await);
    misses(&posted(&app, None, json!({ "documentId": "name" })).await);
    // The same identifier is each organization's own.
    let by_id = json!({ "documentId": "name" });
    for (who, slug) in [
        (&north, json!({ "slug": "north" })),
        (&south, json!({ "name": "The south" })),
    ] {
        let reply = posted(&app, Some(&who.token), by_id.clone()).await;
        assert_eq!(reply.json()["data"]["currentOrganization"], slug);
    }
    // For its own members the hash will do, without anybody having sent the text.
    let reply = posted(&app, Some(&north.token), by_hash).await;
    assert_eq!(reply.json()["data"]["currentOrganization"]["slug"], "north");
}

#[tokio::test]
async fn what_is_wrong_with_a_document_is_said_of_it() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    register(&organizer, json!([{ "text": NAME, "id": "name" }])).await;
    let large = format!(
        "{{ {} }}",
        (0..31)
            .map(|n| format!("a{n}: __typename "))
            .collect::<String>()
    );
    let documents = json!([
        { "text": TITLES, "id": hash(TITLES) },
        { "text": "{ nothingLikeThis }" },
        { "text": "{" },
        { "text": large },
        { "text": OTHER, "id": hash(TITLES) },
        { "text": "{ a: __typename }", "id": format!("sha256:{}", hash(TITLES)) },
        { "text": "{ b: __typename }", "id": "with space" },
        { "text": "{ c: __typename }", "name": "" },
        { "text": "{ d: __typename }", "id": "name" },
        { "text": TITLES },
    ]);
    let codes = |payload: &Value| -> Vec<(String, String)> {
        let errors = payload["userErrors"].as_array().expect("a list").iter();
        errors
            .map(|error| {
                let field = error["field"].as_array().expect("a path");
                assert_eq!(field[0], "documents");
                let text = |value: &Value| value.as_str().expect("text").to_owned();
                (
                    text(&error["code"]),
                    format!("{}.{}", text(&field[1]), text(&field[2])),
                )
            })
            .collect()
    };
    let send = async |policy: Value| {
        let input = json!({ "documents": documents, "errorPolicy": policy });
        let selection = "added trustedDocuments { sha256 documentId }";
        organizer
            .caller
            .tries("registerTrustedDocuments", selection, input)
            .await
    };
    let count = async || {
        let data = organizer
            .caller
            .ask("{ trustedDocuments { totalCount } }", json!({}))
            .await;
        data["trustedDocuments"]["totalCount"].clone()
    };
    let refused = send(Value::Null).await;
    let expected = [
        ("DOCUMENT_INVALID", "1.text"),
        ("DOCUMENT_INVALID", "2.text"),
        ("DOCUMENT_TOO_LARGE", "3.text"),
        ("ID_MISMATCH", "4.id"),
        ("ID_MISMATCH", "5.id"),
        ("ID_INVALID", "6.id"),
        ("NAME_INVALID", "7.name"),
    ]
    .map(|(code, field)| (code.to_owned(), field.to_owned()));
    assert_eq!(codes(&refused), expected);
    assert!(
        refused["userErrors"][0]["message"]
            .as_str()
            .expect("text")
            .contains("line 1")
    );
    assert_eq!(
        (refused["trustedDocuments"].clone(), count().await),
        (json!([]), json!(1))
    );

    let skipped = send(json!("SKIP_FAILED")).await;
    let mut more = expected.to_vec();
    more.push(("ID_TAKEN".to_owned(), "8.id".to_owned()));
    assert_eq!(codes(&skipped), more);
    assert_eq!(skipped["added"], 1);
    assert_eq!(
        skipped["trustedDocuments"],
        json!([{ "sha256": hash(TITLES), "documentId": null }])
    );
    assert_eq!(count().await, 2);
    // Again: nothing new, and the same entry.
    let again = register(
        &organizer,
        json!([{ "text": NAME }, { "text": TITLES, "id": "titles", "name": "T" }]),
    )
    .await;
    assert_eq!(
        (&again["added"], &again["trustedDocuments"][0]["documentId"]),
        (&json!(0), &json!("name"))
    );
    assert_eq!(again["trustedDocuments"][1]["documentId"], "titles");
    assert_eq!(
        (count().await, &again["trustedDocuments"][1]["name"]),
        (json!(2), &json!("T"))
    );
    let nothing = organizer
        .caller
        .tries(
            "registerTrustedDocuments",
            "added",
            json!({ "documents": [] }),
        )
        .await;
    assert_eq!(nothing["userErrors"][0]["code"], "DOCUMENTS_COUNT");
}

#[tokio::test]
async fn the_database_itself_keeps_a_hash_to_its_text() {
    let app = TestApp::start().await;
    app.organizer("north").await;
    let admin = app.database.admin().await;
    let poison = format!(
        "insert into trusted_documents (org_id, sha256, name, text) select id, '{}', 'x', '{{ a }}' from organizations",
        hash(NAME)
    );
    let error = admin.batch_execute(&poison).await.expect_err("refused");
    let error = error.as_db_error().expect("of the database");
    assert_eq!(error.constraint(), Some("trusted_documents_hash"));
}

#[tokio::test]
async fn a_document_that_outlived_its_schema_says_so() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let (secret, _) = token(&organizer, true).await;
    let old = "{ currentOrganization { motto } }";
    let sql = format!(
        "insert into trusted_documents (org_id, sha256, name, text) select id, '{}', 'old', '{old}' from organizations",
        hash(old)
    );
    app.database
        .admin()
        .await
        .batch_execute(&sql)
        .await
        .expect("an old row");
    let reply = posted(&app, Some(&secret), json!({ "documentId": hash(old) })).await;
    reply.refuses(400, "GRAPHQL_VALIDATION_FAILED");
    let message = reply.json()["errors"][0]["message"].to_string();
    assert!(
        message.contains("schema has changed") && message.contains("motto"),
        "{message}"
    );
}

#[tokio::test]
async fn once_looked_up_a_document_costs_no_further_look_up() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let (secret, _) = token(&organizer, true).await;
    register(&organizer, json!([{ "text": NAME }])).await;
    let ask = async || {
        posted(
            &app,
            Some(&secret),
            json!({ "extensions": extension(&hash(NAME)) }),
        )
        .await
    };
    assert_eq!(ask().await.status, 200);
    // Without the function that looks up, whoever looks up again fails.
    let admin = app.database.admin().await;
    let hide = "alter function public.trusted_document(jsonb) rename to hidden";
    admin.batch_execute(hide).await.expect("hidden");
    assert_eq!(ask().await.status, 200);
    let unknown = json!({ "extensions": extension(&hash("{ unknown }")) });
    posted(&app, Some(&secret), unknown)
        .await
        .refuses(503, "INTERNAL");
}
