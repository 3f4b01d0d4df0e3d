//! Holds of staff: what is set aside is not for the public, until it is sold from the hold, released, or its time is up.

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{As, BUYERS, all_at_once, code, outcome},
    queue::id,
    shop::{Shop, Sold},
};

#[tokio::test]
async fn r01_what_is_held_is_not_sold_to_the_public_but_from_the_hold() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let made = shop
        .hold(ticket_type, 3, json!({ "key_hash": "aa01" }))
        .await;
    assert_eq!(outcome(&made), "created", "{made}");
    assert_eq!(shop.available(ticket_type).await, Some(2));
    let (answer, _) = shop.place(&[(ticket_type, 3)]).await;
    assert_eq!(outcome(&answer), "sold_out");
    shop.placed(&[(ticket_type, 2)]).await;
    assert_eq!(shop.sale_status(ticket_type).await, "sold_out");

    let from_hold = json!({ "hold_key_hash": "aa01" });
    let sold = shop
        .place_from(&[(ticket_type, 2)], from_hold.clone())
        .await;
    assert_eq!(outcome(&sold), "placed", "{sold}");
    let more = shop
        .place_from(&[(ticket_type, 2)], from_hold.clone())
        .await;
    assert_eq!((outcome(&more), &more["left"]), ("hold_used_up", &json!(1)));
    let last = shop
        .place_from(&[(ticket_type, 1)], from_hold.clone())
        .await;
    assert_eq!(outcome(&last), "placed", "{last}");
    let none = shop.place_from(&[(ticket_type, 1)], from_hold).await;
    assert_eq!(outcome(&none), "hold_used_up");
    shop.db.assert_whole().await;
    assert_eq!(shop.taken().await, 5);
}

