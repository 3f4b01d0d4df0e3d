//! Add-ons, which are bought with a ticket only, and donations, whose price the buyer chooses.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Shop, placed};
use crate::harness::outcome;

#[tokio::test]
async fn an_add_on_is_bought_with_its_ticket_only_and_within_bounds() {
    let shop = Shop::draft().await;
    let (ticket, child, meal, guide) = (
        shop.unlimited(1000).await,
        shop.unlimited(500).await,
        shop.unlimited(300).await,
        shop.unlimited(0).await,
    );
    let link = async |to: Uuid, add_on: Uuid, least: &str, most: &str| {
        let (to, add_on) = (format!("'{to}'"), format!("'{add_on}'"));
        let columns = [
            ("ticket_type_id", to.as_str()),
            ("add_on_id", &add_on),
            ("min_per_ticket", least),
            ("max_per_ticket", most),
        ];
        shop.adds("ticket_type_add_ons", &columns).await;
    };
    link(ticket, meal, "0", "2").await;
    link(child, meal, "0", "1").await;
    link(ticket, guide, "1", "1").await;
    shop.publish().await;

    let refused = |add_on: Uuid, requested: i64, minimum: i64, maximum: i64| {
        json!({ "outcome": "add_on_out_of_range", "ticket_types": [{
            "ticket_type_id": add_on, "requested": requested, "minimum": minimum, "maximum": maximum,
        }] })
    };
    for (cart, answer) in [
        (vec![(meal, 1)], refused(meal, 1, 0, 0)),
        (
            vec![(ticket, 2), (guide, 2), (meal, 5)],
            refused(meal, 5, 0, 4),
        ),
        (vec![(ticket, 2), (guide, 1)], refused(guide, 1, 2, 2)),
        (vec![(child, 1), (meal, 2)], refused(meal, 2, 0, 1)),
    ] {
        assert_eq!(shop.place(&cart).await.0, answer);
        assert_eq!(shop.price(&cart, json!({})).await, answer);
    }
    placed(&shop.place(&[(child, 3)]).await.0);
    let cart = [(meal, 3), (guide, 1), (child, 1), (ticket, 1)];
    let (answer, _) = shop.place(&cart).await;
    placed(&answer);
    assert_eq!(answer["total_minor"], json!(2400));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn the_price_of_a_donation_is_its_givers() {
    let shop = Shop::draft().await;
    let (ticket, gift) = (shop.unlimited(1000).await, shop.unlimited(2500).await);
    shop.db
        .run(&format!(
            "update ticket_types set price_kind = 'donation', min_price_minor = 500 where id = '{gift}'"
        ))
        .await;
    let all = [("rate_millionths", "1000000")];
    shop.code("ALL-FREE", "percent", &all).await;
    shop.publish().await;

    let item = |of: Uuid, price: Json, currency: &str| json!({ "ticket_type_id": of, "quantity": 1, "price_minor": price, "currency": currency });
    let buying = async |items: Json| {
        let more = json!({ "items": items });
        let seen = shop.price(&[], more.clone()).await;
        let (answer, _) = shop.place_with(&[], more).await;
        if outcome(&answer) == "placed" {
            assert_eq!(seen["total_minor"], answer["total_minor"]);
        } else {
            assert_eq!(seen, answer);
        }
        answer
    };
    for wrong in [
        item(gift, json!(499), "EUR"),
        item(gift, json!(100_000_000_001_i64), "EUR"),
        item(gift, json!(500), "USD"),
        item(ticket, json!(500), "EUR"),
    ] {
        let answer = buying(json!([wrong])).await;
        assert_eq!(outcome(&answer), "price_out_of_range", "{wrong}");
    }
    let answer = buying(json!([
        item(gift, json!(500), "EUR"),
        item(gift, json!(7300), "EUR")
    ]))
    .await;
    assert_eq!(
        shop.items(&placed(&answer), "price_minor").await,
        "500 7300"
    );
    let suggested = json!([{ "ticket_type_id": gift, "quantity": 2 }]);
    assert_eq!(buying(suggested).await["total_minor"], json!(5000));

    // A code takes nothing off a gift, and is for nothing where there are gifts alone.
    let both = json!({ "code": "ALL-FREE", "items": [
        item(gift, json!(800), "EUR"), { "ticket_type_id": ticket, "quantity": 1 },
    ] });
    let (answer, _) = shop.place_with(&[], both).await;
    assert_eq!(shop.items(&placed(&answer), "price_minor").await, "800 0");
    let (answer, _) = shop
        .place_with(&[(gift, 1)], json!({ "code": "ALL-FREE" }))
        .await;
    assert_eq!(outcome(&answer), "code_not_applicable");
    shop.db.assert_whole().await;
}
