//! Everybody locks in one order: no deadlock, whatever meets whatever.

use crate::{
    harness::{BUYERS, all_at_once, outcome},
    shop::{HOLD, Shop, Sold},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_shared_pools_in_opposite_order_never_deadlock() {
    let shop = Shop::draft().await;
    let (hall, meals) = (shop.pool(Some(30)).await, shop.pool(Some(30)).await);
    let one = shop
        .sells(Sold {
            price: 0,
            pools: &[hall, meals],
        })
        .await;
    let two = shop
        .sells(Sold {
            price: 0,
            pools: &[meals],
        })
        .await;
    let three = shop
        .sells(Sold {
            price: 0,
            pools: &[hall],
        })
        .await;
    shop.publish().await;

    let racing = shop.clone();
    // A deadlock would be an error of one of the statements, and those fail the test.
    all_at_once(BUYERS, 400, move |number| {
        let shop = racing.clone();
        async move {
            let wishes = match number % 3 {
                0 => vec![(two, 1), (three, 1)],
                1 => vec![(three, 1), (two, 1)],
                _ => vec![(one, 1), (three, 1)],
            };
            let (answer, guest) = shop.place(&wishes).await;
            if outcome(&answer) == "placed" {
                let id = answer["registration_id"].as_str().unwrap().parse().unwrap();
                match number % 4 {
                    0 => drop(shop.confirm(&guest, id).await),
                    1 | 2 => drop(shop.cancel(&guest, id).await),
                    _ => {}
                }
            }
            match number % 50 {
                10 => shop.db.advance(HOLD + 1).await,
                30 => drop(shop.sweep().await),
                _ => {}
            }
        }
    })
    .await;
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_attendees_in_opposite_order_never_deadlock() {
    let (shop, ticket_type) = Shop::simple(1000).await;
    let racing = shop.clone();
    let answers = all_at_once(BUYERS, 120, move |number| {
        let shop = racing.clone();
        async move {
            let mut people: Vec<_> = (0..6)
                .map(|n| serde_json::json!({ "name": "N", "email": format!("{n}@example.com") }))
                .collect();
            if number.is_multiple_of(2) {
                people.reverse();
            }
            let mut request = shop.request(&[(ticket_type, 6)]);
            request["items"][0]["attendees"] = people.into();
            let visitor = crate::harness::As::visitor(shop.org);
            shop.db.call(&visitor, "place_registration", &request).await
        }
    })
    .await;
    assert!(answers.iter().all(|answer| outcome(answer) == "placed"));
    assert_eq!(
        shop.db.ask_number("select count(*) from attendees").await,
        6
    );
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sale_slips_past_the_cancelling_of_its_event() {
    let shop = Shop::draft().await;
    let pool = shop.pool(Some(500)).await;
    let stocked = shop
        .sells(Sold {
            price: 0,
            pools: &[pool],
        })
        .await;
    // Without a pool there is no lock but the event's own.
    let unlimited = shop
        .sells(Sold {
            price: 0,
            pools: &[],
        })
        .await;
    shop.publish().await;
    let racing = shop.clone();
    let said = all_at_once(BUYERS, 200, move |number| {
        let shop = racing.clone();
        async move {
            if number == 100 {
                return outcome(&shop.change_status("cancelled").await).to_owned();
            }
            let wish = if number.is_multiple_of(2) {
                stocked
            } else {
                unlimited
            };
            let (answer, guest) = shop.place(&[(wish, 1)]).await;
            if outcome(&answer) == "placed" && number.is_multiple_of(3) {
                let id = answer["registration_id"].as_str().unwrap().parse().unwrap();
                shop.confirm(&guest, id).await;
            }
            outcome(&answer).to_owned()
        }
    })
    .await;
    let count = |word: &str| said.iter().filter(|one| *one == word).count();
    assert_eq!(count("changed"), 1);
    assert_eq!(count("placed") + count("sale_not_open"), 199);
    assert!(count("placed") > 0 && count("sale_not_open") > 0);
    assert_eq!(shop.taken().await, 0, "a registration outlived its event");
    shop.db.assert_whole().await;
}
