//! Cancelling from every state, and single units of a registration that goes on.

use serde_json::json;

use crate::{
    harness::outcome,
    shop::{HOLD, Shop, Sold},
};

#[tokio::test]
async fn each_living_state_can_be_cancelled_and_no_other() {
    let (shop, pool, [free, dear]) = Shop::two_types(9, [0, 5000]).await;
    let (held, held_guest) = shop.placed(&[(free, 1)]).await;
    let (confirmed, confirmed_guest) = shop.confirmed(&[(free, 1)]).await;
    let (unpaid, unpaid_guest) = shop.placed(&[(dear, 1)]).await;
    shop.confirm(&unpaid_guest, unpaid).await;
    shop.set(json!({ "requires_approval": true })).await;
    let (waiting, waiting_guest) = shop.placed(&[(free, 1)]).await;
    shop.confirm(&waiting_guest, waiting).await;
    let (refused, refused_guest) = shop.placed(&[(free, 1)]).await;
    shop.confirm(&refused_guest, refused).await;
    shop.reject(&[refused], "skip_failed").await;
    for (registration, guest) in [
        (held, &held_guest),
        (confirmed, &confirmed_guest),
        (unpaid, &unpaid_guest),
        (waiting, &waiting_guest),
    ] {
        let answer = shop.cancel(guest, registration).await;
        assert_eq!(
            (outcome(&answer), &answer["already"]),
            ("cancelled", &json!(false)),
            "{answer}"
        );
        assert_eq!(
            shop.cancel(guest, registration).await["already"],
            json!(true)
        );
    }
    assert_eq!(
        outcome(&shop.cancel(&refused_guest, refused).await),
        "registration_rejected"
    );
    assert_eq!(shop.claimed(pool).await, 0);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn single_units_are_cancelled_and_the_rest_goes_on() {
    let (shop, pool, [ticket_type, _]) = Shop::two_types(3, [0, 0]).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 3)]).await;
    let items = shop.units(registration).await;
    let answer = shop.cancel_units(&guest, registration, &items[..1]).await;
    assert_eq!(outcome(&answer), "units_cancelled", "{answer}");
    assert_eq!(shop.status(registration).await, "confirmed");
    assert_eq!(shop.claimed(pool).await, 2);
    assert_eq!(shop.valid_tickets(registration).await.len(), 2);
    assert_eq!(shop.units(registration).await, items[1..]);
    shop.db.assert_whole().await;
    let again = shop.cancel_units(&guest, registration, &items[..1]).await;
    assert_eq!(outcome(&again), "item_not_found", "it is no unit any more");
    let rest = shop.cancel_units(&guest, registration, &items[1..]).await;
    assert_eq!(outcome(&rest), "cancelled", "all units are the whole");
    assert_eq!(shop.claimed(pool).await, 0);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_unit_less_costs_less_and_a_hold_without_it_is_confirmed_with_the_rest() {
    let (shop, _, [free, dear]) = Shop::two_types(9, [0, 5000]).await;
    let (registration, guest) = shop.placed(&[(free, 1), (dear, 2)]).await;
    let items = shop.units(registration).await;
    for (item, total) in [(items[1], 5000), (items[2], 0)] {
        let answer = shop.cancel_units(&guest, registration, &[item]).await;
        assert_eq!(
            (outcome(&answer), &answer["total_minor"]),
            ("units_cancelled", &json!(total))
        );
        shop.db.assert_whole().await;
    }
    assert_eq!(
        outcome(&shop.confirm(&guest, registration).await),
        "confirmed"
    );
    assert_eq!(shop.valid_tickets(registration).await.len(), 1);
    shop.db.advance(10 * HOLD).await;
    assert_eq!(shop.sweep().await, 0);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn buyers_leave_no_fewer_of_a_type_than_may_be_had() {
    let (shop, ticket_type) = Shop::simple(9).await;
    shop.db
        .run("update ticket_types set min_per_registration = 2")
        .await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 3)]).await;
    let items = shop.units(registration).await;
    let answer = shop.cancel_units(&guest, registration, &items[..2]).await;
    assert_eq!(outcome(&answer), "quantity_out_of_range", "{answer}");
    let organizer = shop.organizer();
    let answer = shop
        .cancel_units(&organizer, registration, &items[..2])
        .await;
    assert_eq!(outcome(&answer), "units_cancelled", "{answer}");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_pool_that_was_unlinked_after_the_sale_gets_its_stock_back() {
    let shop = Shop::draft().await;
    let pools = [shop.pool(Some(5)).await, shop.pool(Some(5)).await];
    let ticket_type = shop
        .sells(Sold {
            price: 0,
            pools: &pools,
        })
        .await;
    shop.publish().await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 3)]).await;
    shop.db
        .run(&format!(
            "delete from ticket_type_pools where pool_id = '{}'",
            pools[1]
        ))
        .await;
    let items = shop.units(registration).await;
    shop.cancel_units(&guest, registration, &items[..2]).await;
    assert_eq!(
        (shop.claimed(pools[0]).await, shop.claimed(pools[1]).await),
        (1, 1)
    );
    shop.db.assert_whole().await;
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
