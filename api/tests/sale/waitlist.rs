//! R11: who waits comes first, by priority and then by time, whether a job serves the queue or not.

use serde_json::json;

use crate::{
    harness::{As, code, outcome},
    queue::{OFFER, Waiting, id},
    shop::{HOLD, Shop, Sold},
};

/// A shop whose places are all sold, singly; the registrations with their guests.
async fn sold_out(places: i32) -> (Shop, uuid::Uuid, Vec<(uuid::Uuid, As)>) {
    let (shop, ticket_type) = Shop::simple(places).await;
    let mut sold = vec![];
    for _ in 0..places {
        let (registration, guest) = shop.placed(&[(ticket_type, 1)]).await;
        shop.confirm(&guest, registration).await;
        sold.push((registration, guest));
    }
    (shop, ticket_type, sold)
}

async fn gives_back(shop: &Shop, sold: &[(uuid::Uuid, As)]) {
    for (registration, guest) in sold {
        assert_eq!(
            outcome(&shop.cancel(guest, *registration).await),
            "cancelled"
        );
    }
}

#[tokio::test]
async fn r11_what_is_freed_is_not_sold_before_it_is_offered_even_if_no_job_runs() {
    let (shop, ticket_type, sold) = sold_out(3).await;
    let first = shop.waits("ann", &[(ticket_type, 1)]).await;
    gives_back(&shop, &sold[..1]).await;
    assert_eq!(shop.available(ticket_type).await, Some(0));
    assert_eq!(shop.sale_status(ticket_type).await, "sold_out");
    let (answer, _) = shop.place(&[(ticket_type, 1)]).await;
    assert_eq!(outcome(&answer), "sold_out");
    assert_eq!(answer["ticket_types"][0]["available"], json!(0));

    // One more than is waited for is for everybody.
    gives_back(&shop, &sold[1..2]).await;
    assert_eq!(shop.available(ticket_type).await, Some(1));
    shop.placed(&[(ticket_type, 1)]).await;
    let (answer, _) = shop.place(&[(ticket_type, 1)]).await;
    assert_eq!(outcome(&answer), "sold_out");

    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&first).await, "offered");
    assert_eq!(shop.available(ticket_type).await, Some(0));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r11_an_offer_becomes_a_held_registration_and_only_once() {
    let (shop, ticket_type, sold) = sold_out(2).await;
    let ann = shop.waits("ann", &[(ticket_type, 2)]).await;
    gives_back(&shop, &sold[..1]).await;
    assert_eq!(shop.serve(100).await, 0, "a group gets all or nothing");
    assert_eq!(
        outcome(&shop.answers("accept_waitlist_offer", &ann).await),
        "no_offer"
    );
    gives_back(&shop, &sold[1..]).await;
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.serve(100).await, 0, "an offer is made once");

    let accepted = shop.answers("accept_waitlist_offer", &ann).await;
    assert_eq!(outcome(&accepted), "accepted", "{accepted}");
    let registration = id(&accepted, "registration_id");
    assert_eq!(shop.status(registration).await, "held");
    assert_eq!(shop.taken().await, 2);
    shop.db.assert_whole().await;
    let again = shop.answers("accept_waitlist_offer", &ann).await;
    assert_eq!(again["registration_id"], accepted["registration_id"]);
    assert_eq!(again["already"], json!(true));
    assert_eq!(
        outcome(&shop.answers("decline_waitlist_offer", &ann).await),
        "no_offer"
    );
    let confirmed = shop.confirm(&shop.organizer(), registration).await;
    assert_eq!(outcome(&confirmed), "confirmed", "{confirmed}");
    shop.db.assert_whole().await;

    let told = "select string_agg(type, ' ') from outbox where object_type = 'waitlist_offer'";
    assert_eq!(shop.db.ask(told).await.as_deref(), Some("waitlist.offered"));
    let letters = "select count(*) from mail_messages where kind = 'waitlist_offer' and recipient = 'ann@example.com'";
    assert_eq!(shop.db.ask_number(letters).await, 1);
}

