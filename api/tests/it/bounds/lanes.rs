//! How many operations of one tenant run at once: real requests that a lock in the database keeps from ending.

use super::{held_back, until};
use crate::harness::TestApp;

const NARROW: [(&str, &str); 7] = [
    ("TENANT_CONCURRENCY", "2"),
    ("CALLER_CONCURRENCY", "2"),
    ("VISITOR_CONCURRENCY", "2"),
    ("CONCURRENCY_LINE", "1"),
    ("CONCURRENCY_WAIT_MS", "1000"),
    ("TRUSTED_PROXIES", "127.0.0.1"),
    // Nobody is let go by a time-out of the database.
    ("VISITOR_STATEMENT_TIMEOUT_MS", "10000"),
];

const SPEAKERS: &str = "{ currentOrganization { speakers { totalCount } } }";
const VENUES: &str = "{ currentOrganization { venues { totalCount } } }";
const EVENTS: &str = "{ events { totalCount } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_organizations_crowd_keeps_no_other_waiting() {
    let app = TestApp::start_with(&NARROW).await;
    let north = app.organizer("north").await;
    let south = app.organizer("south").await;
    // Everything that does not depend on the lock is prepared and known.
    assert_eq!(app.by_token(&north.token, VENUES).await.status, 200);
    assert_eq!(app.by_token(&south.token, VENUES).await.status, 200);

    let admin = app.database.admin().await;
    admin
        .batch_execute("begin; lock table speakers in access exclusive mode")
        .await
        .expect("a lock");
    let ask = async |query: &str| app.by_token(&north.token, query).await;
    let (first, second, ()) = tokio::join!(ask(SPEAKERS), ask(SPEAKERS), async {
        until("two are inside", async || app.app.throttle.inside() == 2).await;
        // The third waits in line and gives up; meanwhile the fourth finds the line full.
        let (third, fourth) = tokio::join!(ask(VENUES), async {
            until("one waits", async || app.app.throttle.inside() == 3).await;
            ask(VENUES).await
        });
        assert_eq!(held_back(&third), 1);
        assert_eq!(held_back(&fourth), 1);
        // Who is somebody else waits for nothing.
        let other = app.by_token(&south.token, VENUES).await;
        assert_eq!(other.status, 200, "{other:?}");
        let visitor = app.at_address("192.0.2.1", EVENTS).await;
        assert_eq!(visitor.status, 200, "{visitor:?}");
        admin.batch_execute("rollback").await.expect("let go");
    });
    for reply in [first, second] {
        assert_eq!(reply.status, 200, "{reply:?}");
        let data = &reply.json()["data"];
        assert_eq!(data["currentOrganization"]["speakers"]["totalCount"], 0);
    }
    assert_eq!(app.app.throttle.inside(), 0);
    assert_eq!(ask(VENUES).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_who_waits_is_served_when_a_place_comes_free() {
    let patient = [("CONCURRENCY_WAIT_MS", "30000")];
    let settings: Vec<_> = NARROW.into_iter().chain(patient).collect();
    let app = TestApp::start_with(&settings).await;
    assert_eq!(app.at_address("192.0.2.1", EVENTS).await.status, 200);
    let admin = app.database.admin().await;
    admin
        .batch_execute("begin; lock table events in access exclusive mode")
        .await
        .expect("a lock");
    let ask = async |address: &str| app.at_address(address, EVENTS).await;
    let (first, second, third, ()) = tokio::join!(
        ask("192.0.2.1"),
        ask("192.0.2.1"),
        async {
            until("two are inside", async || app.app.throttle.inside() == 2).await;
            ask("192.0.2.1").await
        },
        async {
            until("the third waits", async || app.app.throttle.inside() == 3).await;
            let other = app.at_address("192.0.2.2", "{ __typename }").await;
            assert_eq!(other.status, 200, "{other:?}");
            admin.batch_execute("rollback").await.expect("let go");
        }
    );
    for reply in [first, second, third] {
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["data"]["events"]["totalCount"], 0);
    }
}

/// A token of the organization that may read it.
async fn token(owner: &crate::harness::Organizer, name: &str) -> String {
    let input = serde_json::json!({ "name": name, "scopes": ["organization:read", "events:read"] });
    let made = owner.caller.does("createApiToken", "token", input).await;
    made["token"].as_str().expect("a secret").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tokens_crowd_leaves_room_for_the_others_of_its_organization() {
    let settings: Vec<_> = NARROW
        .into_iter()
        .chain([("TENANT_CONCURRENCY", "3")])
        .collect();
    let app = TestApp::start_with(&settings).await;
    let north = app.organizer("north").await;
    let busy = token(&north, "busy").await;
    assert_eq!(app.by_token(&busy, VENUES).await.status, 200);
    let admin = app.database.admin().await;
    admin
        .batch_execute("begin; lock table speakers in access exclusive mode")
        .await
        .expect("a lock");
    let ask = async |query: &str| app.by_token(&busy, query).await;
    let (first, second, ()) = tokio::join!(ask(SPEAKERS), ask(SPEAKERS), async {
        until("two are inside", async || app.app.throttle.inside() == 2).await;
        let third = tokio::join!(ask(VENUES), async {
            until("one waits", async || app.app.throttle.inside() == 3).await;
            // The token's own line is full too, and nobody else minds.
            held_back(&ask(VENUES).await);
            let owner = app.by_token(&north.token, VENUES).await;
            assert_eq!(owner.status, 200, "{owner:?}");
        });
        held_back(&third.0);
        admin.batch_execute("rollback").await.expect("let go");
    });
    for reply in [first, second] {
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    assert_eq!(app.app.throttle.inside(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_for_documents_that_are_not_there_waits_for_its_turn_too() {
    let app = TestApp::start_with(&NARROW).await;
    let north = app.organizer("north").await;
    let admin = app.database.admin().await;
    let unknown = async |name: &str| {
        let body = serde_json::json!({ "documentId": name }).to_string();
        crate::protocol::reply::Reply::of(app.bytes(body).bearer_auth(&north.token)).await
    };
    unknown("known-to-nobody")
        .await
        .refuses(400, "PERSISTED_QUERY_NOT_FOUND");
    admin
        .batch_execute("begin; lock table trusted_documents in access exclusive mode")
        .await
        .expect("a lock");
    let (first, second, ()) = tokio::join!(unknown("a"), unknown("b"), async {
        until("two are inside", async || app.app.throttle.inside() == 2).await;
        held_back(&unknown("c").await);
        // What was looked for just now is remembered, and takes no turn.
        unknown("known-to-nobody")
            .await
            .refuses(400, "PERSISTED_QUERY_NOT_FOUND");
        admin.batch_execute("rollback").await.expect("let go");
    });
    for reply in [first, second] {
        reply.refuses(400, "PERSISTED_QUERY_NOT_FOUND");
    }
    assert_eq!(app.app.throttle.inside(), 0);
}
