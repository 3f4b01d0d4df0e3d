//! The figures that the domain's rules name, and small ones of every part.

use serde_json::{Value as Json, json};

use super::{Shop, placed};

async fn rounded(rounding: &str, rate: i64, inclusive: bool) -> (i64, i64, String) {
    let shop = Shop::draft().await;
    shop.db
        .run(&format!("update events set tax_rounding = '{rounding}'"))
        .await;
    let ticket = shop.unlimited(10_000).await;
    shop.tax(rate, inclusive).await;
    shop.publish().await;
    let id = placed(&shop.place(&[(ticket, 5)]).await.0);
    shop.db.assert_whole().await;
    (
        shop.of_registration(&id, "tax_minor").await,
        shop.of_registration(&id, "total_minor").await,
        shop.items(&id, "net_minor, tax_minor, total_minor").await,
    )
}

#[tokio::test]
async fn per_unit_five_of_100_with_19_percent_inside_are_79_85_of_500_00() {
    let (tax, total, items) = rounded("per_unit", 190_000, true).await;
    assert_eq!((tax, total), (7985, 50_000));
    assert_eq!(items, ["8403/1597/10000"; 5].join(" "));
}

#[tokio::test]
async fn document_net_five_of_100_with_19_percent_inside_are_79_83_of_499_98() {
    let (tax, total, items) = rounded("document_net", 190_000, true).await;
    assert_eq!((tax, total), (7983, 49_998));
    assert_eq!(
        items,
        "8403/1597/10000 8403/1597/10000 8403/1597/10000 8403/1596/9999 8403/1596/9999"
    );
}

#[tokio::test]
async fn keep_gross_five_of_100_with_19_percent_inside_are_79_83_of_500_00() {
    let (tax, total, items) = rounded("keep_gross", 190_000, true).await;
    assert_eq!((tax, total), (7983, 50_000));
    assert_eq!(
        items,
        "8403/1597/10000 8403/1597/10000 8403/1597/10000 8404/1596/10000 8404/1596/10000"
    );
}

#[tokio::test]
async fn a_tax_on_top_is_added_and_rounded_where_the_event_says() {
    // 100.00 at 8.875 %: 8.875 a ticket, 44.375 in all.
    let (tax, total, _) = rounded("per_unit", 88_750, false).await;
    assert_eq!((tax, total), (4440, 54_440));
    let (tax, total, _) = rounded("document_net", 88_750, false).await;
    assert_eq!((tax, total), (4438, 54_438));
    let (tax, total, _) = rounded("keep_gross", 88_750, false).await;
    assert_eq!((tax, total), (4438, 54_438));
}

