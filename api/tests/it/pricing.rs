//! Prices over HTTP: organizers say what they are made of, visitors ask what a cart costs and pay just that.

use serde_json::{Value, json};

use crate::harness::{Caller, EventSetup, Organizer, TestApp, key};

const PRICE: &str = "price { \
     subtotal { minorUnits } discount { amount } fee { amount } tax { amount } \
     total { minorUnits currencyCode amount } \
     lines { ticketTypeId tierName quantity listPrice { amount } price { amount } total { minorUnits } } \
     discounts { name byCode amount { amount } } \
     fees { kind name amount { amount } } \
     taxes { name rateMillionths inclusive onFees amount { amount } } }";

fn euros(minor: i64) -> Value {
    json!({ "minorUnits": minor.to_string(), "currencyCode": "EUR" })
}

/// An event at 100.00 with an early price of 80.00 for the first two, 10 % service fee, 19 % inside, and a code.
async fn on_sale(organizer: &Organizer) -> Value {
    let event = organizer
        .event(&EventSetup {
            price: 10_000,
            places: 10,
            ..EventSetup::default()
        })
        .await;
    let (id, ticket) = (&event["id"], &event["types"][0]);
    let staff = &organizer.caller;
    let tier = json!({
        "eventId": id, "ticketTypeId": ticket, "name": "Early bird", "price": euros(8000), "quantity": 2,
        "endsAt": "2027-01-01T00:00:00Z",
    });
    staff
        .does("createPriceTier", "priceTier { id }", tier)
        .await;
    let tax = json!({ "eventId": id, "name": "VAT", "rateMillionths": 190_000 });
    staff.does("createTaxRule", "taxRule { id }", tax).await;
    let fee =
        json!({ "eventId": id, "kind": "SERVICE", "name": "Service", "rateMillionths": 100_000 });
    staff.does("createFeeRule", "feeRule { id }", fee).await;
    let code = json!({
        "eventId": id, "code": "save-20", "kind": "PERCENT", "rateMillionths": 200_000, "maxUses": 1,
    });
    let made = staff
        .does("createPromoCode", "promoCode { code uses }", code)
        .await;
    assert_eq!(made["promoCode"], json!({ "code": "SAVE-20", "uses": 0 }));
    event
}

fn cart(event: &Value, quantity: i64, code: Option<&str>) -> Value {
    let lines = json!([{ "ticketTypeId": event["types"][0], "quantity": quantity }]);
    json!({ "eventId": event["id"], "lines": lines, "code": code })
}

async fn place(caller: &Caller, mut input: Value, expected: Option<Value>) -> Value {
    input["buyer"] = json!({ "name": "Bo", "email": "bo@example.com" });
    input["idempotencyKey"] = json!(key());
    input["expectedTotal"] = expected.unwrap_or_default();
    let selection = "guestSecret priceChange { total { minorUnits amount } } registration { id \
         subtotal { amount } discount { amount } fee { amount } tax { amount } total { minorUnits } \
         charges { nodes { kind feeKind name amount { amount } } } \
         items { nodes { listPrice { amount } price { amount } codeDiscount { amount } net { amount } total { amount } } } }";
    caller.tries("placeRegistration", selection, input).await
}

fn error(payload: &Value) -> &Value {
    &payload["userErrors"][0]["code"]
}

