//! Places set aside and waited for, through HTTP: holds of staff with their keys, the waitlist with its offers.

use std::time::Duration;

use eventsphere::jobs;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::harness::{Caller, EventSetup, Organizer, TestApp, key};

const AVAILABLE: &str = "query($s: String!) { eventBySlug(organizationSlug: \"north\", slug: $s) {
    ticketTypes { nodes { available saleStatus } } } }";

async fn available(app: &TestApp, event: &Value) -> Value {
    let page = app
        .visitor()
        .ask(AVAILABLE, json!({ "s": event["slug"] }))
        .await;
    page["eventBySlug"]["ticketTypes"]["nodes"][0]["available"].clone()
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("")
}

async fn place_with(caller: &Caller, event: &Value, quantity: i64, more: Value) -> Value {
    let mut input = json!({
        "eventId": event["id"], "buyer": { "name": "Bo", "email": "bo@example.org" },
        "lines": [{ "ticketTypeId": event["types"][0], "quantity": quantity }], "idempotencyKey": key(),
    });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    caller
        .tries(
            "placeRegistration",
            "guestSecret registration { id status }",
            input,
        )
        .await
}

#[tokio::test]
async fn staff_set_places_aside_and_sell_them_to_whom_they_choose() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    let visitor = app.visitor();
    let wanted = json!({
        "eventId": event["id"], "ticketTypeId": event["types"][0], "quantity": 4, "name": "Sponsors",
        "note": "Two each", "idempotencyKey": key(),
    });
    const HOLD: &str = "holdKey hold { id name note quantity sold status expiresAt ticketType { name } capacityPool { name } event { slug } }";
    let made = north.caller.does("createHold", HOLD, wanted.clone()).await;
    let again = north.caller.does("createHold", HOLD, wanted).await;
    assert_eq!(made, again, "one key, one hold, and the same secret");
    let (hold, secret) = (&made["hold"]["id"], &made["holdKey"]);
    assert_eq!(made["hold"]["ticketType"]["name"], "Standard");
    assert_eq!(made["hold"]["capacityPool"], Value::Null);
    assert_eq!(available(&app, &event).await, 1);

    let refused = place_with(&visitor, &event, 2, json!({})).await;
    assert_eq!(code(&refused), "SOLD_OUT");
    let placed = place_with(&visitor, &event, 2, json!({ "holdKey": secret })).await;
    assert_eq!(placed["registration"]["status"], "HELD", "{placed:#}");
    let refused = place_with(&visitor, &event, 1, json!({ "holdId": hold })).await;
    assert_eq!(
        code(&refused),
        "HOLD_NOT_FOUND",
        "only staff go without the key"
    );
    let refused = place_with(&visitor, &event, 1, json!({ "holdKey": "hk_guessed" })).await;
    assert_eq!(code(&refused), "HOLD_NOT_FOUND");
    let placed = place_with(&north.caller, &event, 1, json!({ "holdId": hold })).await;
    assert_eq!(placed["userErrors"], json!([]), "{placed:#}");
    let refused = place_with(&visitor, &event, 2, json!({ "holdKey": secret })).await;
    assert_eq!(code(&refused), "HOLD_USED_UP");

    let changed = north
        .caller
        .does(
            "changeHold",
            HOLD,
            json!({ "holdId": hold, "quantity": 5, "newKey": true, "idempotencyKey": key() }),
        )
        .await;
    assert_eq!(
        (&changed["hold"]["quantity"], &changed["hold"]["sold"]),
        (&json!(5), &json!(3))
    );
    let refused = place_with(&visitor, &event, 1, json!({ "holdKey": secret })).await;
    assert_eq!(
        code(&refused),
        "HOLD_NOT_FOUND",
        "the key before opens nothing"
    );
    let change = json!({ "holdId": hold, "quantity": 2, "idempotencyKey": key() });
    assert_eq!(
        code(
            &north
                .caller
                .tries("changeHold", "hold { id }", change)
                .await
        ),
        "BELOW_SOLD"
    );
    capacity_stays(&north, &event).await;

    let listed = north
        .caller
        .ask(
            "query($e: ID!) { holds(filter: { eventId: { eq: $e }, status: { eq: ACTIVE } }) { totalCount nodes { name } } \
             event(id: $e) { holds { nodes { quantity } } } }",
            json!({ "e": event["id"] }),
        )
        .await;
    assert_eq!(listed["holds"]["nodes"], json!([{ "name": "Sponsors" }]));
    assert_eq!(
        listed["event"]["holds"]["nodes"],
        json!([{ "quantity": 5 }])
    );
    let released = north
        .caller
        .does(
            "releaseHold",
            "hold { status }",
            json!({ "holdId": hold, "idempotencyKey": key() }),
        )
        .await;
    assert_eq!(released["hold"]["status"], "RELEASED");
    assert_eq!(available(&app, &event).await, 2);
    let refused = place_with(
        &visitor,
        &event,
        1,
        json!({ "holdKey": changed["holdKey"] }),
    )
    .await;
    assert_eq!(code(&refused), "HOLD_ENDED");
    assert_eq!(app.database.stock_faults().await, 0);
}