#[tokio::test]
async fn r02_a_hold_counts_until_its_instant_without_a_sweeper() {
    let (shop, ticket_type) = Shop::simple(2).await;
    let at = shop
        .db
        .ask("select (es.clock() + interval '60 seconds')::text")
        .await;
    let made = shop
        .hold(
            ticket_type,
            2,
            json!({ "expires_at": at, "key_hash": "aa02" }),
        )
        .await;
    let hold = id(&made, "hold_id");
    assert_eq!(shop.available(ticket_type).await, Some(0));

    shop.db.advance(61).await;
    assert_eq!(shop.available(ticket_type).await, Some(2));
    let late = shop
        .place_from(&[(ticket_type, 1)], json!({ "hold_key_hash": "aa02" }))
        .await;
    assert_eq!(outcome(&late), "hold_ended");
    let late = shop.change_hold(hold, json!({ "quantity": 1 })).await;
    assert_eq!(outcome(&late), "hold_ended");
    let status = format!("select status from stock_holds where id = '{hold}'");
    assert_eq!(
        shop.db.ask(&status).await.as_deref(),
        Some("active"),
        "nobody has touched it"
    );
    shop.placed(&[(ticket_type, 1)]).await;
    assert_eq!(
        shop.db.ask(&status).await.as_deref(),
        Some("expired"),
        "whoever sells its stock says so"
    );
    assert_eq!(shop.available(ticket_type).await, Some(1));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r02_the_sweep_clears_away_what_expired_and_is_needed_by_nobody() {
    let (shop, ticket_type) = Shop::simple(4).await;
    let at = shop
        .db
        .ask("select (es.clock() + interval '60 seconds')::text")
        .await;
    for (quantity, hash) in [(2, "aa03"), (1, "aa04")] {
        shop.hold(
            ticket_type,
            quantity,
            json!({ "expires_at": at, "key_hash": hash }),
        )
        .await;
    }
    let sold = shop
        .place_from(&[(ticket_type, 1)], json!({ "hold_key_hash": "aa04" }))
        .await;
    assert_eq!(outcome(&sold), "placed", "{sold}");
    assert_eq!(shop.clear().await, 0);
    shop.db.advance(61).await;
    assert_eq!(
        shop.clear().await,
        1,
        "the claim of the one that was not used up"
    );
    let ended = "select count(*) from stock_holds where status = 'expired'";
    assert_eq!(shop.db.ask_number(ended).await, 2);
    assert_eq!(
        shop.db
            .ask_number("select sum(claimed) from capacity_pools")
            .await,
        1
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_hold_grows_and_shrinks_within_what_is_free_and_what_was_sold() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let made = shop
        .hold(ticket_type, 2, json!({ "key_hash": "aa05" }))
        .await;
    let hold = id(&made, "hold_id");
    shop.placed(&[(ticket_type, 2)]).await;
    let grown = shop.change_hold(hold, json!({ "quantity": 4 })).await;
    assert_eq!(
        (outcome(&grown), &grown["available"]),
        ("sold_out", &json!(1))
    );
    assert_eq!(
        outcome(&shop.change_hold(hold, json!({ "quantity": 3 })).await),
        "changed"
    );
    assert_eq!(shop.available(ticket_type).await, Some(0));
    shop.db.assert_whole().await;

    shop.place_from(&[(ticket_type, 2)], json!({ "hold_key_hash": "aa05" }))
        .await;
    let shrunk = shop.change_hold(hold, json!({ "quantity": 1 })).await;
    assert_eq!(
        (outcome(&shrunk), &shrunk["sold"]),
        ("below_sold", &json!(2))
    );
    // Down to what is sold it keeps nothing; up again it keeps what it is given.
    assert_eq!(
        outcome(&shop.change_hold(hold, json!({ "quantity": 2 })).await),
        "changed"
    );
    assert_eq!(shop.available(ticket_type).await, Some(1));
    shop.db.assert_whole().await;
    assert_eq!(
        outcome(
            &shop
                .change_hold(hold, json!({ "quantity": 3, "key_hash": "aa06" }))
                .await
        ),
        "changed"
    );
    assert_eq!(shop.available(ticket_type).await, Some(0));
    shop.db.assert_whole().await;

    let old_key = shop
        .place_from(&[(ticket_type, 1)], json!({ "hold_key_hash": "aa05" }))
        .await;
    assert_eq!(outcome(&old_key), "hold_not_found");
    assert_eq!(outcome(&shop.release_hold(hold).await), "released");
    assert_eq!(shop.release_hold(hold).await["already"], json!(true));
    assert_eq!(shop.available(ticket_type).await, Some(1));
    let ended = shop
        .place_from(&[(ticket_type, 1)], json!({ "hold_key_hash": "aa06" }))
        .await;
    assert_eq!(outcome(&ended), "hold_ended");
    shop.db.assert_whole().await;
    let told =
        "select string_agg(type, ' ' order by sequence) from outbox where object_type = 'hold'";
    assert_eq!(
        shop.db.ask(told).await.as_deref(),
        Some("hold.created hold.changed hold.changed hold.changed hold.released")
    );
}

#[tokio::test]
async fn r01_a_hold_of_a_type_keeps_places_in_all_its_pools_one_of_a_pool_for_any_type() {
    let shop = Shop::draft().await;
    let (hall, meals) = (shop.pool(Some(4)).await, shop.pool(Some(3)).await);
    let plain = shop
        .sells(Sold {
            price: 0,
            pools: &[hall],
        })
        .await;
    let dinner = shop
        .sells(Sold {
            price: 0,
            pools: &[hall, meals],
        })
        .await;
    shop.publish().await;
    shop.hold(dinner, 2, json!({ "key_hash": "aa07" })).await;
    assert_eq!(shop.available(plain).await, Some(2));
    assert_eq!(shop.available(dinner).await, Some(1));
    let other = shop
        .place_from(&[(plain, 1)], json!({ "hold_key_hash": "aa07" }))
        .await;
    assert_eq!(outcome(&other), "hold_keeps_others");
    // What the hold lacks is public stock: the plain one beside the held dinners.
    let both = shop
        .place_from(
            &[(dinner, 2), (plain, 1)],
            json!({ "hold_key_hash": "aa07" }),
        )
        .await;
    assert_eq!(outcome(&both), "placed", "{both}");
    assert_eq!(shop.available(plain).await, Some(1));
    shop.db.assert_whole().await;

    let made = shop
        .hold(
            dinner,
            1,
            json!({ "ticket_type_id": null, "pool_id": hall, "key_hash": "aa08" }),
        )
        .await;
    assert_eq!(outcome(&made), "created", "{made}");
    assert_eq!(shop.available(plain).await, Some(0));
    assert_eq!(shop.available(dinner).await, Some(0));
    // The meal itself is public stock, and there is one.
    let any = shop
        .place_from(&[(dinner, 1)], json!({ "hold_key_hash": "aa08" }))
        .await;
    assert_eq!(outcome(&any), "placed", "{any}");
    shop.db.assert_whole().await;
    assert_eq!(shop.taken().await, 4);
}

#[tokio::test]
async fn staff_place_from_a_hold_by_its_id_and_others_do_not() {
    let (shop, ticket_type) = Shop::simple(2).await;
    let made = shop.hold(ticket_type, 2, json!({})).await;
    let mut request = shop.request(&[(ticket_type, 1)]);
    request["hold_id"] = made["hold_id"].clone();
    let staff = shop
        .db
        .call(&shop.organizer(), "place_registration", &request)
        .await;
    assert_eq!(outcome(&staff), "placed", "{staff}");
    let visitor = shop
        .place_from(&[(ticket_type, 1)], json!({ "hold_id": made["hold_id"] }))
        .await;
    assert_eq!(outcome(&visitor), "hold_not_found");
    let reader = As::member(shop.user, shop.org, "events:read,registrations:read");
    request["idempotency_key"] = json!(Uuid::new_v4().to_string());
    let reading = shop.db.call(&reader, "place_registration", &request).await;
    assert_eq!(outcome(&reading), "hold_not_found");
    for (verb, more) in [
        ("create_hold", "quantity"),
        ("change_hold", "hold_id"),
        ("release_hold", "hold_id"),
    ] {
        let refused = shop
            .db
            .try_call(&reader, verb, &json!({ more: made["hold_id"] }))
            .await;
        assert_eq!(code(&refused.expect_err(verb)), "ES403", "{verb}");
    }
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn capacity_is_not_set_below_what_is_sold_and_set_aside() {
    let (shop, ticket_type) = Shop::simple(5).await;
    shop.hold(ticket_type, 2, json!({})).await;
    shop.placed(&[(ticket_type, 1)]).await;
    let lower = |capacity: i32| {
        let shop = shop.clone();
        async move {
            let sql = "update capacity_pools set capacity = $1::integer returning id::text";
            let who = As::member(shop.user, shop.org, "events:read,events:write");
            shop.db.select(&who, sql, &[&capacity.to_string()]).await
        }
    };
    let refused = lower(2).await.expect_err("three are taken");
    assert_eq!(code(&refused), "23514");
    lower(3).await.expect("just enough");
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_a_hold_is_sold_exactly_once_while_it_is_changed_and_the_public_buys() {
    let (shop, ticket_type) = Shop::simple(40).await;
    let made = shop
        .hold(ticket_type, 15, json!({ "key_hash": "aa09" }))
        .await;
    let hold = id(&made, "hold_id");
    let racing = shop.clone();
    let outcomes = all_at_once(BUYERS, 160, move |number| {
        let shop = racing.clone();
        async move {
            match number % 4 {
                0 | 1 => outcome(&shop.place(&[(ticket_type, 1)]).await.0).to_owned(),
                2 => {
                    let answer = shop
                        .place_from(&[(ticket_type, 1)], json!({ "hold_key_hash": "aa09" }))
                        .await;
                    format!("hold:{}", outcome(&answer))
                }
                _ => {
                    let quantity = 15 + i64::try_from(number).expect("few") % 3;
                    outcome(
                        &shop
                            .change_hold(hold, json!({ "quantity": quantity }))
                            .await,
                    )
                    .to_owned()
                }
            }
        }
    })
    .await;
    shop.db.assert_whole().await;
    let count = |word: &str| outcomes.iter().filter(|said| *said == word).count();
    let sold = shop.db.ask_number("select sold from stock_holds").await;
    assert_eq!(sold, i64::try_from(count("hold:placed")).expect("few"));
    assert!(sold >= 15, "{outcomes:?}");
    let kept = shop
        .db
        .ask_number("select quantity - sold from stock_holds")
        .await;
    assert_eq!(shop.taken().await + kept, 40);
    assert!(
        count("changed") > 0 && count("sold_out") > 0,
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_draft_is_deleted_with_what_was_set_aside_of_it() {
    let shop = Shop::draft().await;
    let pool = shop.pool(Some(3)).await;
    let ticket_type = shop
        .sells(Sold {
            price: 0,
            pools: &[pool],
        })
        .await;
    let made = shop.hold(ticket_type, 2, json!({})).await;
    assert_eq!(outcome(&made), "created", "{made}");
    let deleted = shop
        .db
        .select(
            &shop.organizer(),
            "select public.delete_event($1::uuid) ->> 'outcome'",
            &[&shop.event.to_string()],
        )
        .await
        .expect("answered");
    assert_eq!(deleted.as_deref(), Some("deleted"));
    assert_eq!(
        shop.db.ask_number("select count(*) from stock_holds").await,
        0
    );
    shop.db.assert_whole().await;
}