#[tokio::test]
async fn a_visitor_pays_what_was_shown_part_by_part() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = on_sale(&organizer).await;
    let visitor = app.visitor();

    let page = "query($id: ID!) { node(id: $id) { ... on TicketType { \
         price { amount } currentPrice { amount currencyCode } currentTierName currentTierEndsAt } } }";
    let shown = visitor.ask(page, json!({ "id": event["types"][0] })).await;
    assert_eq!(
        shown["node"],
        json!({
            "price": { "amount": "100.00" }, "currentPrice": { "amount": "80.00", "currencyCode": "EUR" },
            "currentTierName": "Early bird", "currentTierEndsAt": "2027-01-01T00:00:00.000000Z",
        })
    );

    let asked = cart(&event, 3, Some(" Save-20"));
    let seen = visitor.does("priceCheckout", PRICE, asked.clone()).await;
    // 80 + 80 + 100, less 20 %: 208.00; 10 % fee: 20.80; 19 % inside of 64, 64 and 80: 10.22 + 10.22 + 12.77.
    assert_eq!(
        seen["price"],
        json!({
            "subtotal": { "minorUnits": "26000" }, "discount": { "amount": "52.00" }, "fee": { "amount": "20.80" },
            "tax": { "amount": "33.21" },
            "total": { "minorUnits": "22880", "currencyCode": "EUR", "amount": "228.80" },
            "lines": [
                { "ticketTypeId": event["types"][0], "tierName": "Early bird", "quantity": 2,
                  "listPrice": { "amount": "100.00" }, "price": { "amount": "64.00" }, "total": { "minorUnits": "14080" } },
                { "ticketTypeId": event["types"][0], "tierName": null, "quantity": 1,
                  "listPrice": { "amount": "100.00" }, "price": { "amount": "80.00" }, "total": { "minorUnits": "8800" } },
            ],
            "discounts": [{ "name": "SAVE-20", "byCode": true, "amount": { "amount": "52.00" } }],
            "fees": [{ "kind": "SERVICE", "name": "Service", "amount": { "amount": "20.80" } }],
            "taxes": [{ "name": "VAT", "rateMillionths": 190_000, "inclusive": true, "onFees": false,
                        "amount": { "amount": "33.21" } }],
        })
    );

    let wrong = place(&visitor, asked.clone(), Some(euros(22_879))).await;
    assert_eq!(error(&wrong), "PRICE_CHANGED");
    assert_eq!(
        wrong["priceChange"],
        json!({ "total": { "minorUnits": "22880", "amount": "228.80" } })
    );
    assert_eq!(wrong["registration"], Value::Null);
    let placed = place(&visitor, asked.clone(), Some(euros(22_880))).await;
    let registration = &placed["registration"];
    assert_eq!(registration["total"]["minorUnits"], "22880", "{placed:#}");
    assert_eq!(registration["subtotal"]["amount"], "260.00");
    assert_eq!(registration["tax"]["amount"], "33.21");
    assert_eq!(
        registration["items"]["nodes"][0],
        json!({
            "listPrice": { "amount": "100.00" }, "price": { "amount": "64.00" }, "codeDiscount": { "amount": "16.00" },
            "net": { "amount": "60.18" }, "total": { "amount": "70.40" },
        })
    );
    let charges = registration["charges"]["nodes"].as_array().unwrap();
    assert_eq!(charges.len(), 6);
    assert_eq!(
        charges[0],
        json!({ "kind": "FEE", "feeKind": "SERVICE", "name": "Service", "amount": { "amount": "6.40" } })
    );

    // What was shown is gone: the tier is sold, the code is used.
    assert_eq!(error(&place(&visitor, asked, None).await), "CODE_USED_UP");
    let next = visitor
        .does("priceCheckout", PRICE, cart(&event, 1, None))
        .await;
    assert_eq!(next["price"]["total"]["amount"], "110.00");
    assert_eq!(app.database.stock_faults().await, 0);
    used(&organizer, &event).await;
}

