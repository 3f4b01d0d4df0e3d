//! Routes that are no operations: pages and files, paid from the bucket of the client's address.

use super::{held_back_page, until};
use crate::harness::{EventSetup, TestApp};

/// Room for a hundred small things, which time hardly fills.
const SMALL: [(&str, &str); 3] = [
    ("VISITOR_POINTS", "1000"),
    ("VISITOR_POINTS_PER_SECOND", "1"),
    ("TRUSTED_PROXIES", "127.0.0.1"),
];

#[tokio::test]
async fn files_take_points_from_the_bucket_that_documents_take_from() {
    let app = TestApp::start_with(&SMALL).await;
    let organizer = app.organizer("acme").await;
    organizer.event(&EventSetup::default()).await;
    let paths = [
        "/calendar/acme/day.ics",
        "/schema.graphql",
        "/playground",
        "/.well-known/jwks.json",
    ];
    let client = reqwest::Client::new();
    for (number, path) in paths.iter().enumerate() {
        // Each from an address of its own.
        let address = format!("192.0.2.{number}");
        let get = async || {
            let request = client.get(format!("{}{path}", app.url));
            let request = request.header("x-forwarded-for", &address);
            request.send().await.expect("an answer")
        };
        let mut served = 0;
        until("it is held back", async || {
            let reply = get().await;
            match reply.status().as_u16() {
                200 | 404 => served += 1,
                _ => {
                    held_back_page(&reply);
                    return true;
                }
            }
            assert!(served <= 110, "{path} is served without end");
            false
        })
        .await;
        assert!(served >= 100, "{path}: {served}");
        // It is one bucket: no document is executed either.
        super::held_back(&app.at_address(&address, super::WIDE).await);
        let other = app.at_address("198.51.100.1", "{ __typename }").await;
        assert_eq!(other.status, 200);
    }
}

#[tokio::test]
async fn the_schema_is_downloaded_again_only_when_it_has_changed() {
    let app = TestApp::start().await;
    let client = reqwest::Client::new();
    let url = format!("{}/schema.graphql", app.url);
    let first = client.get(&url).send().await.expect("an answer");
    let tag = first.headers()["etag"].clone();
    assert_eq!(first.headers()["cache-control"], "public, max-age=300");
    assert_eq!(first.text().await.expect("text"), app.app.engine.sdl());
    let again = client.get(&url).header("if-none-match", &tag);
    let again = again.send().await.expect("an answer");
    assert_eq!(
        (again.status().as_u16(), &again.headers()["etag"]),
        (304, &tag)
    );
    assert_eq!(again.text().await.expect("text"), "");
    let other = client.get(&url).header("if-none-match", "\"another\"");
    assert_eq!(other.send().await.expect("an answer").status(), 200);
}
