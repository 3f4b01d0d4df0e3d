//! The main job: from an account to a sold-out event, through HTTP alone.

use serde_json::{Value, json};

use crate::harness::{EventSetup, TestApp, key};

const PAGE: &str = "query($o: String!, $s: String!) { eventBySlug(organizationSlug: $o, slug: $s) {
    id title status organization { name slug }
    sessions { nodes { title speakers { nodes { name } } } }
    ticketTypes { nodes { id name available saleStatus price { minorUnits currencyCode amount } } }
} }";

#[tokio::test]
async fn an_organizer_sells_out_a_free_event() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let visitor = app.visitor();

    let page = visitor
        .ask(PAGE, json!({ "o": "north", "s": "rust-day" }))
        .await["eventBySlug"]
        .clone();
    assert_eq!(page["id"], event["id"]);
    assert_eq!(page["organization"]["slug"], "north");
    assert_eq!(page["sessions"]["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(
        page["sessions"]["nodes"][0]["speakers"]["nodes"][0]["name"],
        "Grace"
    );
    let types = page["ticketTypes"]["nodes"].as_array().unwrap();
    assert_eq!(types.len(), 2);
    for ticket_type in types {
        assert_eq!(ticket_type["available"], 5);
        assert_eq!(ticket_type["saleStatus"], "ON_SALE");
        assert_eq!(
            ticket_type["price"],
            json!({ "minorUnits": "0", "currencyCode": "EUR", "amount": "0.00" })
        );
    }

    let mut codes = vec![];
    let mut placed = vec![];
    for ticket_type in [&event["types"][0], &event["types"][1]] {
        let payload = visitor.place(&event, ticket_type, 2).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        let registration = &payload["registration"];
        assert_eq!(registration["status"], "HELD");
        assert!(
            registration["confirmationNumber"]
                .as_str()
                .unwrap()
                .starts_with("REG-")
        );
        let guest = visitor.with_guest(payload["guestSecret"].as_str().unwrap());
        let confirmed = guest.confirm(&registration["id"]).await;
        assert_eq!(confirmed["userErrors"], json!([]), "{confirmed:#}");
        assert_eq!(confirmed["registration"]["status"], "CONFIRMED");
        let tickets = confirmed["registration"]["tickets"]["nodes"]
            .as_array()
            .unwrap();
        assert_eq!(tickets.len(), 2);
        for ticket in tickets {
            assert_eq!(ticket["status"], "VALID");
            codes.push(ticket["code"].as_str().unwrap().to_owned());
        }
        placed.push((registration["id"].clone(), guest));
    }
    assert!(codes.iter().all(|code| code.starts_with("v1")));

    let fifth = visitor.place(&event, &event["types"][0], 1).await;
    assert_eq!(fifth["userErrors"], json!([]));
    let sixth = visitor.place(&event, &event["types"][1], 1).await;
    assert_eq!(sixth["userErrors"][0]["code"], "SOLD_OUT");
    assert_eq!(sixth["registration"], Value::Null);

    organizer_pages(&organizer, &event).await;
    let cancelled = organizer
        .caller
        .does(
            "cancelRegistration",
            "registration { status tickets { nodes { status } } }",
            json!({ "registrationId": placed[0].0, "idempotencyKey": key() }),
        )
        .await;
    assert_eq!(cancelled["registration"]["status"], "CANCELLED");
    assert_eq!(
        cancelled["registration"]["tickets"]["nodes"][0]["status"],
        "CANCELLED"
    );
    let page = visitor
        .ask(PAGE, json!({ "o": "north", "s": "rust-day" }))
        .await;
    assert_eq!(
        page["eventBySlug"]["ticketTypes"]["nodes"][0]["available"],
        2
    );
    assert_eq!(app.database.stock_faults().await, 0);
}

/// All registrations with tickets and attendees in one request a page, two a page.
async fn organizer_pages(organizer: &crate::harness::Organizer, event: &Value) {
    const LIST: &str = "query($e: ID!, $after: String) { event(id: $e) {
        registrations(first: 2, after: $after, orderBy: [PLACED_AT_ASC]) {
            totalCount pageInfo { hasNextPage endCursor }
            nodes { confirmationNumber status tickets { nodes { code attendee { email } } } }
        }
    } }";
    let mut after = Value::Null;
    let mut seen = vec![];
    loop {
        let data = organizer
            .caller
            .ask(LIST, json!({ "e": event["id"], "after": after }))
            .await;
        let page = &data["event"]["registrations"];
        assert_eq!(page["totalCount"], 3);
        seen.extend(page["nodes"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0]["tickets"]["nodes"].as_array().unwrap().len(), 2);
    let mut emails: Vec<&str> = seen[0]["tickets"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ticket| ticket["attendee"]["email"].as_str().unwrap())
        .collect();
    emails.sort_unstable();
    assert_eq!(emails, ["guest0@example.org", "guest1@example.org"]);
    assert_eq!(seen[2]["status"], "HELD");
}

