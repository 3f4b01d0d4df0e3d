//! More proofs that the lock is what sees to it (see `overselling`): each race is run with the functions as they are,
//! and never oversells; and with the lines taken out that they mark as their lock, and does.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, BUYERS, Db, all_at_once, outcome},
    overselling::without_lock,
    queue::id,
    shop::{HOLD, Shop, Sold},
};

const NEVER_OVERSOLD: (&str, &str) = ("capacity_pools", "capacity_pools_never_oversold");

/// Whether the race oversold, in a database with the functions as they are and in one where these files are without
/// their locks and these constraints are gone.
async fn proves<F>(files: &[&str], constraints: &[(&str, &str)], race: F)
where
    F: AsyncFn(&Db) -> bool,
{
    let db = Db::new().await;
    for run in 0..2 {
        assert!(!race(&db).await, "oversold with its lock, in run {run}");
    }
    db.assert_whole().await;

    let db = Db::new().await;
    for file in files {
        db.replace_function_file(file, without_lock).await;
    }
    for (table, constraint) in constraints {
        db.run(&format!("alter table {table} drop constraint {constraint}"))
            .await;
    }
    let mut oversold = 0;
    for _ in 0..10 {
        oversold += usize::from(race(&db).await);
    }
    assert!(oversold >= 9, "only {oversold} of 10 runs oversold");
}

/// Claims of a pool that count, whoever has them.
async fn claimed(shop: &Shop, pool: Uuid) -> i64 {
    shop.db
        .ask_number(&format!(
            "select coalesce(sum(c.quantity), 0) from pool_claims c where c.pool_id = '{pool}' \
             and c.released_at is null and (c.expires_at is null or c.expires_at > es.clock())"
        ))
        .await
}

