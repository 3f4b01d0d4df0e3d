//! What a visitor without an account is shown of prices, holds and places that they waited for: the positive controls of
//! what nobody else in the world comes to see.

use eventsphere_graphql::catalog::Catalog;
use serde_json::{Value, json};

use super::{
    ask::Who,
    inputs::document,
    world::{prices, queue, world},
};
use crate::harness::{TestApp, key};

part!(
    a_visitor_is_shown_what_they_pay_and_what_they_waited_for,
    OWNERS,
    owners
);

const EVENT: &str = "open";

/// The open event of Bilbao, and who sells there.
struct Till<'a> {
    app: &'a TestApp,
    catalog: &'a Catalog,
    owner: &'a Who,
    tag: &'static str,
    event: Value,
}

impl Till<'_> {
    async fn tries(&self, who: &Who, verb: &str, input: Value) -> Value {
        let query = document(self.catalog, &self.catalog.verbs[verb]);
        let variables = json!({ "input": input });
        let answer = who.asks(self.app, &query, &variables).await;
        answer.json()["data"][verb].take()
    }

    /// Does it; the payload.
    async fn does(&self, who: &Who, verb: &str, input: Value) -> Value {
        let payload = self.tries(who, verb, input).await;
        let errors = &payload["userErrors"];
        assert_eq!(*errors, json!([]), "{} {verb}", who.name);
        payload
    }

    /// The id of the one in that list whose name ends so.
    fn named(&self, list: &str, name: &str) -> &Value {
        let nodes = self.event[list]["nodes"].as_array().expect("a list");
        let name = format!("{} {EVENT} {name}", self.tag);
        let found = nodes.iter().find(|node| node["name"] == json!(name));
        &found.unwrap_or_else(|| panic!("no {name}"))["id"]
    }
}

async fn owners() {
    let (app, world) = world().await;
    let (tag, owner) = (world.b.tag, world.b.member("owner"));
    let event = format!(
        "{{ eventBySlug(organizationSlug: \"{tag}-society\", slug: \"{tag}-{EVENT}-day\") {{ id \
         ticketTypes(first: 50) {{ nodes {{ id name }} }} holds(first: 50) {{ nodes {{ id name }} }} }} }}"
    );
    let event = owner.asks(&app, &event, &json!({})).await.json();
    let till = Till {
        app: &app,
        catalog: &app.app.engine.catalog,
        owner,
        tag,
        event: event["data"]["eventBySlug"].clone(),
    };
    let walk_in = Who {
        name: format!("walk-in-{tag}"),
        ..Who::anonymous()
    };
    buys(&till, &walk_in).await;
    waits(&till, &walk_in).await;
}

/// Prices a cart of everything that prices are made of, and buys it from a hold.
async fn buys(till: &Till<'_>, walk_in: &Who) {
    let id = &till.event["id"];
    let (standard, extra) = (
        till.named("ticketTypes", "standard"),
        till.named("ticketTypes", "extra"),
    );
    let euros = |minor: &str| json!({ "minorUnits": minor, "currencyCode": "EUR" });
    let gift =
        json!({ "eventId": id, "name": "Gift", "price": euros("500"), "priceKind": "DONATION" });
    let gift = till.does(till.owner, "createTicketType", gift).await;
    let discount = json!({
        "eventId": id, "name": "For all", "kind": "PERCENT", "rateMillionths": 100_000, "ticketTypeId": extra,
    });
    till.does(till.owner, "createDiscountRule", discount).await;
    let hold = json!({
        "eventId": id, "ticketTypeId": standard, "name": "For friends", "quantity": 1, "idempotencyKey": key(),
    });
    let hold = till.does(till.owner, "createHold", hold).await;

    let lines = json!([
        { "ticketTypeId": standard, "quantity": 1 },
        { "ticketTypeId": extra, "quantity": 1 },
        { "ticketTypeId": gift["ticketType"]["id"], "quantity": 1, "price": euros("700") },
    ]);
    let code = prices::code(till.tag, EVENT);
    let cart = json!({ "eventId": id, "lines": lines, "code": code });
    let priced = till.does(walk_in, "priceCheckout", cart).await;
    for (list, word) in [("discounts", "byCode"), ("taxes", "onFees")] {
        let of_both = priced["price"][list].as_array().expect("a list");
        for each in [true, false] {
            let there = of_both.iter().any(|one| one[word] == json!(each));
            assert!(there, "no {list} of {word} {each}: {priced}");
        }
    }

    let place = |expected: Value| {
        json!({
            "eventId": id, "lines": lines, "code": code, "holdKey": hold["holdKey"], "expectedTotal": expected,
            "buyer": { "name": "Wanda", "email": "wanda@example.org" }, "idempotencyKey": key(),
        })
    };
    let total = &priced["price"]["total"];
    let refused = till
        .tries(walk_in, "placeRegistration", place(euros("1")))
        .await;
    assert_eq!(refused["priceChange"]["total"], *total, "{refused}");
    let expected = euros(total["minorUnits"].as_str().expect("a total"));
    let placed = till
        .does(walk_in, "placeRegistration", place(expected))
        .await;
    assert!(placed["guestSecret"].is_string(), "{placed}");

    let buyer = Who::with_guest(
        format!("{}-who-bought", walk_in.name),
        &placed["guestSecret"],
    );
    let more = |expected: Value| {
        json!({
            "registrationId": placed["registration"]["id"], "expectedTotal": expected,
            "add": [{ "ticketTypeId": standard, "quantity": 1 }], "idempotencyKey": key(),
        })
    };
    let refused = till
        .tries(&buyer, "changeRegistration", more(euros("1")))
        .await;
    let total = refused["priceChange"]["total"]["minorUnits"].as_str();
    let expected = euros(total.expect("what it would cost"));
    till.does(&buyer, "changeRegistration", more(expected))
        .await;
}

/// Waits for a place, is offered one, and takes it by the secret that waiting gave.
async fn waits(till: &Till<'_>, walk_in: &Who) {
    let scarce = till.named("ticketTypes", "scarce");
    let wish = json!({
        "eventId": till.event["id"], "lines": [{ "ticketTypeId": scarce, "quantity": 1 }],
        "person": { "name": "Wanda", "email": "wanda-waits@example.org" }, "idempotencyKey": key(),
    });
    let waiting = till.does(walk_in, "joinWaitlist", wish).await;
    let entry = &waiting["waitlistEntry"]["id"];
    let first = json!({ "waitlistEntryIds": [entry], "priority": 5 });
    till.does(till.owner, "prioritizeWaitlistEntries", first)
        .await;
    let freed = json!({ "holdId": till.named("holds", "spare hold"), "idempotencyKey": key() });
    till.does(till.owner, "releaseHold", freed).await;
    assert!(queue::serve(till.app, till.tag, EVENT).await > 0);
    let guest = Who::with_guest(
        format!("{}-who-waited", walk_in.name),
        &waiting["guestSecret"],
    );
    let taken = json!({ "waitlistEntryId": entry, "idempotencyKey": key() });
    let taken = till.does(&guest, "acceptWaitlistOffer", taken).await;
    assert!(taken["guestSecret"].is_string(), "{taken}");
}
