//! What is asked for and refused: every outcome of placing, and that a refusal leaves nothing behind.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, code, outcome},
    shop::{ORGANIZER, Shop, Sold},
};

async fn said(shop: &Shop, request: &Json) -> Json {
    shop.db
        .call(&As::visitor(shop.org), "place_registration", request)
        .await
}

/// The checking function judges as placing does.
async fn checked(shop: &Shop, request: &Json) -> Json {
    let text = shop
        .db
        .select(
            &As::visitor(shop.org),
            "select public.check_ticket_availability($1::uuid, $2::jsonb)::text",
            &[&shop.event.to_string(), &request["items"].to_string()],
        )
        .await
        .expect("answered");
    serde_json::from_str(&text.expect("an answer")).expect("JSON")
}

async fn refused(shop: &Shop, request: &Json, word: &str) -> Json {
    let answer = said(shop, request).await;
    assert_eq!(outcome(&answer), word, "{answer}");
    let left = "select (select count(*) from registrations) + (select count(*) from attendees) \
                + (select count(*) from pool_claims) + (select count(*) from outbox where object_type = 'registration')";
    assert_eq!(
        shop.db.ask_number(left).await,
        0,
        "something is left behind"
    );
    answer
}

#[tokio::test]
async fn quantities_have_bounds() {
    let (shop, ticket_type) = Shop::simple(1000).await;
    shop.db
        .run("update ticket_types set min_per_registration = 2, max_per_registration = 5")
        .await;
    for quantity in [
        json!(-1),
        json!(0),
        json!(1),
        json!(6),
        json!(101),
        json!(1.5),
        json!("2"),
        json!(null),
        json!(99999999999_i64),
    ] {
        let mut request = shop.request(&[(ticket_type, 1)]);
        request["items"][0]["quantity"] = quantity.clone();
        refused(&shop, &request, "quantity_out_of_range").await;
        assert_eq!(
            outcome(&checked(&shop, &request).await),
            "quantity_out_of_range",
            "{quantity}"
        );
    }
    // Two lines of one type count together.
    let request = shop.request(&[(ticket_type, 3), (ticket_type, 3)]);
    let answer = refused(&shop, &request, "quantity_out_of_range").await;
    assert_eq!(answer["ticket_types"][0]["maximum"], json!(5));

    shop.db
        .run("update events set max_tickets_per_registration = 4")
        .await;
    let other = shop
        .sells(Sold {
            price: 0,
            pools: &[],
        })
        .await;
    let request = shop.request(&[(ticket_type, 3), (other, 2)]);
    let answer = refused(&shop, &request, "quantity_out_of_range").await;
    assert_eq!(
        (&answer["requested"], &answer["maximum"]),
        (&json!(5), &json!(4))
    );
}

#[tokio::test]
async fn items_and_people_are_checked() {
    let (shop, ticket_type) = Shop::simple(10).await;
    let good = shop.request(&[(ticket_type, 1)]);
    let with = |pointer: &str, value: Json| {
        let mut request = good.clone();
        request["idempotency_key"] = json!(Uuid::new_v4());
        *request.pointer_mut(pointer).unwrap() = value;
        request
    };
    for request in [
        with("/items", json!([])),
        with("/items", json!(null)),
        with("/buyer", json!(null)),
        with("/buyer/name", json!("   ")),
        with("/buyer/name", json!("x".repeat(201))),
        with("/buyer/email", json!("nobody")),
        with("/buyer/email", json!("a b@c")),
        with(
            "/items/0",
            json!({ "ticket_type_id": ticket_type, "quantity": 1, "attendees": [{ "name": "A", "email": "" }] }),
        ),
        with(
            "/items/0",
            json!({ "ticket_type_id": ticket_type, "quantity": 1, "attendees": [null, null] }),
        ),
    ] {
        let answer = refused(&shop, &request, "invalid").await;
        assert!(answer["field"].is_string() && answer["message"].is_string());
    }
}