/// So many at once, each with its number; errors of a constraint are refusals.
async fn at_once<F>(
    shop: &Shop,
    jobs: usize,
    job: impl Fn(Shop, usize) -> F + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send,
{
    let shop = shop.clone();
    all_at_once(BUYERS, jobs, move |number| job(shop.clone(), number)).await;
}

/// Asks, whatever comes of it: without its lock a race also ends in deadlocks, and in what is left of the nets. (That
/// there are none with it is proved in `concurrency`.)
async fn tries(shop: &Shop, who: &As, function: &str, mut request: Json) {
    request["idempotency_key"] = json!(Uuid::new_v4());
    request["argument_hash"] = json!("00");
    drop(shop.db.try_call(who, function, &request).await);
}

/// A visitor places, with more said than what and how many.
async fn places(shop: &Shop, wishes: &[(Uuid, i64)], more: Json) {
    let mut request = shop.request(wishes);
    for (name, value) in more.as_object().expect("an object") {
        request[name] = value.clone();
    }
    tries(shop, &As::visitor(shop.org), "place_registration", request).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_without_lock_and_constraint_a_pool_that_types_share_is_oversold() {
    proves(
        &["place_registration"],
        &[NEVER_OVERSOLD],
        async |db: &Db| {
            let shop = Shop::draft_in(db).await;
            let (hall, meals) = (shop.pool(Some(10)).await, shop.pool(Some(500)).await);
            let kinds = [&[hall][..], &[hall, meals][..]];
            let mut types = vec![];
            for pools in kinds {
                types.push(shop.sells(Sold { price: 0, pools }).await);
            }
            shop.publish().await;
            at_once(&shop, 48, move |shop, number| {
                let kind = types[number % 2];
                async move { places(&shop, &[(kind, 1)], json!({})).await }
            })
            .await;
            claimed(&shop, hall).await > 10
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_without_lock_and_constraint_add_ons_are_oversold() {
    proves(
        &["place_registration"],
        &[NEVER_OVERSOLD],
        async |db: &Db| {
            let shop = Shop::draft_in(db).await;
            let meals = shop.pool(Some(10)).await;
            let ticket = shop
                .sells(Sold {
                    price: 0,
                    pools: &[],
                })
                .await;
            let meal = shop
                .sells(Sold {
                    price: 0,
                    pools: &[meals],
                })
                .await;
            let (to, add_on) = (format!("'{ticket}'"), format!("'{meal}'"));
            let link = [("ticket_type_id", to.as_str()), ("add_on_id", &add_on)];
            shop.adds("ticket_type_add_ons", &link).await;
            shop.publish().await;
            at_once(&shop, 48, move |shop, _| async move {
                places(&shop, &[(ticket, 1), (meal, 1)], json!({})).await;
            })
            .await;
            claimed(&shop, meals).await > 10
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r10_without_the_lock_one_buyer_uses_a_code_too_often() {
    // Nothing but the lock sees to it: the pool of the code has room.
    proves(&["place_registration"], &[], async |db: &Db| {
        let shop = Shop::draft_in(db).await;
        let ticket = shop
            .sells(Sold {
                price: 1000,
                pools: &[],
            })
            .await;
        let limits = [("rate_millionths", "500000"), ("max_uses_per_buyer", "2")];
        let code = shop.code("SESAME", "percent", &limits).await;
        shop.publish().await;
        at_once(&shop, 48, move |shop, _| async move {
            places(&shop, &[(ticket, 1)], json!({ "code": "SESAME" })).await;
        })
        .await;
        let uses = format!("select count(*) from registrations where promo_code_id = '{code}'");
        shop.db.ask_number(&uses).await > 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_without_lock_and_constraint_staff_set_aside_more_than_there_is() {
    proves(&["create_hold"], &[NEVER_OVERSOLD], async |db: &Db| {
        let (shop, ticket) = Shop::simple_in(db, 10).await;
        at_once(&shop, 48, move |shop, _| async move {
            let request = json!({
                "event_id": shop.event, "ticket_type_id": ticket, "quantity": 2, "name": "Sponsors",
                "key_hash": Uuid::new_v4().simple().to_string(),
            });
            tries(&shop, &shop.organizer(), "create_hold", request).await;
        })
        .await;
        let kept = format!(
            "select coalesce(sum(quantity), 0) from stock_holds where event_id = '{}'",
            shop.event
        );
        shop.db.ask_number(&kept).await > 10
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_without_locks_and_constraints_a_hold_is_sold_too_often() {
    let constraints = [
        NEVER_OVERSOLD,
        ("stock_holds", "stock_holds_quantity_range"),
        ("pool_claims", "pool_claims_quantity_positive"),
    ];
    proves(
        &["place_registration", "credit"],
        &constraints,
        async |db: &Db| {
            let (shop, ticket) = Shop::simple_in(db, 500).await;
            let key = Uuid::new_v4().simple().to_string();
            let made = shop.hold(ticket, 10, json!({ "key_hash": key })).await;
            let hold = id(&made, "hold_id");
            at_once(&shop, 48, move |shop, _| {
                let key = json!({ "hold_key_hash": key });
                async move { places(&shop, &[(ticket, 1)], key).await }
            })
            .await;
            let sold = format!(
                "select count(*) from registrations where event_id = '{}'",
                shop.event
            );
            let sold = shop.db.ask_number(&sold).await;
            let keeps = format!("select quantity from stock_holds where id = '{hold}'");
            sold > shop.db.ask_number(&keeps).await
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r09_without_lock_and_constraint_codes_reserve_more_than_there_is() {
    proves(
        &["reserve_code_stock"],
        &[NEVER_OVERSOLD],
        async |db: &Db| {
            let shop = Shop::draft_in(db).await;
            let pool = shop.pool(Some(20)).await;
            shop.sells(Sold {
                price: 0,
                pools: &[pool],
            })
            .await;
            let mut codes = vec![];
            for number in 0..BUYERS {
                let uses = [("counted_by", "'ticket'"), ("max_uses", "3")];
                codes.push(shop.code(&format!("FRIENDS-{number}"), "none", &uses).await);
            }
            shop.publish().await;
            at_once(&shop, BUYERS, move |shop, number| {
                let request = json!({ "promo_code_id": codes[number], "pool_ids": [pool] });
                async move {
                    let who = As::member(shop.user, shop.org, "promo_codes:read,promo_codes:write");
                    tries(&shop, &who, "reserve_code_stock", request).await;
                }
            })
            .await;
            claimed(&shop, pool).await > 20
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r04_without_lock_and_constraint_holds_that_ran_out_are_extended_into_sold_places() {
    proves(
        &["registration_stock"],
        &[NEVER_OVERSOLD],
        async |db: &Db| {
            let shop = Shop::draft_in(db).await;
            let pool = shop.pool(Some(24)).await;
            let ticket = shop
                .sells(Sold {
                    price: 0,
                    pools: &[pool],
                })
                .await;
            shop.publish().await;
            shop.set(json!({ "hold_extension_seconds": 86_400 })).await;
            let placing = shop.clone();
            let late = all_at_once(6, BUYERS, move |_| {
                let shop = placing.clone();
                async move { shop.placed(&[(ticket, 1)]).await }
            })
            .await;
            shop.db.advance(HOLD + 1).await;
            while shop.sweep().await > 0 {}
            shop.set_capacity(pool, 8).await;
            at_once(&shop, late.len(), move |shop, number| {
                let (registration, guest) = late[number].clone();
                async move {
                    let request = json!({ "registration_id": registration });
                    tries(&shop, &guest, "extend_registration", request).await;
                }
            })
            .await;
            claimed(&shop, pool).await > 8
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r14_without_lock_and_constraint_more_are_approved_than_there_are_places() {
    proves(
        &["registration_stock"],
        &[NEVER_OVERSOLD],
        async |db: &Db| {
            let shop = Shop::draft_in(db).await;
            let pool = shop.pool(Some(8)).await;
            let ticket = shop
                .sells(Sold {
                    price: 0,
                    pools: &[pool],
                })
                .await;
            shop.publish().await;
            shop.set(json!({ "requires_approval": true, "pending_keeps_stock": false }))
                .await;
            let placing = shop.clone();
            let waiting = all_at_once(6, BUYERS, move |_| {
                let shop = placing.clone();
                async move {
                    let (registration, guest) = shop.placed(&[(ticket, 1)]).await;
                    let answer = shop.confirm(&guest, registration).await;
                    assert_eq!(outcome(&answer), "pending_approval");
                    registration
                }
            })
            .await;
            at_once(&shop, waiting.len(), move |shop, number| {
                let registration = waiting[number];
                async move {
                let organizer = shop.organizer();
                let tickets = shop.tickets(&organizer, registration).await;
                let request = json!({
                    "registration_ids": [registration], "tickets": tickets, "error_policy": "skip_failed",
                });
                tries(&shop, &organizer, "approve_registrations", request).await;
            }
            })
            .await;
            claimed(&shop, pool).await > 8
        },
    )
    .await;
}
