//! R2 and R3: a hold counts until its instant and not a moment longer, with or without a sweeper.

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{BUYERS, all_at_once, outcome},
    shop::{HOLD, Shop, Sold},
};

#[tokio::test]
async fn r02_expired_hold_frees_stock_without_a_sweeper() {
    let (shop, ticket_type) = Shop::simple(3).await;
    let (first, guest) = shop.placed(&[(ticket_type, 3)]).await;
    assert_eq!(shop.available(ticket_type).await, Some(0));
    assert_eq!(shop.sale_status(ticket_type).await, "sold_out");
    let (answer, _) = shop.place(&[(ticket_type, 1)]).await;
    assert_eq!(outcome(&answer), "sold_out");
    assert_eq!(answer["ticket_types"][0]["available"], json!(0));

    shop.db.advance(HOLD + 1).await;
    assert_eq!(shop.status(first).await, "held", "nobody has touched it");
    assert_eq!(shop.available(ticket_type).await, Some(3));
    assert_eq!(shop.sale_status(ticket_type).await, "on_sale");
    shop.db.assert_whole().await;

    let (second, _) = shop.placed(&[(ticket_type, 2)]).await;
    assert_eq!(
        shop.status(first).await,
        "expired",
        "whoever sells its stock says so"
    );
    let events = format!(
        "select count(*) from outbox where object_id = '{first}' and type = 'registration.expired'"
    );
    assert_eq!(shop.db.ask_number(&events).await, 1);
    assert_eq!(shop.available(ticket_type).await, Some(1));
    assert_eq!(outcome(&shop.confirm(&guest, first).await), "hold_expired");
    assert_eq!(shop.status(second).await, "held");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r02_no_hold_is_ended_while_there_is_other_stock() {
    let (shop, ticket_type) = Shop::simple(10).await;
    let (late, _) = shop.placed(&[(ticket_type, 4)]).await;
    shop.db.advance(HOLD + 1).await;
    shop.placed(&[(ticket_type, 6)]).await;
    assert_eq!(shop.status(late).await, "held");
    assert_eq!(shop.available(ticket_type).await, Some(4));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r02_the_instant_of_expiry_itself_is_too_late() {
    let (shop, ticket_type) = Shop::simple(1).await;
    let (hold, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let tickets = shop.tickets(&guest, hold).await;
    let instant = format!("select expires_at::text from registrations where id = '{hold}'");
    let instant = shop.db.ask(&instant).await.unwrap();
    shop.db
        .run(&format!(
            "set role es_owner; create or replace function es.clock() returns timestamptz volatile \
             return timestamptz '{instant}'; reset role"
        ))
        .await;
    assert_eq!(shop.available(ticket_type).await, Some(1));
    let request = json!({ "registration_id": hold, "tickets": tickets });
    let answer = shop.db.call(&guest, "confirm_registration", &request).await;
    assert_eq!(outcome(&answer), "hold_expired");
}

#[tokio::test]
async fn r02_a_claim_in_a_pool_that_nobody_locked_counts_as_free_until_it_is_met_there() {
    let shop = Shop::draft().await;
    let (hall, meals) = (shop.pool(Some(2)).await, shop.pool(Some(2)).await);
    let both = shop
        .sells(Sold {
            price: 0,
            pools: &[hall, meals],
        })
        .await;
    let only_hall = shop
        .sells(Sold {
            price: 0,
            pools: &[hall],
        })
        .await;
    let only_meal = shop
        .sells(Sold {
            price: 0,
            pools: &[meals],
        })
        .await;
    shop.publish().await;

    let (gone, _) = shop.placed(&[(both, 2)]).await;
    shop.db.advance(HOLD + 1).await;
    shop.placed(&[(only_hall, 2)]).await;
    assert_eq!(shop.status(gone).await, "expired");
    let claimed = |pool: Uuid| format!("select claimed from capacity_pools where id = '{pool}'");
    assert_eq!(shop.db.ask_number(&claimed(hall)).await, 2);
    assert_eq!(
        shop.db.ask_number(&claimed(meals)).await,
        2,
        "left for whoever comes there"
    );
    assert_eq!(shop.available(only_meal).await, Some(2));
    shop.db.assert_whole().await;

    shop.placed(&[(only_meal, 1)]).await;
    assert_eq!(shop.available(only_meal).await, Some(1));
    shop.sweep().await;
    assert_eq!(shop.db.ask_number(&claimed(meals)).await, 1);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r03_an_unpaid_registration_keeps_its_stock_until_it_is_set_to_expired() {
    let shop = Shop::draft().await;
    let pool = shop.pool(Some(1)).await;
    let paid = shop
        .sells(Sold {
            price: 2500,
            pools: &[pool],
        })
        .await;
    shop.publish().await;
    let (unpaid, guest) = shop.placed(&[(paid, 1)]).await;
    let answer = shop.confirm(&guest, unpaid).await;
    assert_eq!(outcome(&answer), "pending_payment");
    assert!(answer["expires_at"].is_string());

    shop.db.advance(2 * HOLD).await;
    assert_eq!(shop.available(paid).await, Some(0));
    assert_eq!(outcome(&shop.place(&[(paid, 1)]).await.0), "sold_out");
    shop.db.assert_whole().await;

    assert_eq!(shop.sweep().await, 1);
    assert_eq!(shop.status(unpaid).await, "expired");
    assert_eq!(shop.available(paid).await, Some(1));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn the_sweeper_gives_back_what_expired_and_nothing_else() {
    let (shop, ticket_type) = Shop::simple(10).await;
    let (late, _) = shop.placed(&[(ticket_type, 2)]).await;
    let (confirmed, guest) = shop.placed(&[(ticket_type, 1)]).await;
    shop.confirm(&guest, confirmed).await;
    let unlimited = shop
        .sells(Sold {
            price: 0,
            pools: &[],
        })
        .await;
    let (without_stock, _) = shop.placed(&[(unlimited, 3)]).await;
    assert_eq!(shop.sweep().await, 0);

    shop.db.advance(HOLD + 1).await;
    let (fresh, _) = shop.placed(&[(ticket_type, 1)]).await;
    assert_eq!(shop.sweep().await, 2);
    assert_eq!(shop.sweep().await, 0, "once is enough");
    assert_eq!(shop.status(late).await, "expired");
    assert_eq!(shop.status(without_stock).await, "expired");
    assert_eq!(shop.status(confirmed).await, "confirmed");
    assert_eq!(shop.status(fresh).await, "held");
    assert_eq!(shop.available(ticket_type).await, Some(8));
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirming_and_expiring_at_the_same_instant_leave_one_of_the_two() {
    const ROUNDS: usize = 25;
    let (mut confirmed, mut expired) = (0, 0);
    let (shop, _) = Shop::simple(1).await;
    for _ in 0..ROUNDS {
        let pool = shop.pool(Some(1)).await;
        let ticket_type = shop
            .sells(Sold {
                price: 0,
                pools: &[pool],
            })
            .await;
        let (hold, guest) = shop.placed(&[(ticket_type, 1)]).await;
        let racing = shop.clone();
        // Time passes the hold while one confirms it, one sweeps, and one wants its place.
        let said = all_at_once(4, 4, move |number| {
            let (shop, guest) = (racing.clone(), guest.clone());
            async move {
                match number {
                    0 => outcome(&shop.confirm(&guest, hold).await).to_owned(),
                    1 => {
                        shop.db.advance(HOLD).await;
                        String::new()
                    }
                    2 => shop.sweep().await.to_string(),
                    _ => outcome(&shop.place(&[(ticket_type, 1)]).await.0).to_owned(),
                }
            }
        })
        .await;
        let status = shop.status(hold).await;
        assert!(
            matches!(status.as_str(), "confirmed" | "expired" | "held"),
            "{status}"
        );
        let was_confirmed = said.iter().any(|word| word == "confirmed");
        assert_eq!(was_confirmed, status == "confirmed", "{said:?}");
        assert!(
            !(was_confirmed && said.iter().any(|word| word == "placed")),
            "sold twice: {said:?}"
        );
        confirmed += usize::from(was_confirmed);
        expired += usize::from(status == "expired");
        shop.db.assert_whole().await;
    }
    assert!(confirmed + expired > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sweepers_beside_buyers_end_each_hold_once() {
    let (shop, ticket_type) = Shop::simple(40).await;
    for _ in 0..40 {
        shop.placed(&[(ticket_type, 1)]).await;
    }
    shop.db.advance(HOLD + 1).await;
    let racing = shop.clone();
    all_at_once(BUYERS, 60, move |number| {
        let shop = racing.clone();
        async move {
            if number.is_multiple_of(3) {
                shop.sweep().await;
            } else {
                shop.place(&[(ticket_type, 1)]).await;
            }
        }
    })
    .await;
    shop.sweep().await;
    let told = "select count(*) from outbox where type = 'registration.expired'";
    let gone = "select count(*) from registrations where status = 'expired'";
    assert_eq!(shop.db.ask_number(told).await, 40);
    assert_eq!(shop.db.ask_number(gone).await, 40);
    assert_eq!(shop.taken().await, 40, "40 buyers for 40 places");
    shop.db.assert_whole().await;
}