/// Four are set aside or sold, so there cannot be three places; and a hold is no matter of visitors.
async fn capacity_stays(organizer: &Organizer, event: &Value) {
    let lower = json!({ "id": event["pool"], "capacity": 3 });
    let refused = organizer
        .caller
        .tries("updateCapacityPool", "capacityPool { capacity }", lower)
        .await;
    assert_eq!(
        refused["userErrors"][0]["field"],
        json!(["capacity"]),
        "{refused:#}"
    );
}

#[tokio::test]
async fn a_hold_is_of_a_type_or_of_a_stock_and_made_by_staff() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    let hold = |more: Value| {
        let mut input = json!({ "eventId": event["id"], "quantity": 1, "name": "Crew", "idempotencyKey": key() });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        input
    };
    let (ticket_type, pool) = (&event["types"][0], &event["pool"]);
    for (more, expected) in [
        (json!({}), "INVALID"),
        (
            json!({ "ticketTypeId": ticket_type, "capacityPoolId": pool }),
            "INVALID",
        ),
        (
            json!({ "ticketTypeId": ticket_type, "quantity": 0 }),
            "INVALID",
        ),
        (
            json!({ "ticketTypeId": ticket_type, "name": " " }),
            "INVALID",
        ),
        (
            json!({ "ticketTypeId": ticket_type, "expiresAt": "2020-01-01T00:00:00Z" }),
            "INVALID",
        ),
        (json!({ "capacityPoolId": pool, "quantity": 6 }), "SOLD_OUT"),
    ] {
        let refused = north
            .caller
            .tries("createHold", "hold { id }", hold(more.clone()))
            .await;
        assert_eq!(code(&refused), expected, "{more}: {refused:#}");
    }
    let input = hold(json!({ "ticketTypeId": ticket_type }));
    let south = app.organizer("south").await;
    let refused = south
        .caller
        .tries("createHold", "hold { id }", input.clone())
        .await;
    assert_eq!(code(&refused), "EVENT_NOT_FOUND");
    let query = "mutation($input: CreateHoldInput!) { createHold(input: $input) { hold { id } } }";
    let refused = app.visitor().fails(query, json!({ "input": input })).await;
    assert!(
        ["UNAUTHENTICATED", "FORBIDDEN"].contains(&refused.as_str()),
        "{refused}"
    );
    let of_pool = hold(json!({ "capacityPoolId": pool, "expiresAt": "2027-01-01T00:00:00Z" }));
    let made = north
        .caller
        .does(
            "createHold",
            "hold { capacityPool { id } ticketType { id } expiresAt }",
            of_pool,
        )
        .await;
    assert_eq!(made["hold"]["capacityPool"]["id"], *pool);
    assert_eq!(made["hold"]["ticketType"], Value::Null);
    assert_eq!(available(&app, &event).await, 4);
    assert_eq!(app.database.stock_faults().await, 0);
}

