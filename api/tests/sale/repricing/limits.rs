//! Limits that changes respect: uses of codes in all and per buyer, add-ons with their tickets, prices of donations.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{claims, live, placed, sesame, sums};
use crate::{
    harness::outcome,
    shop::{HOLD, Shop},
};

async fn coded(more: &[(&str, &str)]) -> (Shop, [Uuid; 2]) {
    let shop = Shop::draft().await;
    let types = [shop.unlimited(1000).await, shop.unlimited(3000).await];
    let mut columns = vec![("rate_millionths", "500000"), ("counted_by", "'ticket'")];
    columns.extend_from_slice(more);
    let code = shop.code("SESAME", "percent", &columns).await;
    // It is for the first type alone.
    shop.db
        .run(&format!(
            "insert into promo_code_ticket_types (org_id, event_id, promo_code_id, ticket_type_id) \
             values ('{}', '{}', '{code}', '{}')",
            shop.org, shop.event, types[0]
        ))
        .await;
    shop.publish().await;
    (shop, types)
}

#[tokio::test]
async fn r10_changes_use_a_code_so_often_and_no_more() {
    let (shop, [meant, other]) = coded(&[("max_uses", "3")]).await;
    let (registration, guest) = placed(&shop, &[(meant, 2)], sesame()).await;
    let uses = async || claims(&shop, registration, "code").await;
    assert_eq!(uses().await, 2);
    shop.add(&guest, registration, other).await;
    assert_eq!(uses().await, 2, "it is not for that type");
    shop.add(&guest, registration, meant).await;
    assert_eq!(
        live(&shop, registration, "price_minor").await,
        "500 500 3000 500"
    );
    let before = sums(&shop, registration).await;
    let answer = shop.add(&guest, registration, meant).await;
    assert_eq!(
        (outcome(&answer), &answer["left"]),
        ("code_used_up", &json!(0)),
        "{answer}"
    );
    assert_eq!(sums(&shop, registration).await, before);
    // A use that leaves is there for the one that comes in the same change, and for others after it.
    let items = shop.units(registration).await;
    let swaps = json!([
        { "item_id": items[0], "ticket_type_id": other },
        { "item_id": items[2], "ticket_type_id": meant },
    ]);
    let answer = shop
        .change(&guest, registration, json!({ "swaps": swaps }))
        .await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(
        live(&shop, registration, "price_minor").await,
        "3000 500 500 500"
    );
    shop.cancel_units(&guest, registration, &items[1..3]).await;
    assert_eq!(uses().await, 1);
    let (second, _) = placed(&shop, &[(meant, 2)], sesame()).await;
    assert_eq!(claims(&shop, second, "code").await, 2);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r10_the_limit_of_the_buyer_is_the_buyers_whoever_changes() {
    let (shop, [meant, _]) = coded(&[("max_uses_per_buyer", "3")]).await;
    let (first, _) = placed(&shop, &[(meant, 1)], sesame()).await;
    let (second, guest) = placed(&shop, &[(meant, 1)], sesame()).await;
    let answer = shop.add(&guest, second, meant).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    for who in [&guest, &shop.organizer()] {
        let answer = shop.add(who, second, meant).await;
        assert_eq!(outcome(&answer), "code_used_by_buyer", "{answer}");
    }
    let items = shop.units(second).await;
    shop.cancel_units(&guest, second, &items[..1]).await;
    let answer = shop.add(&shop.organizer(), second, meant).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");

    // The second runs out, the first makes all three uses: it is not bought again.
    shop.set(json!({ "hold_extension_seconds": 86_400 })).await;
    shop.db.advance(HOLD - 10).await;
    let organizer = shop.organizer();
    let longer = shop.extend(&organizer, first).await;
    assert_eq!(outcome(&longer), "extended", "{longer}");
    shop.db.advance(20).await;
    for _ in 0..2 {
        let answer = shop.add(&organizer, first, meant).await;
        assert_eq!(outcome(&answer), "changed", "{answer}");
    }
    let again = shop.extend(&organizer, second).await;
    assert_eq!(outcome(&again), "code_used_by_buyer", "{again}");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_code_that_is_over_prices_nothing_that_comes_and_leaves_what_it_gave() {
    let (shop, [meant, _]) = coded(&[("max_uses", "9")]).await;
    let (registration, guest) = placed(&shop, &[(meant, 2)], sesame()).await;
    for over in ["ends_at = es.clock()", "ends_at = null, active = false"] {
        shop.db.run(&format!("update promo_codes set {over}")).await;
        shop.add(&guest, registration, meant).await;
    }
    assert_eq!(
        live(&shop, registration, "price_minor, coded").await,
        "500/t 500/t 1000/f 1000/f"
    );
    assert_eq!(claims(&shop, registration, "code").await, 2);
    let items = shop.units(registration).await;
    shop.cancel_units(&guest, registration, &items[..2]).await;
    assert_eq!(claims(&shop, registration, "code").await, 0);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_use_of_a_registration_is_given_back_with_its_last_unit() {
    let (shop, [meant, other]) = coded(&[("max_uses", "1")]).await;
    shop.db
        .run("update promo_codes set counted_by = 'registration'")
        .await;
    let (registration, guest) = placed(&shop, &[(meant, 2), (other, 1)], sesame()).await;
    assert_eq!(claims(&shop, registration, "code").await, 1);
    let answer = shop.add(&guest, registration, meant).await;
    assert_eq!(outcome(&answer), "changed", "one use for all: {answer}");
    let items = shop.units(registration).await;
    shop.cancel_units(&guest, registration, &items[..1]).await;
    assert_eq!(claims(&shop, registration, "code").await, 1);
    shop.cancel_units(&guest, registration, &[items[1], items[3]])
        .await;
    assert_eq!(claims(&shop, registration, "code").await, 0);
    placed(&shop, &[(meant, 1)], sesame()).await;
    let answer = shop.add(&guest, registration, meant).await;
    assert_eq!(outcome(&answer), "code_used_up", "{answer}");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_code_unlocks_for_changes_what_it_unlocks_for_placing() {
    let (shop, [_, other]) = coded(&[("unlocks_hidden", "true")]).await;
    shop.db
        .run(&format!(
            "delete from promo_code_ticket_types; update ticket_types set hidden = true where id = '{other}'"
        ))
        .await;
    let (registration, guest) = placed(&shop, &[(other, 1)], sesame()).await;
    let answer = shop.add(&guest, registration, other).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    shop.db
        .run("update promo_codes set ends_at = es.clock()")
        .await;
    let answer = shop.add(&guest, registration, other).await;
    assert_eq!(outcome(&answer), "ticket_type_not_found", "{answer}");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn add_ons_come_and_stay_with_their_tickets() {
    let shop = Shop::draft().await;
    let (seat, meal) = (shop.unlimited(1000).await, shop.unlimited(200).await);
    let link = [
        ("ticket_type_id", format!("'{seat}'")),
        ("add_on_id", format!("'{meal}'")),
    ];
    let columns: Vec<_> = link
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    shop.adds("ticket_type_add_ons", &columns).await;
    shop.publish().await;
    let (registration, guest) = placed(&shop, &[(seat, 1)], json!({})).await;
    let answer = shop.add(&guest, registration, meal).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    let answer = shop.add(&guest, registration, meal).await;
    assert_eq!(outcome(&answer), "add_on_out_of_range", "{answer}");
    shop.add(&guest, registration, seat).await;
    let answer = shop.add(&guest, registration, meal).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    let items = shop.units(registration).await;
    let answer = shop.cancel_units(&guest, registration, &items[..1]).await;
    assert_eq!(
        (outcome(&answer), &answer["ticket_types"][0]["maximum"]),
        ("add_on_out_of_range", &json!(1)),
        "{answer}"
    );
    let answer = shop.cancel_units(&guest, registration, &items[..2]).await;
    assert_eq!(outcome(&answer), "units_cancelled", "{answer}");
    // What organizers change later binds those who come, and is no reason to keep those who go.
    shop.db
        .run("update ticket_type_add_ons set min_per_ticket = 1, max_per_ticket = 1; delete from ticket_type_add_ons")
        .await;
    let answer = shop.cancel_units(&guest, registration, &items[3..]).await;
    assert_eq!(outcome(&answer), "units_cancelled", "{answer}");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn who_adds_a_donation_says_what_is_given() {
    let shop = Shop::draft().await;
    let (seat, gift) = (shop.unlimited(1000).await, shop.unlimited(500).await);
    shop.db
        .run(&format!(
            "update ticket_types set price_kind = 'donation', min_price_minor = 300 where id = '{gift}'"
        ))
        .await;
    shop.publish().await;
    let (registration, guest) = placed(&shop, &[(seat, 1)], json!({})).await;
    let give = async |ticket_type: Uuid, price: Json| {
        let adds = json!([{
            "item_id": Uuid::now_v7(), "ticket_type_id": ticket_type, "price_minor": price, "currency": "EUR",
        }]);
        let answer = shop
            .change(&guest, registration, json!({ "adds": adds }))
            .await;
        outcome(&answer).to_owned()
    };
    assert_eq!(give(gift, json!(700)).await, "changed");
    assert_eq!(give(gift, json!(299)).await, "price_out_of_range");
    assert_eq!(give(seat, json!(2000)).await, "price_out_of_range");
    assert_eq!(live(&shop, registration, "total_minor").await, "1000 700");
    shop.db.advance(HOLD + 1).await;
    let again = shop.extend(&guest, registration).await;
    assert_eq!(
        (outcome(&again), &again["total_minor"]),
        ("extended", &json!(1700)),
        "what was given is given again: {again}"
    );
    shop.db.assert_whole().await;
}
