//! Points of cost: taken before anything is done, given back as far as they were not needed.

use eventsphere::vault::{Secret, TokenKind};
use serde_json::json;

use super::{WIDE, available, cost, held_back};
use crate::{
    harness::{EventSetup, TestApp},
    protocol::reply::Reply,
};

/// Small buckets that time hardly fills.
const SMALL: [(&str, &str); 8] = [
    ("VISITOR_POINTS", "1000"),
    ("VISITOR_POINTS_PER_SECOND", "1"),
    ("USER_POINTS", "50000"),
    ("USER_POINTS_PER_SECOND", "1"),
    ("TENANT_POINTS", "50000"),
    ("TENANT_POINTS_PER_SECOND", "1"),
    ("TRUSTED_PROXIES", "127.0.0.0/8"),
    ("VISITOR_CONCURRENCY", "64"),
];

#[tokio::test]
async fn an_answer_says_what_it_cost_and_what_is_left() {
    let app = TestApp::start_with(&SMALL).await;
    let organizer = app.organizer("acme").await;
    organizer.event(&EventSetup::default()).await;

    let query = "{ events(first: 10) { nodes { title organization { name } } } }";
    let reply = app.at_address("192.0.2.1", query).await;
    // At most ten events with an organization each, in a list; it came to one of each.
    let told = cost(&reply);
    assert_eq!(told["requested"], 2 + 10 * 2, "{reply:?}");
    assert_eq!(told["actual"], 3, "{reply:?}");
    assert_eq!(
        told["throttle"],
        json!({ "max": 1000, "available": 997, "restoreRate": 1 })
    );
    // What was not needed is there again, what was used is not.
    let again = app.at_address("192.0.2.1", query).await;
    assert_eq!(available(&again), 994);
    // Another address has a bucket of its own.
    let other = app.at_address("192.0.2.2", query).await;
    assert_eq!(available(&other), 997);
}

/// Work that gives little is work: what PostgreSQL counted, searched and compared is not given back.
#[tokio::test]
async fn searches_and_counts_that_find_nothing_are_paid() {
    let app = TestApp::start_with(&SMALL).await;
    let organizer = app.organizer("acme").await;
    organizer.event(&EventSetup::default()).await;
    let each = |ask: &str| {
        let asked: Vec<String> = (0..18).map(|n| format!("a{n}: {ask}")).collect();
        format!("{{ {} }}", asked.join(" "))
    };
    let search = each("searchEvents(text: \"nowhere\") { totalCount }");
    let told = cost(&app.at_address("192.0.2.1", &search).await);
    // A search is 20 points, a count 5; a connection without rows is one object instead of two points.
    assert_eq!(told["requested"], 18 * (20 + 5 + 2), "{told}");
    assert_eq!(told["actual"], 18 * (20 + 5 + 1), "{told}");
    let filter = "{ events(filter: { ticketTypes: { none: {} } }) { nodes { id } } }";
    let told = cost(&app.at_address("192.0.2.2", filter).await);
    assert_eq!(
        (&told["requested"], &told["actual"]),
        (&json!(24), &json!(3))
    );
    // Counted for each parent.
    let nested = "{ currentOrganization { events { nodes { sessions { totalCount } } } } }";
    let told = cost(&app.by_token(&organizer.token, nested).await);
    // The organization, the connection, one event, its connection, its count.
    assert_eq!(told["actual"], 1 + 1 + 1 + 1 + 5, "{told}");
    let groups = "{ currentOrganization { events { aggregates { groups { count } } } } }";
    let told = cost(&app.by_token(&organizer.token, groups).await);
    assert_eq!(told["actual"], 1 + 1 + 1 + 1 + 10, "{told}");
}

#[tokio::test]
async fn braces_in_texts_make_nothing_dearer_than_requested() {
    let app = TestApp::start_with(&SMALL).await;
    let organizer = app.organizer("acme").await;
    let braces = "{".repeat(100);
    let input = json!({ "name": braces });
    organizer
        .caller
        .does("createSpeaker", "speaker { id }", input)
        .await;
    let query = "{ currentOrganization { speakers(first: 1) { nodes { name } } } }";
    let told = cost(&app.by_token(&organizer.token, query).await);
    assert_eq!(told["actual"], told["requested"], "{told}");
}