async fn join(caller: &Caller, event: &Value, name: &str, quantity: i64) -> Value {
    let input = json!({
        "eventId": event["id"], "person": { "name": name, "email": format!("{name}@example.org") },
        "lines": [{ "ticketTypeId": event["types"][0], "quantity": quantity }], "idempotencyKey": key(),
    });
    caller
        .tries(
            "joinWaitlist",
            "guestSecret waitlistEntry { id status priority lines { nodes { quantity } } }",
            input,
        )
        .await
}

const OWN: &str = "{ waitlistEntries { nodes { id status registration { status }
    offers { nodes { status expiresAt } } } } }";

/// Asks until the only entry of that caller stands so: the sweep runs beside the test.
async fn stands(caller: &Caller, status: &str) -> Value {
    for _ in 0..500 {
        let own = caller.ask(OWN, json!({})).await;
        let nodes = own["waitlistEntries"]["nodes"]
            .as_array()
            .expect("a list")
            .clone();
        assert_eq!(nodes.len(), 1, "{own:#}");
        if nodes[0]["status"] == status {
            return nodes[0].clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never {status}");
}

#[tokio::test]
async fn r11_a_guest_waits_is_offered_a_place_and_takes_it() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north
        .event(&EventSetup {
            places: 2,
            ..EventSetup::default()
        })
        .await;
    let visitor = app.visitor();
    let early = join(&visitor, &event, "ann", 1).await;
    assert_eq!(code(&early), "PLACES_AVAILABLE");
    let sold = place_with(&visitor, &event, 2, json!({})).await;

    let ann = join(&visitor, &event, "ann", 1).await;
    assert_eq!(ann["waitlistEntry"]["status"], "WAITING", "{ann:#}");
    assert_eq!(
        code(&join(&visitor, &event, "ann", 1).await),
        "ALREADY_WAITING"
    );
    let ben = join(&visitor, &event, "ben", 1).await;
    let (ann_waits, ben_waits) = (guest(&visitor, &ann), guest(&visitor, &ben));
    let entry = |payload: &Value| payload["waitlistEntry"]["id"].clone();
    let foreign = json!({ "waitlistEntryId": entry(&ann), "idempotencyKey": key() });
    assert_eq!(
        code(
            &ben_waits
                .tries("leaveWaitlist", "waitlistEntry { id }", foreign)
                .await
        ),
        "WAITLIST_ENTRY_NOT_FOUND"
    );
    let first = json!({ "waitlistEntryIds": [entry(&ben)], "priority": 7 });
    let first = north
        .caller
        .does(
            "prioritizeWaitlistEntries",
            "waitlistEntries { priority }",
            first,
        )
        .await;
    assert_eq!(first["waitlistEntries"], json!([{ "priority": 7 }]));

    // The cancellation is an event that the job follows; the worker is woken by it.
    let stopping = CancellationToken::new();
    let sweeping = tokio::spawn(jobs::work(app.app.clone(), stopping.clone()));
    let cancel = json!({ "registrationId": sold["registration"]["id"], "idempotencyKey": key() });
    north.caller.does("cancelRegistration", "", cancel).await;
    let offered = stands(&ben_waits, "OFFERED").await;
    assert_eq!(offered["offers"]["nodes"][0]["status"], "OFFERED");
    stands(&ann_waits, "OFFERED").await;
    assert_eq!(available(&app, &event).await, 0);
    let decline = json!({ "waitlistEntryId": entry(&ann), "idempotencyKey": key() });
    ann_waits
        .does("declineWaitlistOffer", "waitlistEntry { status }", decline)
        .await;
    stands(&ann_waits, "DECLINED").await;
    assert_eq!(available(&app, &event).await, 1);

    takes(&app, &ben_waits, &entry(&ben)).await;
    stopping.cancel();
    sweeping.await.expect("the sweep ends");
    assert_eq!(app.database.stock_faults().await, 0);
}

fn guest(visitor: &Caller, joined: &Value) -> Caller {
    visitor.with_guest(joined["guestSecret"].as_str().expect("a secret"))
}

/// Accepts by the secret in the letter, twice, and confirms by the one that the registration came with.
async fn takes(app: &TestApp, waiting: &Caller, entry: &Value) {
    let letter: Value = app
        .http()
        .get(format!("{}/dev/mailbox.json?to=ben@example.org", app.url))
        .send()
        .await
        .expect("the mailbox")
        .json()
        .await
        .expect("JSON");
    let body = letter["messages"][0]["body"].as_str().expect("a letter");
    let secret = body
        .split_whitespace()
        .find(|word| word.starts_with("gs_"))
        .expect("a secret");
    let by_letter = app.visitor().with_guest(secret);
    let input = json!({ "waitlistEntryId": entry, "idempotencyKey": key() });
    const TAKEN: &str = "guestSecret registration { id status } waitlistEntry { status }";
    let taken = by_letter
        .does("acceptWaitlistOffer", TAKEN, input.clone())
        .await;
    assert_eq!(taken["registration"]["status"], "HELD", "{taken:#}");
    assert_eq!(taken["waitlistEntry"]["status"], "ACCEPTED");
    let again = by_letter.does("acceptWaitlistOffer", TAKEN, input).await;
    assert_eq!(again, taken);
    let late = json!({ "waitlistEntryId": entry, "idempotencyKey": key() });
    let late = waiting
        .does(
            "acceptWaitlistOffer",
            "guestSecret waitlistEntry { status }",
            late,
        )
        .await;
    assert_eq!(
        late["guestSecret"],
        Value::Null,
        "a second call opens nothing new"
    );
    let buyer = guest(&app.visitor(), &taken);
    let confirmed = buyer.confirm(&taken["registration"]["id"]).await;
    assert_eq!(
        confirmed["registration"]["status"], "CONFIRMED",
        "{confirmed:#}"
    );
}

#[tokio::test]
async fn a_signed_in_person_waits_with_the_account_and_an_event_may_have_no_waitlist() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north
        .event(&EventSetup {
            places: 1,
            ..EventSetup::default()
        })
        .await;
    place_with(&app.visitor(), &event, 1, json!({})).await;
    let (person, _) = app.person("pat@example.org").await;
    let joined = join(&person, &event, "pat", 1).await;
    assert_eq!(joined["guestSecret"], Value::Null, "{joined:#}");
    assert_eq!(
        stands(&person, "WAITING").await["id"],
        joined["waitlistEntry"]["id"]
    );
    assert_eq!(app.visitor().fails(OWN, json!({})).await, "UNAUTHENTICATED");
    let seen = north.caller.ask(
        "query($e: ID!) { waitlistEntries(filter: { eventId: { eq: $e } }, orderBy: [PRIORITY_DESC, JOINED_AT_ASC]) {
           nodes { email user { id } lines { nodes { quantity ticketType { name } } } } } }",
        json!({ "e": event["id"] }),
    );
    assert_eq!(
        seen.await["waitlistEntries"]["nodes"][0]["email"],
        "pat@example.org"
    );
    let leave =
        json!({ "waitlistEntryId": joined["waitlistEntry"]["id"], "idempotencyKey": key() });
    person
        .does("leaveWaitlist", "waitlistEntry { status }", leave)
        .await;

    let closed = json!({ "eventId": event["id"], "waitlist": false, "waitlistOfferSeconds": 600 });
    let event_now = north
        .caller
        .does(
            "updateEvent",
            "event { waitlist waitlistOfferSeconds }",
            closed,
        )
        .await;
    assert_eq!(
        event_now["event"],
        json!({ "waitlist": false, "waitlistOfferSeconds": 600 })
    );
    assert_eq!(
        code(&join(&person, &event, "pat", 1).await),
        "WAITLIST_CLOSED"
    );
    let short = json!({ "eventId": event["id"], "waitlistOfferSeconds": 5 });
    let refused = north
        .caller
        .tries("updateEvent", "event { id }", short)
        .await;
    assert_eq!(
        refused["userErrors"][0]["field"],
        json!(["waitlistOfferSeconds"])
    );
}
