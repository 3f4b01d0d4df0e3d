//! Registrations whose prices were reckoned from more than a list: what single units of them leave, and what other ones
//! would cost, is not known, so such changes are refused; all else works for them as for others.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, Db, outcome},
    shop::{HOLD, Shop, Sold},
};

/// What makes prices be reckoned.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Tier,
    Tax,
    Code,
}

/// A published event with two types of one pool of 4, and what is said when placing there.
async fn shop(db: &Db, by: By) -> (Shop, Uuid, [Uuid; 2], Json) {
    let shop = Shop::draft_in(db).await;
    let pool = shop.pool(Some(4)).await;
    let pools = [pool];
    let mut types = vec![];
    for price in [1000, 2000] {
        types.push(
            shop.sells(Sold {
                price,
                pools: &pools,
            })
            .await,
        );
    }
    match by {
        By::Tier => drop(shop.tier(types[0], 600, &[("quantity", "9")]).await),
        By::Tax => drop(shop.tax(200_000, false).await),
        By::Code => {
            let tenth = [("rate_millionths", "100000")];
            shop.code("SESAME", "percent", &tenth).await;
        }
    }
    shop.publish().await;
    let said = match by {
        By::Code => json!({ "code": "SESAME" }),
        _ => json!({}),
    };
    (shop, pool, [types[0], types[1]], said)
}

async fn placed(shop: &Shop, wishes: &[(Uuid, i64)], said: &Json) -> (Uuid, As) {
    let (answer, guest) = shop.place_with(wishes, said.clone()).await;
    assert_eq!(outcome(&answer), "placed", "{answer}");
    let id = answer["registration_id"].as_str().expect("a key");
    (id.parse().expect("a UUID"), guest)
}

fn all() -> [By; 3] {
    [By::Tier, By::Tax, By::Code]
}

#[tokio::test]
async fn r13_what_would_be_reckoned_anew_is_refused_and_all_else_is_done() {
    let db = Db::new().await;
    for by in all() {
        let (shop, pool, [one, other], said) = shop(&db, by).await;
        let (registration, guest) = placed(&shop, &[(one, 2)], &said).await;
        let items = shop.units(registration).await;
        let total = format!("select total_minor from registrations where id = '{registration}'");
        let before = shop.db.ask_number(&total).await;
        for who in [&guest, &shop.organizer()] {
            for answer in [
                shop.swap(who, registration, items[0], other).await,
                shop.add(who, registration, one).await,
                shop.cancel_units(who, registration, &items[..1]).await,
            ] {
                assert_eq!(outcome(&answer), "priced_otherwise", "{by:?}: {answer}");
            }
        }
        assert_eq!(shop.claimed(pool).await, 2, "{by:?}");
        let name = json!([{ "item_id": items[0], "name": "Zoe", "email": "zoe@example.com" }]);
        let renamed = shop
            .change(&guest, registration, json!({ "reassigns": name }))
            .await;
        assert_eq!(outcome(&renamed), "changed", "{by:?}: {renamed}");
        shop.db.advance(60).await;
        let longer = shop.extend(&guest, registration).await;
        assert_eq!(outcome(&longer), "extended", "{by:?}: {longer}");
        assert_eq!(shop.db.ask_number(&total).await, before, "{by:?}");
        shop.db.assert_whole().await;
        let whole = shop.cancel_units(&guest, registration, &items).await;
        assert_eq!(outcome(&whole), "cancelled", "{by:?}: {whole}");
        assert_eq!(shop.claimed(pool).await, 0, "{by:?}");
        shop.db.assert_whole().await;
    }
}

#[tokio::test]
async fn r04_a_hold_that_ran_out_is_not_taken_again_at_prices_that_were_not_reckoned() {
    let db = Db::new().await;
    for by in all() {
        let (shop, _, [one, _], said) = shop(&db, by).await;
        let (registration, guest) = placed(&shop, &[(one, 2)], &said).await;
        shop.db.advance(HOLD + 1).await;
        let answer = shop.extend(&guest, registration).await;
        assert_eq!(outcome(&answer), "priced_otherwise", "{by:?}: {answer}");
        assert_eq!(shop.status(registration).await, "expired", "{by:?}");
        assert_eq!(shop.available(one).await, Some(4), "{by:?}");
        shop.db.assert_whole().await;
    }
}

#[tokio::test]
async fn r14_approving_takes_no_units_of_a_tier_or_uses_of_a_code_again() {
    let db = Db::new().await;
    for (by, kept, expected) in [
        (By::Tier, false, "priced_otherwise"),
        (By::Code, false, "priced_otherwise"),
        // Nothing but places was given back.
        (By::Tax, false, "pending_payment"),
        (By::Tier, true, "pending_payment"),
        (By::Code, true, "pending_payment"),
    ] {
        let (shop, _, [one, _], said) = shop(&db, by).await;
        shop.set(json!({ "requires_approval": true, "pending_keeps_stock": kept }))
            .await;
        let (registration, guest) = placed(&shop, &[(one, 2)], &said).await;
        let waits = shop.confirm(&guest, registration).await;
        assert_eq!(outcome(&waits), "pending_approval", "{by:?}: {waits}");
        shop.db.assert_whole().await;
        let answer = shop.approve(&[registration], "skip_failed").await;
        let said = outcome(&answer["results"][0]);
        assert_eq!(said, expected, "{by:?}, kept: {kept}: {answer}");
        shop.db.assert_whole().await;
    }
}

#[tokio::test]
async fn r11_a_single_place_that_is_cancelled_is_offered_to_who_waits() {
    let (shop, ticket_type) = Shop::simple(3).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 3)]).await;
    shop.waits("wanda", &[(ticket_type, 1)]).await;
    assert_eq!(shop.serve(10).await, 0);
    let items = shop.units(registration).await;
    let less = shop.cancel_units(&guest, registration, &items[..1]).await;
    assert_eq!(outcome(&less), "units_cancelled", "{less}");
    let taken = shop.place(&[(ticket_type, 1)]).await.0;
    assert_eq!(
        outcome(&taken),
        "sold_out",
        "it is kept for who waits: {taken}"
    );
    assert_eq!(shop.serve(10).await, 1);
    shop.db.assert_whole().await;
}
