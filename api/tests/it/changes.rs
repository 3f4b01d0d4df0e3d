//! What happens to a registration after it was placed, through HTTP: extended, approved, changed, handed on; and where
//! its buyer came from.

use serde_json::{Value, json};

use crate::harness::{Caller, EventSetup, Organizer, TestApp, key};

const REGISTRATION: &str = "registration { id status total { minorUnits } balance { minorUnits } \
     items { nodes { id cancelledAt givenAway ticketType { id } attendee { name } } } \
     tickets { nodes { id code status received } } }";

async fn placed(visitor: &Caller, event: &Value, quantity: i64) -> (Value, Caller) {
    let payload = visitor.place(event, &event["types"][0], quantity).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    let guest = visitor.with_guest(payload["guestSecret"].as_str().unwrap());
    (payload["registration"]["id"].clone(), guest)
}

fn nodes(list: &Value) -> &Vec<Value> {
    list["nodes"].as_array().expect("nodes")
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("")
}

async fn set(organizer: &Organizer, event: &Value, mut settings: Value) {
    settings["eventId"] = event["id"].clone();
    organizer.caller.does("updateEvent", "", settings).await;
}

#[tokio::test]
async fn r04_a_guest_extends_a_hold_and_is_told_what_that_changed() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let setup = EventSetup {
        price: 1000,
        ..EventSetup::default()
    };
    let event = organizer.event(&setup).await;
    let (registration, guest) = placed(&app.visitor(), &event, 2).await;
    let selection = "registration { status total { minorUnits } } takenAgain priceChanged";
    let extend = || json!({ "registrationId": registration, "idempotencyKey": key() });
    app.database.advance(600).await;
    let payload = guest.does("extendRegistration", selection, extend()).await;
    assert_eq!(
        (&payload["takenAgain"], &payload["priceChanged"]),
        (&json!(false), &json!(false))
    );
    let dearer = json!({
        "id": event["types"][0], "price": { "minorUnits": "1500", "currencyCode": "EUR" },
    });
    organizer.caller.does("updateTicketType", "", dearer).await;
    app.database.advance(910).await;
    let payload = guest.does("extendRegistration", selection, extend()).await;
    assert_eq!(payload["takenAgain"], true);
    assert_eq!(payload["priceChanged"], true);
    assert_eq!(payload["registration"]["total"]["minorUnits"], "3000");
    app.database.advance(1000).await;
    let payload = guest.tries("extendRegistration", "", extend()).await;
    assert_eq!(code(&payload), "EXTENSION_LIMIT_REACHED", "{payload}");
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test]
async fn r14_members_approve_and_reject_many_at_once() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    set(&organizer, &event, json!({ "requiresApproval": true })).await;
    let visitor = app.visitor();
    let mut waiting = vec![];
    for _ in 0..3 {
        let (registration, guest) = placed(&visitor, &event, 1).await;
        let payload = guest.confirm(&registration).await;
        assert_eq!(payload["registration"]["status"], "PENDING_APPROVAL");
        waiting.push(registration);
    }
    let (held, guest) = placed(&visitor, &event, 1).await;
    let asked = [&waiting[0], &held, &waiting[1]];
    let many = |policy: &str| json!({ "registrationIds": asked, "errorPolicy": policy, "idempotencyKey": key() });
    let selection = "registrations { id status approvedAt tickets { nodes { status } } }";
    let payload = organizer
        .caller
        .tries("approveRegistrations", selection, many("REJECT_ALL"))
        .await;
    assert_eq!(payload["registrations"], json!([]));
    assert_eq!(code(&payload), "NOT_PENDING");
    assert_eq!(
        payload["userErrors"][0]["field"],
        json!(["registrationIds", "1"])
    );
    let payload = organizer
        .caller
        .tries("approveRegistrations", selection, many("SKIP_FAILED"))
        .await;
    let approved = payload["registrations"].as_array().unwrap();
    assert_eq!(approved.len(), 2, "{payload:#}");
    assert_eq!(approved[1]["id"], waiting[1]);
    assert_eq!(approved[1]["status"], "CONFIRMED");
    assert_eq!(nodes(&approved[1]["tickets"]).len(), 1);
    let refusal =
        json!({ "registrationId": waiting[2], "reason": "no room", "idempotencyKey": key() });
    let payload = organizer
        .caller
        .does(
            "rejectRegistration",
            "registration { status rejectReason }",
            refusal,
        )
        .await;
    assert_eq!(
        payload["registration"],
        json!({ "status": "REJECTED", "rejectReason": "no room" })
    );
    let denied = guest
        .fails(
            "mutation($i: ApproveRegistrationInput!) { approveRegistration(input: $i) { userErrors { code } } }",
            json!({ "i": { "registrationId": held, "idempotencyKey": key() } }),
        )
        .await;
    assert!(
        matches!(denied.as_str(), "UNAUTHENTICATED" | "FORBIDDEN"),
        "{denied}"
    );
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test]
async fn r13_a_buyer_swaps_adds_and_renames_and_old_codes_are_revoked() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let setup = EventSetup {
        places: 3,
        ..EventSetup::default()
    };
    let event = organizer.event(&setup).await;
    let (registration, guest) = placed(&app.visitor(), &event, 2).await;
    let confirmed = guest.confirm(&registration).await;
    let before = nodes(&confirmed["registration"]["tickets"]).clone();
    let read = format!(
        "query($id: ID!) {{ {} }}",
        REGISTRATION.replacen("registration", "registration(id: $id)", 1)
    );
    let items = guest.ask(&read, json!({ "id": registration })).await;
    let items = nodes(&items["registration"]["items"]).clone();
    let change = json!({
        "registrationId": registration, "idempotencyKey": key(),
        "swap": [{ "itemId": items[0]["id"], "ticketTypeId": event["types"][1] }],
        "reassign": [{ "itemId": items[1]["id"], "name": "Zoe", "email": "zoe@example.org" }],
        "add": [{ "ticketTypeId": event["types"][0], "quantity": 1 }],
    });
    let first = guest
        .does("changeRegistration", REGISTRATION, change.clone())
        .await;
    let again = guest.does("changeRegistration", REGISTRATION, change).await;
    assert_eq!(first, again, "the same key, the same answer");
    let changed = &first["registration"];
    let tickets = nodes(&changed["tickets"]);
    let count = |status: &str| tickets.iter().filter(|one| one["status"] == status).count();
    assert_eq!(
        (count("VALID"), count("TRANSFERRED")),
        (3, 2),
        "{changed:#}"
    );
    for old in &before {
        let now = tickets
            .iter()
            .find(|one| one["code"] == old["code"])
            .unwrap();
        assert_eq!(now["status"], "TRANSFERRED");
    }
    assert_eq!(
        nodes(&changed["items"])[0]["ticketType"]["id"],
        event["types"][1]
    );
    assert_eq!(nodes(&changed["items"])[1]["attendee"]["name"], "Zoe");
    let fourth = json!({
        "registrationId": registration, "idempotencyKey": key(),
        "add": [{ "ticketTypeId": event["types"][0], "quantity": 1 }],
    });
    let payload = guest
        .tries("changeRegistration", REGISTRATION, fourth)
        .await;
    assert_eq!(code(&payload), "SOLD_OUT", "{payload}");
    let less = json!({
        "registrationId": registration, "itemIds": [items[1]["id"]], "idempotencyKey": key(),
    });
    let payload = guest.does("cancelRegistration", REGISTRATION, less).await;
    assert_eq!(payload["registration"]["status"], "CONFIRMED");
    assert!(nodes(&payload["registration"]["items"])[1]["cancelledAt"].is_string());
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test]
async fn a_change_is_made_at_the_price_that_was_seen_or_not_at_all() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let setup = EventSetup {
        price: 1000,
        ..EventSetup::default()
    };
    let event = organizer.event(&setup).await;
    let (registration, guest) = placed(&app.visitor(), &event, 2).await;
    let selection = "registration { total { minorUnits } items { nodes { id } } } \
         priceChange { total { minorUnits currencyCode } }";
    let more = |minor: &str, currency: &str| {
        json!({
            "registrationId": registration, "idempotencyKey": key(),
            "add": [{ "ticketTypeId": event["types"][0], "quantity": 1 }],
            "expectedTotal": { "minorUnits": minor, "currencyCode": currency },
        })
    };
    for (minor, currency) in [("2500", "EUR"), ("3000", "USD"), ("2000", "EUR")] {
        let payload = guest
            .tries("changeRegistration", selection, more(minor, currency))
            .await;
        assert_eq!(code(&payload), "PRICE_CHANGED", "{payload}");
        assert_eq!(
            payload["priceChange"]["total"],
            json!({ "minorUnits": "3000", "currencyCode": "EUR" })
        );
    }
    let payload = guest
        .does("changeRegistration", selection, more("3000", "EUR"))
        .await;
    assert_eq!(payload["registration"]["total"]["minorUnits"], "3000");
    let items = nodes(&payload["registration"]["items"]);
    assert_eq!(items.len(), 3, "nothing of what was refused is there");
    let rename = |minor: &str| {
        json!({
            "registrationId": registration, "idempotencyKey": key(),
            "reassign": [{ "itemId": items[0]["id"], "name": "Zoe", "email": "zoe@example.org" }],
            "expectedTotal": { "minorUnits": minor, "currencyCode": "EUR" },
        })
    };
    let payload = guest
        .tries("changeRegistration", selection, rename("2000"))
        .await;
    assert_eq!(code(&payload), "PRICE_CHANGED", "{payload}");
    guest
        .does("changeRegistration", selection, rename("3000"))
        .await;
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test]
async fn a_hold_that_was_changed_is_confirmed_as_it_is_now() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let (registration, guest) = placed(&app.visitor(), &event, 2).await;
    // As many units as before, and not the same: codes signed for those it was placed with would fit in number.
    let more = json!({
        "registrationId": registration, "idempotencyKey": key(),
        "add": [{ "ticketTypeId": event["types"][1], "quantity": 1 }],
    });
    let changed = guest.does("changeRegistration", REGISTRATION, more).await;
    let items = nodes(&changed["registration"]["items"]).clone();
    let less = json!({
        "registrationId": registration, "itemIds": [items[0]["id"]], "idempotencyKey": key(),
    });
    guest.does("cancelRegistration", "", less).await;
    let confirmed = guest.confirm(&registration).await;
    assert_eq!(confirmed["userErrors"], json!([]), "{confirmed:#}");
    assert_eq!(nodes(&confirmed["registration"]["tickets"]).len(), 2);
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test]
async fn a_ticket_is_handed_on_and_nobody_sees_more_than_is_theirs() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let visitor = app.visitor();
    let (registration, guest) = placed(&visitor, &event, 1).await;
    let confirmed = guest.confirm(&registration).await;
    let ticket = &nodes(&confirmed["registration"]["tickets"])[0];
    let offer =
        json!({ "ticketId": ticket["id"], "email": "Next@Example.org ", "idempotencyKey": key() });
    let payload = guest
        .does(
            "transferTicket",
            "transfer { id status recipientEmail newTicket { id } }",
            offer,
        )
        .await;
    assert_eq!(payload["transfer"]["recipientEmail"], "next@example.org");
    assert_eq!(payload["transfer"]["status"], "OFFERED");
    let secret = app.mailed_code("next@example.org").await;
    let accept = json!({ "code": secret, "name": "Nina Next", "idempotencyKey": key() });
    let selection = "guestSecret ticket { id code status event { title } ticketType { name } \
        attendee { name } registration { id } item { id } }";
    let accepted = visitor
        .does("acceptTransfer", selection, accept.clone())
        .await;
    let again = visitor.does("acceptTransfer", selection, accept).await;
    assert_eq!(accepted, again, "whoever lost the answer gets it again");
    let new = &accepted["ticket"];
    assert_ne!(new["code"], ticket["code"]);
    assert_eq!(new["attendee"]["name"], "Nina Next");
    assert_eq!(
        (&new["registration"], &new["item"]),
        (&Value::Null, &Value::Null),
        "who bought it is not the receiver's to know"
    );

    let receiver = visitor.with_guest(accepted["guestSecret"].as_str().unwrap());
    let own = "query { tickets { nodes { id code status } } registrations { totalCount } }";
    let seen = receiver.ask(own, json!({})).await;
    assert_eq!(nodes(&seen["tickets"]).len(), 1, "{seen:#}");
    assert_eq!(seen["registrations"]["totalCount"], 0);
    let seen = guest.ask(own, json!({})).await;
    assert_eq!(nodes(&seen["tickets"]).len(), 1);
    assert_eq!(nodes(&seen["tickets"])[0]["status"], "TRANSFERRED");
    assert!(!seen.to_string().contains(new["code"].as_str().unwrap()));
    let theirs = guest
        .ask(
            "query($id: ID!) { ticket(id: $id) { id } }",
            json!({ "id": new["id"] }),
        )
        .await;
    assert_eq!(theirs["ticket"], Value::Null);
    let all = organizer.caller.ask(own, json!({})).await;
    assert_eq!(nodes(&all["tickets"]).len(), 2);

    let late = json!({ "code": secret, "name": "Somebody", "idempotencyKey": key() });
    let payload = visitor.tries("acceptTransfer", "ticket { id }", late).await;
    assert_eq!(code(&payload), "TRANSFER_NOT_OPEN");
    let made_up = json!({ "code": "est_dev_madeup", "name": "Somebody", "idempotencyKey": key() });
    let payload = visitor
        .tries("acceptTransfer", "ticket { id }", made_up)
        .await;
    assert_eq!(code(&payload), "TRANSFER_NOT_FOUND");
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test]
async fn a_person_with_an_account_receives_declines_and_the_holder_takes_back() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let (buyer, _) = app.person("buyer@example.org").await;
    let (friend, _) = app.person("friend@example.org").await;
    let payload = buyer.place(&event, &event["types"][0], 1).await;
    let confirmed = buyer.confirm(&payload["registration"]["id"]).await;
    let ticket = nodes(&confirmed["registration"]["tickets"])[0]["id"].clone();
    let offer =
        || json!({ "ticketId": ticket, "email": "friend@example.org", "idempotencyKey": key() });
    let first = buyer
        .does("transferTicket", "transfer { id }", offer())
        .await;
    let payload = buyer
        .tries("transferTicket", "transfer { id }", offer())
        .await;
    assert_eq!(code(&payload), "ALREADY_OFFERED");
    let taken_back = json!({ "transferId": first["transfer"]["id"], "idempotencyKey": key() });
    let denied = friend
        .tries("cancelTransfer", "transfer { id }", taken_back.clone())
        .await;
    assert_eq!(code(&denied), "TRANSFER_NOT_FOUND");
    let payload = buyer
        .does("cancelTransfer", "transfer { status }", taken_back)
        .await;
    assert_eq!(payload["transfer"]["status"], "CANCELLED");

    app.database.advance(1).await;
    buyer.does("transferTicket", "", offer()).await;
    let secret = app.mailed_code("friend@example.org").await;
    let decline = json!({ "code": secret, "idempotencyKey": key() });
    let payload = friend.does("declineTransfer", "declined", decline).await;
    assert_eq!(payload["declined"], true);

    app.database.advance(1).await;
    buyer.does("transferTicket", "", offer()).await;
    let secret = app.mailed_code("friend@example.org").await;
    let accept = json!({ "code": secret, "name": "A Friend", "idempotencyKey": key() });
    let payload = friend
        .does("acceptTransfer", "guestSecret ticket { id status }", accept)
        .await;
    assert_eq!(payload["guestSecret"], Value::Null, "the account opens it");
    let own = friend
        .ask("query { tickets { nodes { id } } }", json!({}))
        .await;
    assert_eq!(nodes(&own["tickets"])[0]["id"], payload["ticket"]["id"]);
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test]
async fn where_buyers_came_from_is_kept_for_the_organizer_alone() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let visitor = app.visitor();
    let source = |campaign: &str| {
        json!({
            "utmSource": "newsletter", "utmCampaign": campaign,
            "referrer": "https://mail.example/inbox?message=secret", "landingUrl": "https://north.example/day#top",
        })
    };
    let mut guests = vec![];
    for campaign in ["spring", "spring", "summer"] {
        let input = json!({
            "eventId": event["id"], "idempotencyKey": key(), "source": source(campaign),
            "buyer": { "name": "Vera", "email": "vera@example.org" },
            "lines": [{ "ticketTypeId": event["types"][0], "quantity": 1 }],
        });
        let payload = visitor
            .does(
                "placeRegistration",
                "guestSecret registration { id }",
                input,
            )
            .await;
        let guest = visitor.with_guest(payload["guestSecret"].as_str().unwrap());
        guest.confirm(&payload["registration"]["id"]).await;
        guests.push(guest);
    }
    let report = organizer
        .caller
        .ask(
            "query { registrations(filter: { source: { utmSource: { eq: \"newsletter\" } } }) {
               aggregates(groupBy: [SOURCE]) { groups { count source { utmCampaign referrer landingUrl } } }
             } }",
            json!({}),
        )
        .await;
    let groups = report["registrations"]["aggregates"]["groups"]
        .as_array()
        .unwrap();
    let mut counts: Vec<_> = groups
        .iter()
        .map(|group| {
            (
                group["source"]["utmCampaign"].as_str().unwrap(),
                group["count"].to_string(),
            )
        })
        .collect();
    counts.sort();
    assert_eq!(
        counts,
        [("spring", "2".to_owned()), ("summer", "1".to_owned())]
    );
    assert_eq!(
        groups[0]["source"]["referrer"],
        "https://mail.example/inbox"
    );
    assert_eq!(
        groups[0]["source"]["landingUrl"],
        "https://north.example/day"
    );
    let said = "select count(*) from outbox where type = 'registration.confirmed' \
                and payload #>> '{source,utm_campaign}' = 'spring'";
    assert_eq!(app.database.count(said).await, 2);
    let denied = guests[0]
        .send(
            "query { registrations { nodes { source { utmSource } } } }",
            json!({}),
        )
        .await;
    assert!(!denied.to_string().contains("newsletter"), "{denied}");
    let long = json!({
        "eventId": event["id"], "idempotencyKey": key(), "source": { "utmSource": "x".repeat(201) },
        "buyer": { "name": "Vera", "email": "vera@example.org" },
        "lines": [{ "ticketTypeId": event["types"][0], "quantity": 1 }],
    });
    let payload = visitor.tries("placeRegistration", "", long).await;
    assert_eq!(
        payload["userErrors"][0]["field"],
        json!(["source", "utmSource"])
    );
}