#[tokio::test]
async fn types_that_are_not_for_sale_here_do_not_exist() {
    let (shop, ticket_type) = Shop::simple(10).await;
    let (_, elsewhere) = Shop::simple_in(&shop.db, 10).await;
    let hidden = shop
        .sells(Sold {
            price: 0,
            pools: &[],
        })
        .await;
    let inactive = shop
        .sells(Sold {
            price: 0,
            pools: &[],
        })
        .await;
    shop.db
        .run(&format!(
            "update ticket_types set hidden = true where id = '{hidden}'"
        ))
        .await;
    shop.db
        .run(&format!(
            "update ticket_types set active = false where id = '{inactive}'"
        ))
        .await;
    for other in [hidden, inactive, elsewhere, Uuid::now_v7()] {
        let request = shop.request(&[(ticket_type, 1), (other, 1)]);
        let answer = refused(&shop, &request, "ticket_type_not_found").await;
        assert_eq!(answer["ticket_types"], json!([{ "ticket_type_id": other }]));
        assert_eq!(
            outcome(&checked(&shop, &request).await),
            "ticket_type_not_found"
        );
    }
    let staff = shop.organizer();
    let answer = shop
        .db
        .call(&staff, "place_registration", &shop.request(&[(hidden, 1)]))
        .await;
    assert_eq!(outcome(&answer), "placed", "staff sells hidden types");
}

#[tokio::test]
async fn a_type_sells_within_its_window() {
    let (shop, ticket_type) = Shop::simple(10).await;
    shop.db
        .run(
            "update ticket_types set sales_start_at = es.clock() + interval '1 hour', \
             sales_end_at = es.clock() + interval '2 hours'",
        )
        .await;
    let request = || shop.request(&[(ticket_type, 1)]);
    assert_eq!(shop.sale_status(ticket_type).await, "not_yet_on_sale");
    refused(&shop, &request(), "sale_not_open").await;
    shop.db.advance(3 * 3600).await;
    assert_eq!(shop.sale_status(ticket_type).await, "sale_ended");
    refused(&shop, &request(), "sale_not_open").await;
    shop.db.advance(-3600 - 1800).await;
    assert_eq!(shop.sale_status(ticket_type).await, "on_sale");
    assert_eq!(outcome(&said(&shop, &request()).await), "placed");
}

#[tokio::test]
async fn only_a_published_event_sells() {
    let shop = Shop::draft().await;
    let ticket_type = shop
        .sells(Sold {
            price: 0,
            pools: &[],
        })
        .await;
    let request = || shop.request(&[(ticket_type, 1)]);
    refused(&shop, &request(), "event_not_found").await;
    shop.publish().await;
    shop.db
        .run("update events set visibility = 'private'")
        .await;
    refused(&shop, &request(), "event_not_found").await;
    shop.db
        .run("update events set visibility = 'unlisted'")
        .await;
    let mut unknown = request();
    unknown["event_id"] = json!(Uuid::now_v7());
    refused(&shop, &unknown, "event_not_found").await;
    shop.change_status("completed").await;
    refused(&shop, &request(), "sale_not_open").await;
    shop.change_status("archived").await;
    refused(&shop, &request(), "event_not_found").await;
}

#[tokio::test]
async fn an_event_of_another_organization_is_not_found() {
    let (shop, ticket_type) = Shop::simple(10).await;
    let (foreign, _) = Shop::simple_in(&shop.db, 10).await;
    let foreigner = As::member(foreign.user, foreign.org, ORGANIZER);
    for who in [foreigner, As::visitor(foreign.org)] {
        let answer = shop
            .db
            .call(
                &who,
                "place_registration",
                &shop.request(&[(ticket_type, 1)]),
            )
            .await;
        assert_eq!(outcome(&answer), "event_not_found");
    }
    let nowhere = As {
        org: None,
        ..As::visitor(shop.org)
    };
    let error = shop
        .db
        .try_call(
            &nowhere,
            "place_registration",
            &shop.request(&[(ticket_type, 1)]),
        )
        .await
        .unwrap_err();
    assert_eq!(code(&error), "ES404");
}