#[tokio::test]
async fn r11_a_declined_or_expired_offer_moves_on_to_the_next() {
    let (shop, ticket_type, sold) = sold_out(1).await;
    let mut queue = vec![];
    for name in ["ann", "ben", "cem"] {
        queue.push(shop.waits(name, &[(ticket_type, 1)]).await);
    }
    gives_back(&shop, &sold).await;
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&queue[0]).await, "offered");
    assert_eq!(
        outcome(&shop.answers("decline_waitlist_offer", &queue[0]).await),
        "declined"
    );
    assert_eq!(
        shop.answers("decline_waitlist_offer", &queue[0]).await["already"],
        json!(true)
    );
    assert_eq!(
        outcome(&shop.place(&[(ticket_type, 1)]).await.0),
        "sold_out"
    );
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&queue[1]).await, "offered");

    // R2: from its instant on the offer counts no more, cleared away or not.
    shop.db.advance(OFFER + 1).await;
    assert_eq!(
        outcome(&shop.answers("accept_waitlist_offer", &queue[1]).await),
        "offer_expired"
    );
    assert_eq!(
        outcome(&shop.place(&[(ticket_type, 1)]).await.0),
        "sold_out",
        "cem waits"
    );
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&queue[1]).await, "expired");
    assert_eq!(shop.standing(&queue[2]).await, "offered");
    shop.db.assert_whole().await;

    // When nobody is left, the public is: without any job.
    shop.db.advance(OFFER + 1).await;
    assert_eq!(shop.available(ticket_type).await, Some(1));
    shop.placed(&[(ticket_type, 1)]).await;
    assert_eq!(
        shop.standing(&queue[2]).await,
        "expired",
        "whoever sells its stock says so"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r11_priority_then_time_and_a_higher_priority_is_not_overtaken() {
    let (shop, ticket_type, sold) = sold_out(4).await;
    let ann = shop.waits("ann", &[(ticket_type, 1)]).await;
    let ben = shop.waits("ben", &[(ticket_type, 1)]).await;
    let group = shop.waits("group", &[(ticket_type, 3)]).await;
    let cem = shop.waits("cem", &[(ticket_type, 1)]).await;
    assert_eq!(
        outcome(&shop.prioritize(&[group.entry, cem.entry], 5).await),
        "prioritized"
    );
    let strange = shop.prioritize(&[ann.entry, uuid::Uuid::now_v7()], 9).await;
    assert_eq!(outcome(&strange), "entry_not_found");

    gives_back(&shop, &sold[..2]).await;
    assert_eq!(
        shop.serve(100).await,
        1,
        "cem fits beside the group that came before"
    );
    assert_eq!(shop.standing(&cem).await, "offered");
    assert_eq!(
        shop.standing(&ann).await,
        "waiting",
        "the other place is the group's to be"
    );
    assert_eq!(
        outcome(&shop.prioritize(&[cem.entry], 1).await),
        "not_waiting"
    );
    gives_back(&shop, &sold[2..]).await;
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&group).await, "offered");
    assert_eq!(
        outcome(&shop.answers("decline_waitlist_offer", &group).await),
        "declined"
    );
    assert_eq!(shop.serve(1).await, 1);
    assert_eq!(shop.standing(&ann).await, "offered");
    assert_eq!(shop.standing(&ben).await, "waiting", "only so many at once");
    assert_eq!(shop.serve(100).await, 1);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r11_an_equal_that_fits_goes_before_a_group_that_does_not() {
    let (shop, ticket_type, sold) = sold_out(3).await;
    let group = shop.waits("group", &[(ticket_type, 3)]).await;
    let ann = shop.waits("ann", &[(ticket_type, 1)]).await;
    gives_back(&shop, &sold[..1]).await;
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&ann).await, "offered");
    assert_eq!(shop.standing(&group).await, "waiting");
    // What comes back piece by piece is not sold away from the group.
    gives_back(&shop, &sold[1..]).await;
    assert_eq!(shop.available(ticket_type).await, Some(0));
    shop.answers("leave_waitlist", &group).await;
    assert_eq!(shop.available(ticket_type).await, Some(2));
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r11_who_waits_for_a_full_pool_keeps_nobody_from_another() {
    let shop = Shop::draft().await;
    let (hall, meals) = (shop.pool(Some(5)).await, shop.pool(Some(1)).await);
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
    let (registration, guest) = shop.placed(&[(dinner, 1)]).await;
    let ann = shop.waits("ann", &[(dinner, 1)]).await;
    assert_eq!(shop.available(plain).await, Some(4));
    shop.placed(&[(plain, 3)]).await;
    gives_back(&shop, &[(registration, guest)]).await;
    assert_eq!(shop.available(dinner).await, Some(0));
    assert_eq!(shop.available(plain).await, Some(1), "of two, one is ann's");
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.available(plain).await, Some(1));
    assert_eq!(
        outcome(&shop.answers("accept_waitlist_offer", &ann).await),
        "accepted"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn nobody_waits_for_what_is_there_twice_or_in_vain() {
    let (shop, ticket_type, sold) = sold_out(2).await;
    let (answer, _) = shop.join("ann", &[(ticket_type, 3)], json!({})).await;
    assert_eq!(outcome(&answer), "never_enough");
    let ann = shop.waits("ann", &[(ticket_type, 1)]).await;
    let (answer, _) = shop.join("ANN", &[(ticket_type, 2)], json!({})).await;
    assert_eq!(outcome(&answer), "already_waiting");
    gives_back(&shop, &sold).await;
    let (answer, _) = shop.join("ben", &[(ticket_type, 1)], json!({})).await;
    assert_eq!(outcome(&answer), "places_available", "one beside ann's");
    let (answer, _) = shop.join("ben", &[(ticket_type, 2)], json!({})).await;
    assert_eq!(outcome(&answer), "joined");

    assert_eq!(outcome(&shop.answers("leave_waitlist", &ann).await), "left");
    assert_eq!(
        shop.answers("leave_waitlist", &ann).await["already"],
        json!(true)
    );
    shop.waits("ann", &[(ticket_type, 1)]).await;
    shop.db.run("update events set waitlist = false").await;
    let (answer, _) = shop.join("cem", &[(ticket_type, 2)], json!({})).await;
    assert_eq!(outcome(&answer), "waitlist_closed");
    shop.db.run("update ticket_types set active = false").await;
    shop.db.run("update events set waitlist = true").await;
    let (answer, _) = shop.join("cem", &[(ticket_type, 2)], json!({})).await;
    assert_eq!(outcome(&answer), "ticket_type_not_found");
}

#[tokio::test]
async fn r11_who_cannot_be_served_any_more_keeps_nothing() {
    let (shop, ticket_type, sold) = sold_out(2).await;
    let other = shop
        .sells(Sold {
            price: 0,
            pools: &[],
        })
        .await;
    let pool = shop
        .db
        .ask("select id::text from capacity_pools")
        .await
        .unwrap();
    shop.db
        .run(&format!(
            "insert into ticket_type_pools (org_id, event_id, ticket_type_id, pool_id) \
             values ('{}', '{}', '{other}', '{pool}')",
            shop.org, shop.event
        ))
        .await;
    let ann = shop.waits("ann", &[(ticket_type, 1)]).await;
    gives_back(&shop, &sold).await;
    assert_eq!(shop.available(other).await, Some(1));
    let end = format!(
        "update ticket_types set sales_end_at = es.clock() + interval '60 s' where id = '{ticket_type}'"
    );
    shop.db.run(&end).await;
    assert_eq!(shop.serve(100).await, 1);
    let until = "select extract(epoch from (expires_at - es.clock()))::bigint from waitlist_offers";
    assert!(
        shop.db.ask_number(until).await <= 60,
        "no offer outlasts the sale"
    );
    shop.db.advance(61).await;
    assert_eq!(
        outcome(&shop.answers("accept_waitlist_offer", &ann).await),
        "sale_not_open"
    );
    assert_eq!(shop.available(other).await, Some(2));
    assert_eq!(shop.serve(100).await, 0);
    shop.placed(&[(other, 2)]).await;
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn an_entry_is_moved_by_whoever_waits_and_by_staff_alone() {
    let (shop, ticket_type, sold) = sold_out(1).await;
    let ann = shop.waits("ann", &[(ticket_type, 1)]).await;
    let ben = shop.waits("ben", &[(ticket_type, 1)]).await;
    let intruder = Waiting {
        entry: ann.entry,
        guest: ben.guest.clone(),
    };
    gives_back(&shop, &sold).await;
    shop.serve(100).await;
    for verb in [
        "leave_waitlist",
        "accept_waitlist_offer",
        "decline_waitlist_offer",
    ] {
        assert_eq!(
            outcome(&shop.answers(verb, &intruder).await),
            "entry_not_found",
            "{verb}"
        );
    }
    let reader = As::member(shop.user, shop.org, "events:read,registrations:read");
    let request = json!({ "entry_ids": [ann.entry], "priority": 1 });
    let refused = shop
        .db
        .try_call(&reader, "prioritize_waitlist", &request)
        .await;
    assert_eq!(code(&refused.expect_err("no permission")), "ES403");
    let staff = Waiting {
        entry: ann.entry,
        guest: shop.organizer(),
    };
    assert_eq!(
        outcome(&shop.answers("leave_waitlist", &staff).await),
        "left"
    );
    assert_eq!(shop.serve(100).await, 1, "left by staff, offered to ben");
    assert_eq!(shop.standing(&ben).await, "offered");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn r11_a_raised_capacity_and_a_released_hold_are_offered_first() {
    let (shop, ticket_type, _) = sold_out(2).await;
    let pool = shop
        .db
        .ask("select id::text from capacity_pools")
        .await
        .unwrap();
    let pool = pool.parse().unwrap();
    let ann = shop.waits("ann", &[(ticket_type, 2)]).await;
    shop.set_capacity(pool, 4).await;
    assert_eq!(
        outcome(&shop.place(&[(ticket_type, 1)]).await.0),
        "sold_out"
    );
    let held = shop.hold(ticket_type, 1, json!({})).await;
    assert_eq!(
        outcome(&held),
        "sold_out",
        "staff do not take what others wait for unawares"
    );
    shop.set_capacity(pool, 5).await;
    let held = shop.hold(ticket_type, 1, json!({})).await;
    assert_eq!(outcome(&held), "created", "{held}");
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&ann).await, "offered");
    let ben = shop.waits("ben", &[(ticket_type, 1)]).await;
    shop.release_hold(id(&held, "hold_id")).await;
    assert_eq!(
        outcome(&shop.place(&[(ticket_type, 1)]).await.0),
        "sold_out"
    );
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&ben).await, "offered");
    // A registration that ran out is offered too, swept or not.
    let accepted = shop.answers("accept_waitlist_offer", &ben).await;
    assert_eq!(outcome(&accepted), "accepted");
    let cem = shop.waits("cem", &[(ticket_type, 1)]).await;
    shop.db.advance(HOLD + 1).await;
    assert_eq!(
        outcome(&shop.place(&[(ticket_type, 1)]).await.0),
        "sold_out"
    );
    assert_eq!(shop.serve(100).await, 1);
    assert_eq!(shop.standing(&cem).await, "offered");
    assert_eq!(
        shop.status(id(&accepted, "registration_id")).await,
        "expired"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn the_sweep_finds_queues_that_something_is_free_for_and_no_others() {
    let (shop, ticket_type, sold) = sold_out(1).await;
    let waiting = "select count(*) from public.waitlists_to_serve()";
    assert_eq!(shop.db.ask_number(waiting).await, 0);
    shop.waits("ann", &[(ticket_type, 1)]).await;
    assert_eq!(shop.db.ask_number(waiting).await, 0);
    let (other, other_type) = Shop::simple_in(&shop.db, 1).await;
    other.placed(&[(other_type, 1)]).await;
    other.waits("ann", &[(other_type, 1)]).await;
    shop.db.advance(HOLD + 1).await;
    assert_eq!(
        shop.db.ask_number(waiting).await,
        1,
        "the other's hold ran out"
    );
    gives_back(&shop, &sold).await;
    assert_eq!(shop.db.ask_number(waiting).await, 2);
    shop.change_status("cancelled").await;
    assert_eq!(shop.db.ask_number(waiting).await, 1);
    assert_eq!(shop.serve(100).await, 0);
}