/// What the organizer sees of it.
async fn used(organizer: &Organizer, event: &Value) {
    let sheet = "query($id: ID!) { event(id: $id) { taxRounding \
         priceTiers { nodes { name quantity claimed ticketType { name } } } \
         promoCodes { nodes { code uses maxUses registrations { totalCount } } } \
         capacityPools { totalCount } } }";
    let seen = organizer
        .caller
        .ask(sheet, json!({ "id": event["id"] }))
        .await;
    assert_eq!(
        seen["event"],
        json!({
            "taxRounding": "PER_UNIT",
            "priceTiers": { "nodes": [{ "name": "Early bird", "quantity": 2, "claimed": 2, "ticketType": { "name": "Standard" } }] },
            "promoCodes": { "nodes": [{ "code": "SAVE-20", "uses": 1, "maxUses": 1, "registrations": { "totalCount": 1 } }] },
            "capacityPools": { "totalCount": 1 },
        })
    );
    let code = "query { promoCodes(filter: { code: { eq: \"SAVE-20\" } }) { nodes { id } } }";
    let id = organizer.caller.ask(code, json!({})).await["promoCodes"]["nodes"][0]["id"].clone();
    let lower = json!({ "id": id, "maxUses": 0 });
    let refused = organizer
        .caller
        .tries("updatePromoCode", "promoCode { id }", lower)
        .await;
    assert_eq!(
        refused["userErrors"][0]["message"],
        "It is used more often than this."
    );
    let gone = organizer
        .caller
        .tries("deletePromoCode", "deletedId", json!({ "id": id }))
        .await;
    assert_eq!(error(&gone), "IN_USE", "{gone}");
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = on_sale(&organizer).await;
    let (staff, visitor) = (&organizer.caller, app.visitor());
    for (code, more) in [
        ("TOO-SOON", json!({ "startsAt": "2100-01-01T00:00:00Z" })),
        ("TOO-LATE", json!({ "endsAt": "2020-01-01T00:00:00Z" })),
        ("FOR-OTHERS", json!({})),
    ] {
        let mut input = json!({ "eventId": event["id"], "code": code, "kind": "NONE" });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        let made = staff
            .does("createPromoCode", "promoCode { id }", input)
            .await;
        if code == "FOR-OTHERS" {
            let link = json!({
                "eventId": event["id"], "promoCodeId": made["promoCode"]["id"], "ticketTypeId": event["types"][1],
            });
            staff
                .does(
                    "createPromoCodeTicketType",
                    "promoCodeTicketType { id }",
                    link,
                )
                .await;
        }
    }
    for (asked, code, field) in [
        (cart(&event, 11, None), "QUANTITY_OUT_OF_RANGE", "lines"),
        (cart(&event, 1, Some("nothing")), "CODE_UNKNOWN", "code"),
        (
            cart(&event, 1, Some(&"x".repeat(41))),
            "CODE_UNKNOWN",
            "code",
        ),
        (
            cart(&event, 1, Some("too-soon")),
            "CODE_NOT_YET_VALID",
            "code",
        ),
        (cart(&event, 1, Some("too-late")), "CODE_EXPIRED", "code"),
        (
            cart(&event, 1, Some("for-others")),
            "CODE_NOT_APPLICABLE",
            "code",
        ),
        (
            json!({ "eventId": event["id"], "lines": [
                { "ticketTypeId": event["types"][0], "quantity": 1, "price": euros(1) },
            ] }),
            "PRICE_OUT_OF_RANGE",
            "lines",
        ),
    ] {
        let seen = visitor.tries("priceCheckout", PRICE, asked.clone()).await;
        assert_eq!(seen["price"], Value::Null);
        assert_eq!(error(&seen), code, "{asked}");
        assert_eq!(seen["userErrors"][0]["field"][0], field);
        assert_eq!(error(&place(&visitor, asked, None).await), code);
    }
    let link = json!({ "eventId": event["id"], "ticketTypeId": event["types"][1], "addOnId": event["types"][0] });
    staff
        .does("createTicketTypeAddOn", "ticketTypeAddOn { id }", link)
        .await;
    let alone = visitor
        .tries("priceCheckout", PRICE, cart(&event, 1, None))
        .await;
    assert_eq!(error(&alone), "ADD_ON_OUT_OF_RANGE");
    // Visitors see what goes with what, and no code.
    let page = "query($id: ID!) { node(id: $id) { ... on TicketType { addOns { nodes { maxPerTicket addOn { name } } } } } }";
    let shown = visitor.ask(page, json!({ "id": event["types"][1] })).await;
    assert_eq!(
        shown["node"]["addOns"]["nodes"],
        json!([{ "maxPerTicket": 1, "addOn": { "name": "Standard" } }])
    );
    for list in [
        "query { promoCodes { nodes { code } } }",
        "query { feeRules { nodes { name } } }",
    ] {
        assert_eq!(visitor.fails(list, json!({})).await, "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn codes_are_guessed_so_often_and_no_more_aliases_or_not() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = on_sale(&organizer).await;
    let guess = |number: usize| {
        format!(
            "g{number}: priceCheckout(input: {{ eventId: {}, code: \"guess-{number}\", \
             lines: [{{ ticketTypeId: {}, quantity: 1 }}] }}) {{ userErrors {{ code }} }}",
            event["id"], event["types"][0]
        )
    };
    let guesses = |many: usize| {
        let each: Vec<_> = (0..many).map(guess).collect();
        format!("mutation {{ {} }}", each.join(" "))
    };
    let visitor = app.visitor();
    for _ in 0..3 {
        let answer = visitor.ask(&guesses(20), json!({})).await;
        assert_eq!(answer["g19"]["userErrors"][0]["code"], "CODE_UNKNOWN");
    }
    let refused = visitor.send(&guesses(10), json!({})).await;
    let errors = refused["errors"].as_array().unwrap();
    assert!(errors.len() >= 5, "{refused}");
    assert_eq!(errors[0]["extensions"]["code"], "THROTTLED");
    // A cart without a code, and whoever can read the codes anyway, is not held back.
    let plain = visitor
        .does(
            "priceCheckout",
            "price { total { amount } }",
            cart(&event, 1, None),
        )
        .await;
    assert_eq!(plain["price"]["total"]["amount"], "88.00");
    let own = organizer
        .caller
        .tries(
            "priceCheckout",
            "price { total { amount } }",
            cart(&event, 1, Some("nothing")),
        )
        .await;
    assert_eq!(error(&own), "CODE_UNKNOWN");
}

#[tokio::test]
async fn amounts_have_the_places_of_their_currency() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let (staff, visitor) = (&organizer.caller, app.visitor());
    for (currency, price, shown) in [("JPY", "1050", "1050"), ("KWD", "1050", "1.050")] {
        let event = json!({
            "title": "Day", "slug": format!("day-{}", currency.to_lowercase()), "currency": currency,
            "startsAt": "2027-05-04T09:00:00Z", "endsAt": "2027-05-04T18:00:00Z", "taxRounding": "KEEP_GROSS",
        });
        let made = staff
            .does("createEvent", "event { id taxRounding }", event)
            .await;
        assert_eq!(made["event"]["taxRounding"], "KEEP_GROSS");
        let id = &made["event"]["id"];
        let gift = json!({
            "eventId": id, "name": "Gift", "priceKind": "DONATION", "minPriceMinor": "100",
            "price": { "minorUnits": price, "currencyCode": currency },
        });
        let gift = staff
            .does("createTicketType", "ticketType { id }", gift)
            .await["ticketType"]["id"]
            .clone();
        staff
            .does("publishEvent", "event { id }", json!({ "eventId": id }))
            .await;
        let lines = |given: Value| json!({ "eventId": id, "lines": [{ "ticketTypeId": gift, "quantity": 1, "price": given }] });
        let suggested = visitor
            .does("priceCheckout", PRICE, lines(Value::Null))
            .await;
        assert_eq!(suggested["price"]["total"]["amount"], shown);
        let given = json!({ "minorUnits": "2003", "currencyCode": currency });
        let seen = visitor.does("priceCheckout", PRICE, lines(given)).await;
        assert_eq!(seen["price"]["total"]["minorUnits"], "2003");
    }
}

#[tokio::test]
async fn r04_what_was_priced_by_everything_is_changed_cancelled_in_part_and_bought_again() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = on_sale(&organizer).await;
    let visitor = app.visitor();
    let placed = place(&visitor, cart(&event, 2, Some("SAVE-20")), None).await;
    // 80.00 - 16.00 by the code + 6.40, each.
    assert_eq!(placed["registration"]["total"]["minorUnits"], "14080");
    let guest = visitor.with_guest(placed["guestSecret"].as_str().unwrap());
    let id = &placed["registration"]["id"];
    let selection = "registration { subtotal { amount } discount { amount } fee { amount } tax { amount } total { amount } \
         charges(first: 20) { nodes { kind amount { amount } } } \
         items { nodes { id cancelledAt codeDiscount { amount } total { amount } } } }";
    let sums = |payload: &Value| {
        ["subtotal", "discount", "fee", "tax", "total"]
            .map(|part| payload["registration"][part]["amount"].clone())
    };
    let totals = |payload: &Value| -> Vec<Value> {
        let items = payload["registration"]["items"]["nodes"]
            .as_array()
            .unwrap();
        let living = items.iter().filter(|item| item["cancelledAt"].is_null());
        living.map(|item| item["total"]["amount"].clone()).collect()
    };
    let items = "query($id: ID!) { registration(id: $id) { items { nodes { id } } } }";
    let items = guest.ask(items, json!({ "id": id })).await;
    let item = |at: usize| items["registration"]["items"]["nodes"][at]["id"].clone();

    // The first goes to a dearer type; its early price is there for one of the two who come.
    let change = json!({
        "registrationId": id, "idempotencyKey": key(),
        "swap": [{ "itemId": item(0), "ticketTypeId": event["types"][1] }],
        "add": [{ "ticketTypeId": event["types"][0], "quantity": 2 }],
    });
    let changed = guest.does("changeRegistration", selection, change).await;
    assert_eq!(totals(&changed), ["88.00", "70.40", "70.40", "88.00"]);
    assert_eq!(
        sums(&changed),
        ["360.00", "72.00", "28.80", "45.98", "316.80"]
    );
    let charges = changed["registration"]["charges"]["nodes"]
        .as_array()
        .unwrap();
    assert_eq!(charges.len(), 8, "a fee and a tax of each: {charges:?}");

    let less = json!({ "registrationId": id, "itemIds": [item(1)], "idempotencyKey": key() });
    let less = guest.does("cancelRegistration", selection, less).await;
    assert_eq!(totals(&less), ["88.00", "70.40", "88.00"]);
    assert_eq!(sums(&less), ["280.00", "56.00", "22.40", "35.76", "246.40"]);

    // Once it has run out, all is bought at what it costs now: a second early place is free, the code's use its own.
    app.database.advance(1000).await;
    let extend = json!({ "registrationId": id, "idempotencyKey": key() });
    let more = format!("takenAgain priceChanged {selection}");
    let again = guest.does("extendRegistration", &more, extend).await;
    assert_eq!(
        (&again["takenAgain"], &again["priceChanged"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(totals(&again), ["88.00", "70.40", "70.40"]);
    let other = place(&visitor, cart(&event, 1, Some("save-20")), None).await;
    assert_eq!(error(&other), "CODE_USED_UP", "{other:#}");

    let given = json!({
        "registrationId": id, "idempotencyKey": key(),
        "add": [{ "ticketTypeId": event["types"][0], "quantity": 1, "price": euros(1) }],
    });
    let refused = guest.tries("changeRegistration", selection, given).await;
    assert_eq!(error(&refused), "PRICE_OUT_OF_RANGE", "it is no donation");
    assert_eq!(app.database.stock_faults().await, 0);
}