#[tokio::test]
async fn a_registration_is_for_one_occurrence_and_its_pools() {
    let shop = Shop::draft().await;
    let pool = shop.pool(Some(1)).await;
    let ticket_type = shop
        .sells(Sold {
            price: 0,
            pools: &[pool],
        })
        .await;
    let second = Uuid::now_v7();
    shop.db
        .run(&format!(
            "insert into occurrences (id, org_id, event_id, starts_at, ends_at) \
             select '{second}', org_id, id, starts_at + interval '7 days', ends_at + interval '7 days' from events; \
             update capacity_pools set occurrence_id = '{}'",
            shop.occurrence
        ))
        .await;
    let own_pool = shop.pool(Some(2)).await;
    shop.db
        .run(&format!(
            "update capacity_pools set occurrence_id = '{second}' where id = '{own_pool}'; \
             insert into ticket_type_pools (org_id, event_id, ticket_type_id, pool_id) \
             values ('{}', '{}', '{ticket_type}', '{own_pool}')",
            shop.org, shop.event
        ))
        .await;
    shop.publish().await;
    assert_eq!(
        shop.available(ticket_type).await,
        Some(2),
        "the date with most left"
    );

    let at = |occurrence: Option<Uuid>| {
        let mut request = shop.request(&[(ticket_type, 1)]);
        request["occurrence_id"] = json!(occurrence);
        request
    };
    assert_eq!(outcome(&said(&shop, &at(None)).await), "placed");
    assert_eq!(
        outcome(&said(&shop, &at(None)).await),
        "sold_out",
        "the first date is full"
    );
    assert_eq!(outcome(&said(&shop, &at(Some(second))).await), "placed");
    assert_eq!(
        outcome(&said(&shop, &at(Some(Uuid::now_v7()))).await),
        "occurrence_not_found"
    );
    shop.db
        .run(&format!(
            "update occurrences set status = 'cancelled' where id = '{second}'"
        ))
        .await;
    assert_eq!(
        outcome(&said(&shop, &at(Some(second))).await),
        "occurrence_not_found"
    );
    shop.db.advance(3600 * 24 * 366 * 20).await;
    assert_eq!(
        outcome(&said(&shop, &at(None)).await),
        "sale_not_open",
        "all is over"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn sold_out_tells_what_is_left_of_which_type() {
    let shop = Shop::draft().await;
    let (hall, meals) = (shop.pool(Some(10)).await, shop.pool(Some(1)).await);
    let plain = shop
        .sells(Sold {
            price: 0,
            pools: &[hall],
        })
        .await;
    let with_meal = shop
        .sells(Sold {
            price: 0,
            pools: &[hall, meals],
        })
        .await;
    let unlimited = shop
        .sells(Sold {
            price: 0,
            pools: &[],
        })
        .await;
    shop.publish().await;
    let request = shop.request(&[(unlimited, 5), (plain, 3), (with_meal, 2)]);
    let answer = refused(&shop, &request, "sold_out").await;
    assert_eq!(
        answer["ticket_types"],
        json!([{ "ticket_type_id": with_meal, "requested": 2, "available": 1 }])
    );
    assert_eq!(
        checked(&shop, &request).await["ticket_types"],
        answer["ticket_types"]
    );
    assert_eq!(shop.available(unlimited).await, None);
    shop.placed(&[(unlimited, 5), (plain, 3), (with_meal, 1)])
        .await;
    assert_eq!(shop.available(plain).await, Some(6));
    assert_eq!(shop.available(with_meal).await, Some(0));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn weak_roles_write_nothing_but_through_the_verbs() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let (_, guest) = shop.placed(&[(ticket_type, 1)]).await;
    for sql in [
        "update capacity_pools set claimed = 0 returning 'x'",
        "update registrations set status = 'confirmed' returning 'x'",
        "insert into pool_claims (org_id) values (null) returning 'x'",
        "select es.release_claims('{}', '{}', now())::text",
        "select es.cancel_locked('{}', '')::text",
        "select public.expire_registrations(1)::text",
        "select public.emit_event(null, 'x', 'x', null)::text",
        "select public.record_audit(null, 'x', 'x', null)::text",
        "select secret_hash::text from registration_secrets",
    ] {
        for who in [As::visitor(shop.org), guest.clone(), shop.organizer()] {
            let error = shop.db.select(&who, sql, &[]).await.unwrap_err();
            assert_eq!(code(&error), "42501", "{sql} as {who:?}");
        }
    }
}