#[tokio::test]
async fn an_empty_bucket_lets_nothing_be_done_until_time_has_filled_it() {
    let app = TestApp::start_with(&SMALL).await;
    let verb = format!(
        "mutation {{ signUp(input: {{ email: \"ada@example.org\", password: \"correct horse battery\", name: \"Ada\" }}) {{ query {WIDE} }} }}"
    );
    let requested = cost(&app.at_address("192.0.2.9", WIDE).await)["requested"].clone();
    assert!(requested.as_u64() > Some(600), "{requested}");

    // A request that is never settled keeps all its points.
    let client = "192.0.2.1".parse().ok();
    let anonymous = eventsphere::tenancy::Actor::anonymous();
    let pending = app.app.throttle.admit(&anonymous, client, 700).await;
    let _pending = pending.map_err(|_| "refused").expect("a full bucket");
    let seconds = held_back(&app.at_address("192.0.2.1", WIDE).await);
    held_back(&app.at_address("192.0.2.1", &verb).await);
    assert_eq!(app.database.count("select count(*) from users").await, 0);
    // A small question still fits, and others have points of their own.
    let small = app
        .at_address("192.0.2.1", "{ events { totalCount } }")
        .await;
    assert_eq!(small.status, 200, "{small:?}");
    let other = app.at_address("192.0.2.2", &verb).await;
    assert_eq!(other.status, 200, "{other:?}");
    assert_eq!(app.database.count("select count(*) from users").await, 1);

    // As long as it said (and the six seconds that the small question took), but hardly earlier.
    let wait = |seconds| app.app.clock.advance(chrono::TimeDelta::seconds(seconds));
    wait(seconds - 5);
    held_back(&app.at_address("192.0.2.1", WIDE).await);
    wait(12);
    let reply = app.at_address("192.0.2.1", WIDE).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn an_organization_has_a_bucket_that_its_members_share() {
    let app = TestApp::start_with(&SMALL).await;
    let north = app.organizer("north").await;
    let south = app.organizer("south").await;
    let query = "{ events(first: 100) { nodes { registrations(first: 100) { nodes { id } } } } }";
    let requested = cost(&app.by_token(&north.token, query).await)["requested"].clone();
    let requested = requested.as_u64().expect("points");
    assert!(requested > 1_000, "{requested}");

    let scopes = json!({ "name": "export", "scopes": ["events:read", "registrations:read"] });
    let made = north.caller.does("createApiToken", "token", scopes).await;
    let export = made["token"].as_str().expect("a token");
    let reply = app.by_token(export, query).await;
    assert_eq!(reply.status, 200, "{reply:?}");

    // Another member is in the middle of something large.
    let org_id = app.database.admin().await;
    let org_id = org_id
        .query_one("select id from organizations where slug = 'north'", &[])
        .await
        .expect("an organization")
        .get(0);
    let kind = eventsphere::tenancy::ActorKind::Member {
        user_id: uuid::Uuid::new_v4(),
        session_id: uuid::Uuid::new_v4(),
        org_id,
        permissions: vec![],
    };
    let member = eventsphere::tenancy::Actor {
        kind,
        ..eventsphere::tenancy::Actor::anonymous()
    };
    let points = 49_000 - requested / 2;
    let pending = app.app.throttle.admit(&member, None, points).await;
    let pending = pending.map_err(|_| "refused").expect("a full bucket");
    held_back(&app.by_token(&north.token, query).await);
    held_back(&app.by_token(export, query).await);
    // The other organization knows nothing of it, nor does the same person as a visitor.
    let reply = app.by_token(&south.token, query).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    pending.settle(1);
    let reply = app.by_token(export, query).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn what_is_refused_for_its_cost_takes_the_points_of_a_refusal() {
    let app = TestApp::start_with(&SMALL).await;
    let deep = "{ events(first: 100) { nodes { sessions(first: 100) { nodes { speakers(first: 100) { nodes { name } } } } } } }";
    app.at_address("192.0.2.1", deep)
        .await
        .refuses(400, "COST_EXCEEDED");
    let reply = app
        .at_address("192.0.2.1", "{ events { totalCount } }")
        .await;
    assert!((970..=985).contains(&available(&reply)), "{reply:?}");
}

#[tokio::test]
async fn introspection_is_paid_for_before_it_runs() {
    let app = TestApp::start_with(&SMALL).await;
    let query = "{ __schema { queryType { name } } }";
    let told = cost(&app.at_address("192.0.2.1", query).await);
    assert_eq!(told["requested"], 100);
    let client = "192.0.2.1".parse().ok();
    let anonymous = eventsphere::tenancy::Actor::anonymous();
    let pending = app.app.throttle.admit(&anonymous, client, 950).await;
    let _pending = pending.map_err(|_| "refused").expect("points");
    held_back(&app.at_address("192.0.2.1", query).await);
}

#[tokio::test]
async fn who_sends_nothing_but_nonsense_is_not_read_for_ever() {
    let app = TestApp::start_with(&SMALL).await;
    let mut refused = 0;
    let last = loop {
        let reply = app.at_address("192.0.2.1", "{ nothing }").await;
        if reply.status == 429 {
            break reply;
        }
        reply.refuses(400, "GRAPHQL_VALIDATION_FAILED");
        refused += 1;
        assert!(refused < 100, "a thousand points are fifty documents");
    };
    assert!((49..=60).contains(&refused), "{refused}");
    held_back(&last);
    // Neither is a good question, until there are points again; others are.
    held_back(&app.at_address("192.0.2.1", "{ __typename }").await);
    assert_eq!(
        app.at_address("192.0.2.2", "{ __typename }").await.status,
        200
    );
    app.app.clock.advance(chrono::TimeDelta::seconds(60));
    let reply = app.at_address("192.0.2.1", "{ __typename }").await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn who_sends_nothing_but_made_up_tokens_is_not_looked_up_for_ever() {
    let app = TestApp::start_with(&SMALL).await;
    let by = async |address: &str, token: &str| {
        let body = json!({ "query": "{ __typename }" }).to_string();
        let request = app.bytes(body).header("x-forwarded-for", address);
        Reply::of(request.bearer_auth(token)).await
    };
    let mut wrong = 0;
    let last = loop {
        let made_up = Secret::new(TokenKind::Api, "dev").expect("random bytes");
        let reply = by("192.0.2.1", &made_up.text).await;
        if reply.status == 429 {
            break reply;
        }
        reply.refuses(401, "UNAUTHENTICATED");
        wrong += 1;
        assert!(wrong < 100, "a thousand points are fifty tokens");
    };
    assert!((49..=60).contains(&wrong), "{wrong}");
    held_back(&last);
    by("192.0.2.2", "nonsense")
        .await
        .refuses(401, "UNAUTHENTICATED");
    app.app.clock.advance(chrono::TimeDelta::seconds(60));
    by("192.0.2.1", "nonsense")
        .await
        .refuses(401, "UNAUTHENTICATED");
}