#[tokio::test]
async fn a_second_organization_sees_none_of_it() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let event = north.event(&EventSetup::default()).await;
    app.visitor().place(&event, &event["types"][0], 1).await;
    let south = app.organizer("south").await;
    let data = south
        .caller
        .ask(
            "query($e: ID!) { event(id: $e) { id } node(id: $e) { id } events { totalCount } registrations { totalCount nodes { id } } attendees { totalCount } }",
            json!({ "e": event["id"] }),
        )
        .await;
    assert_eq!(
        data,
        json!({
            "event": null, "node": null, "events": { "totalCount": 0 },
            "registrations": { "totalCount": 0, "nodes": [] }, "attendees": { "totalCount": 0 },
        })
    );
}

#[tokio::test]
async fn a_repeated_call_answers_as_the_first_did() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let visitor = app.visitor();
    let key = key();
    let first = visitor.place_as(&event, &event["types"][0], 2, &key).await;
    let again = visitor.place_as(&event, &event["types"][0], 2, &key).await;
    assert_eq!(first, again);
    assert!(first["guestSecret"].is_string());
    let code = visitor
        .fails(
            "mutation($i: PlaceRegistrationInput!) { placeRegistration(input: $i) { userErrors { code } } }",
            json!({ "i": {
                "eventId": event["id"], "buyer": { "name": "Vera Visitor", "email": "vera@example.org" },
                "lines": [{ "ticketTypeId": event["types"][0], "quantity": 1 }], "idempotencyKey": key,
            } }),
        )
        .await;
    assert_eq!(code, "CONFLICT");
    assert_eq!(
        app.database
            .count("select count(*) from registrations")
            .await,
        1
    );
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test]
async fn r02_an_expired_hold_frees_its_places_at_its_instant() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let setup = EventSetup {
        places: 2,
        hold_seconds: 60,
        ..EventSetup::default()
    };
    let event = organizer.event(&setup).await;
    let visitor = app.visitor();
    let held = visitor.place(&event, &event["types"][0], 2).await;
    let refused = visitor.place(&event, &event["types"][0], 1).await;
    assert_eq!(refused["userErrors"][0]["code"], "SOLD_OUT");
    app.database.advance(61).await;
    let page = visitor
        .ask(PAGE, json!({ "o": "north", "s": "rust-day" }))
        .await;
    assert_eq!(
        page["eventBySlug"]["ticketTypes"]["nodes"][0]["available"],
        2
    );
    let taken = visitor.place(&event, &event["types"][1], 2).await;
    assert_eq!(taken["userErrors"], json!([]), "{taken:#}");
    let guest = visitor.with_guest(held["guestSecret"].as_str().unwrap());
    let late = guest.confirm(&held["registration"]["id"]).await;
    assert_eq!(late["userErrors"][0]["code"], "HOLD_EXPIRED");
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test]
async fn a_ticket_for_oneself_belongs_to_ones_account() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let (buyer, _) = app.person("bea@example.org").await;
    let placed = buyer
        .does(
            "placeRegistration",
            "guestSecret registration { id }",
            json!({
                "eventId": event["id"],
                "buyer": { "name": "Bea", "email": "bea@example.org" },
                "lines": [{ "ticketTypeId": event["types"][0], "quantity": 2, "attendees": [
                    { "name": "Bea", "email": "bea@example.org" }, { "name": "Abel", "email": "abel@example.org" },
                ] }],
                "idempotencyKey": key(),
            }),
        )
        .await;
    assert_eq!(placed["guestSecret"], Value::Null);
    buyer.confirm(&placed["registration"]["id"]).await;
    let mine = buyer
        .ask(
            "{ myRegistrations { nodes { items { nodes { attendee { name user { email } } } } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        mine["myRegistrations"]["nodes"][0]["items"]["nodes"],
        json!([
            { "attendee": { "name": "Bea", "user": { "email": "bea@example.org" } } },
            { "attendee": { "name": "Abel", "user": null } },
        ])
    );
}