#[tokio::test]
async fn the_parts_come_in_their_order() {
    let shop = Shop::draft().await;
    let ticket = shop.unlimited(10_000).await;
    // Tier 80.00; 10 % off for all: 72.00; code 2.00 off each: 70.00; service fee 1.00 + 5 %: 4.50 with 20 % on top:
    // 0.90; 19 % inside the ticket: 70.00 - 58.82 = 11.18.
    shop.tier(ticket, 8000, &[]).await;
    shop.adds(
        "discount_rules",
        &[
            ("name", "'All'"),
            ("kind", "'percent'"),
            ("rate_millionths", "100000"),
        ],
    )
    .await;
    let amount = [("amount_minor", "200"), ("currency", "'EUR'")];
    shop.code("TWO-OFF", "amount_per_ticket", &amount).await;
    shop.adds(
        "fee_rules",
        &[
            ("kind", "'service'"),
            ("name", "'Service'"),
            ("amount_minor", "100"),
            ("currency", "'EUR'"),
            ("rate_millionths", "50000"),
            ("tax_name", "'Fee tax'"),
            ("tax_rate_millionths", "200000"),
        ],
    )
    .await;
    shop.tax(190_000, true).await;
    shop.publish().await;

    let said =
        json!({ "code": "two-off", "expected_total_minor": 7540, "expected_currency": "EUR" });
    let id = placed(&shop.place_with(&[(ticket, 1)], said).await.0);
    let columns = "list_price_minor, tier_minor, discount_minor, code_discount_minor, price_minor, fee_minor, \
                   added_minor, total_minor, tax_minor, net_minor";
    assert_eq!(
        shop.items(&id, columns).await,
        "10000/2000/1000/200/7000/450/90/7540/1208/6332"
    );
    for (column, value) in [
        ("subtotal_minor", 8000),
        ("discount_minor", 1000),
        ("fee_minor", 450),
        ("tax_minor", 1208),
        ("added_minor", 90),
        ("total_minor", 7540),
    ] {
        assert_eq!(shop.of_registration(&id, column).await, value, "{column}");
    }
    let charges = shop
        .db
        .ask("select string_agg(concat_ws(' ', kind, name, amount_minor), ', ' order by kind) from registration_item_charges")
        .await;
    assert_eq!(
        charges.as_deref(),
        Some("fee Service 450, fee_tax Fee tax 90, tax VAT 1118")
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn taxes_of_a_type_stand_for_those_of_the_event_and_these_for_the_organizations() {
    let shop = Shop::draft().await;
    let (book, food, free) = (
        shop.unlimited(10_000).await,
        shop.unlimited(10_000).await,
        shop.unlimited(10_000).await,
    );
    let of_organization = shop.tax(500_000, false).await;
    shop.db
        .run(&format!(
            "update tax_rules set event_id = null where id = '{of_organization}'"
        ))
        .await;
    shop.publish().await;
    let total = async |wishes: Vec<(uuid::Uuid, i64)>| {
        shop.price(&wishes, json!({})).await["total_minor"].clone()
    };
    assert_eq!(
        total(vec![(book, 1)]).await,
        json!(15_000),
        "the organization's"
    );
    shop.tax(100_000, false).await;
    assert_eq!(total(vec![(book, 1)]).await, json!(11_000), "the event's");
    // Two of one level add up; a rate of zero says that there is none.
    for rate in [40_000, 30_000] {
        let rule = shop.tax(rate, false).await;
        shop.db
            .run(&format!(
                "update tax_rules set ticket_type_id = '{food}' where id = '{rule}'"
            ))
            .await;
    }
    let none = shop.tax(0, false).await;
    shop.db
        .run(&format!(
            "update tax_rules set ticket_type_id = '{free}' where id = '{none}'"
        ))
        .await;
    assert_eq!(total(vec![(food, 1)]).await, json!(10_700));
    assert_eq!(total(vec![(free, 1)]).await, json!(10_000));
    assert_eq!(
        total(vec![(book, 1), (food, 1), (free, 1)]).await,
        json!(31_700)
    );
}

#[tokio::test]
async fn fees_of_a_registration_are_shared_out_and_free_places_bear_none() {
    let shop = Shop::draft().await;
    let (paid, free) = (shop.unlimited(1000).await, shop.unlimited(0).await);
    let fee = [
        ("kind", "'payment'"),
        ("name", "'Card'"),
        ("basis", "'registration'"),
        ("amount_minor", "100"),
        ("currency", "'EUR'"),
    ];
    shop.adds("fee_rules", &fee).await;
    shop.publish().await;
    let id = placed(&shop.place(&[(free, 1), (paid, 3)]).await.0);
    assert_eq!(
        shop.items(&id, "fee_minor, total_minor").await,
        "0/0 34/1034 33/1033 33/1033"
    );
    let id = placed(&shop.place(&[(free, 2)]).await.0);
    assert_eq!(shop.items(&id, "fee_minor").await, "0 0");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn of_several_automatic_discounts_the_best_is_taken() {
    let shop = Shop::draft().await;
    let ticket = shop.unlimited(1000).await;
    for (rate, least) in [("100000", "1"), ("250000", "5"), ("900000", "50")] {
        shop.adds(
            "discount_rules",
            &[
                ("name", "'Groups'"),
                ("kind", "'percent'"),
                ("rate_millionths", rate),
                ("min_tickets", least),
            ],
        )
        .await;
    }
    shop.publish().await;
    let total = async |n| shop.price(&[(ticket, n)], json!({})).await["total_minor"].clone();
    assert_eq!(total(4).await, json!(3600));
    assert_eq!(total(5).await, json!(3750));
}

#[tokio::test]
async fn r04_the_price_of_a_hold_stays_and_what_was_seen_is_not_exceeded() {
    let shop = Shop::draft().await;
    let ticket = shop.unlimited(1000).await;
    shop.publish().await;
    let seen = shop.price(&[(ticket, 2)], json!({})).await;
    assert_eq!(seen["total_minor"], json!(2000));
    let (answer, guest) = shop.place(&[(ticket, 2)]).await;
    let id = placed(&answer);
    shop.db
        .run("update ticket_types set price_minor = 1500")
        .await;

    let expecting = |total: i64, currency: &str| json!({ "expected_total_minor": total, "expected_currency": currency });
    let (answer, _) = shop
        .place_with(&[(ticket, 2)], expecting(2000, "EUR"))
        .await;
    assert_eq!(
        answer,
        json!({ "outcome": "price_changed", "total_minor": 3000, "currency": "EUR", "unit": "0.01" })
    );
    let (answer, _) = shop
        .place_with(&[(ticket, 2)], expecting(3000, "USD"))
        .await;
    assert_eq!(answer["outcome"], json!("price_changed"));
    let count: Json = json!(
        shop.db
            .ask_number("select count(*) from registrations")
            .await
    );
    assert_eq!(
        count,
        json!(1),
        "nothing is held at a price that nobody agreed to"
    );
    placed(
        &shop
            .place_with(&[(ticket, 2)], expecting(3000, "EUR"))
            .await
            .0,
    );

    let confirmed = shop.confirm(&guest, id.parse().unwrap()).await;
    assert_eq!(confirmed["outcome"], json!("pending_payment"));
    assert_eq!(shop.of_registration(&id, "total_minor").await, 2000);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_copy_of_an_event_costs_the_same_and_nothing_of_it_is_used() {
    let shop = Shop::draft().await;
    let (ticket, meal) = (shop.unlimited(10_000).await, shop.unlimited(500).await);
    shop.db
        .run(&format!(
            "insert into ticket_type_add_ons (org_id, event_id, ticket_type_id, add_on_id) \
             select org_id, id, '{ticket}', '{meal}' from events"
        ))
        .await;
    shop.tier(ticket, 8000, &[("quantity", "1")]).await;
    let groups = [
        ("name", "'Groups'"),
        ("kind", "'percent'"),
        ("rate_millionths", "100000"),
    ];
    shop.adds("discount_rules", &groups).await;
    let once = [("rate_millionths", "500000"), ("max_uses", "1")];
    let code = shop.code("SESAME", "percent", &once).await;
    let (code, of) = (format!("'{code}'"), format!("'{ticket}'"));
    let link = [("promo_code_id", code.as_str()), ("ticket_type_id", &of)];
    shop.adds("promo_code_ticket_types", &link).await;
    shop.tax(190_000, false).await;
    let fee = [
        ("kind", "'platform'"),
        ("name", "'Fee'"),
        ("rate_millionths", "20000"),
    ];
    shop.adds("fee_rules", &fee).await;
    shop.publish().await;
    let sesame = || json!({ "code": "SESAME" });
    let cart = [(ticket, 1), (meal, 1)];
    let (first, _) = shop.place_with(&cart, sesame()).await;
    placed(&first);

    let asked = json!({ "event_id": shop.event, "slug": "copy" });
    let made = shop.db.call(&shop.organizer(), "clone_event", &asked).await;
    let copy = Shop {
        event: made["event_id"].as_str().unwrap().parse().unwrap(),
        ..shop.clone()
    };
    copy.publish().await;
    let there = async |price: i64| {
        let sql = format!(
            "select id::text from ticket_types where event_id = '{}' and price_minor = {price}",
            copy.event
        );
        let id = copy.db.ask(&sql).await.expect("a type");
        id.parse().expect("a key")
    };
    let cart = [(there(10_000).await, 1), (there(500).await, 1)];
    let (second, _) = copy.place_with(&cart, sesame()).await;
    placed(&second);
    assert_eq!(first["total_minor"], second["total_minor"]);
    let (third, _) = copy.place_with(&cart, sesame()).await;
    assert_eq!(third["outcome"], json!("code_used_up"));
    let alone = copy.place(&cart[1..]).await.0;
    assert_eq!(alone["outcome"], json!("add_on_out_of_range"));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_sale_is_plain_until_something_makes_prices() {
    let shop = Shop::draft().await;
    let ticket = shop.unlimited(10_000).await;
    let plain = async || {
        let sql = format!("select es.is_plain_sale('{}')::text", shop.event);
        shop.db.ask(&sql).await.as_deref() == Some("true")
    };
    assert!(plain().await);
    let name = ("name", "'X'");
    let percent = [name, ("kind", "'percent'"), ("rate_millionths", "1")];
    let type_of = format!("'{ticket}'");
    let other = shop.unlimited(1).await;
    let add_on = format!("'{other}'");
    let links = [("ticket_type_id", type_of.as_str()), ("add_on_id", &add_on)];
    for table in [
        "discount_rules",
        "fee_rules",
        "tax_rules",
        "price_tiers",
        "ticket_type_add_ons",
    ] {
        let id = match table {
            "discount_rules" => shop.adds(table, &percent).await,
            "fee_rules" => shop.adds(table, &[name, ("kind", "'service'")]).await,
            "tax_rules" => shop.tax(0, true).await,
            "price_tiers" => shop.tier(ticket, 1, &[]).await,
            _ => shop.adds(table, &links).await,
        };
        assert!(!plain().await, "{table}");
        if table.ends_with("_rules") && table != "discount_rules" {
            let sql = format!("update {table} set event_id = null where id = '{id}'");
            shop.db.run(&sql).await;
            assert!(!plain().await, "{table} of the organization");
        }
        let sql = format!("delete from {table} where id = '{id}'");
        shop.db.run(&sql).await;
        assert!(plain().await, "{table} is gone");
    }
    let sql = format!("update ticket_types set price_kind = 'donation' where id = '{other}'");
    shop.db.run(&sql).await;
    assert!(!plain().await, "a donation");
    for (request, expected) in [
        (json!({ "items": [{ "quantity": 1 }] }), "true"),
        (
            json!({ "items": [{ "quantity": 1, "price_minor": null }], "code": null }),
            "true",
        ),
        (
            json!({ "items": [{ "quantity": 1 }, { "price_minor": 0 }] }),
            "false",
        ),
        (json!({ "items": [], "code": "X" }), "false"),
        (json!({ "items": [], "expected_total_minor": 0 }), "false"),
    ] {
        let sql = format!("select es.is_plain_request('{request}')::text");
        assert_eq!(
            shop.db.ask(&sql).await.as_deref(),
            Some(expected),
            "{request}"
        );
    }
}
