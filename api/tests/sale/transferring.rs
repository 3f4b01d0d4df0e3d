//! Handing tickets on: one winner, a new code, and nobody sees more than is theirs.

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{As, all_at_once, outcome},
    shop::Shop,
    steps::secret,
};

/// What a role reads in a transaction of its own, as text.
async fn reads(shop: &Shop, who: &As, sql: &str) -> Option<String> {
    shop.db.select(who, sql, &[]).await.expect("read")
}

const CODES: &str =
    "select string_agg(code, ',' order by issued_at) from tickets where status = 'valid'";

#[tokio::test]
async fn whoever_accepts_gets_a_new_code_and_the_old_one_is_revoked() {
    let (shop, ticket_type) = Shop::simple(2).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 1)]).await;
    let ticket = shop.valid_tickets(registration).await[0];
    let before = reads(&shop, &guest, CODES).await.unwrap();
    let (offered, code) = shop.offer(&guest, ticket).await;
    assert_eq!(outcome(&offered), "offered", "{offered}");
    assert_eq!(
        reads(&shop, &guest, CODES).await.unwrap(),
        before,
        "nothing changes yet"
    );
    let (accepted, receiver) = shop.accept(&code).await;
    assert_eq!(outcome(&accepted), "accepted", "{accepted}");

    let after = reads(&shop, &receiver, CODES).await.unwrap();
    assert_ne!(after, before);
    assert_eq!(
        reads(&shop, &guest, CODES).await,
        None,
        "the buyer has none"
    );
    let old = format!("select status from tickets where id = '{ticket}'");
    assert_eq!(shop.db.ask(&old).await.unwrap(), "transferred");
    let mailed = "select count(*) from mail_messages where kind = 'ticket_transfer' and recipient = 'next@example.com'";
    assert_eq!(shop.db.ask_number(mailed).await, 1);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn the_receiver_sees_the_ticket_alone_and_the_buyer_not_the_receiver() {
    let (shop, ticket_type) = Shop::simple(2).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 2)]).await;
    let ticket = shop.valid_tickets(registration).await[0];
    let (_, code) = shop.offer(&guest, ticket).await;
    let (_, receiver) = shop.accept(&code).await;
    for (sql, for_receiver, for_buyer) in [
        ("select count(*)::text from registrations", "0", "1"),
        ("select count(*)::text from registration_items", "0", "2"),
        ("select count(*)::text from tickets", "1", "2"),
        ("select count(*)::text from ticket_transfers", "1", "1"),
        (
            "select string_agg(name, ',') from attendees",
            "Nina Next",
            "",
        ),
        ("select count(*)::text from events", "1", "1"),
        ("select count(*)::text from ticket_types", "1", "1"),
    ] {
        let seen = reads(&shop, &receiver, sql).await.unwrap_or_default();
        assert_eq!(seen, for_receiver, "the receiver: {sql}");
        let seen = reads(&shop, &guest, sql).await.unwrap_or_default();
        assert_eq!(seen, for_buyer, "the buyer: {sql}");
    }
    // What was given away is its holder's: the buyer can neither change nor cancel it.
    let items = shop.units(registration).await;
    let name =
        json!({ "reassigns": [{ "item_id": items[0], "name": "Me", "email": "me@example.com" }] });
    let answer = shop.change(&guest, registration, name).await;
    assert_eq!(outcome(&answer), "ticket_given_away");
    let answer = shop.cancel_units(&guest, registration, &items[..1]).await;
    assert_eq!(outcome(&answer), "ticket_given_away");
    assert_eq!(
        outcome(&shop.cancel(&guest, registration).await),
        "ticket_given_away"
    );
    let answer = shop.cancel_units(&guest, registration, &items[1..]).await;
    assert_eq!(outcome(&answer), "units_cancelled", "{answer}");
    let (answer, _) = shop.offer(&guest, ticket).await;
    assert_eq!(outcome(&answer), "ticket_not_valid");
    assert_eq!(shop.valid_tickets(registration).await.len(), 1);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_received_ticket_can_be_handed_on_by_its_holder_and_nobody_else() {
    let (shop, ticket_type) = Shop::simple(2).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 1)]).await;
    let ticket = shop.valid_tickets(registration).await[0];
    let (_, code) = shop.offer(&guest, ticket).await;
    let (accepted, receiver) = shop.accept(&code).await;
    let theirs: Uuid = accepted["ticket_id"].as_str().unwrap().parse().unwrap();
    let (answer, _) = shop.offer(&guest, theirs).await;
    assert_eq!(outcome(&answer), "ticket_not_found");
    let (answer, code) = shop.offer(&receiver, theirs).await;
    assert_eq!(outcome(&answer), "offered", "{answer}");
    let (accepted, third) = shop.accept(&code).await;
    assert_eq!(outcome(&accepted), "accepted", "{accepted}");
    assert!(reads(&shop, &third, CODES).await.is_some());
    assert_eq!(reads(&shop, &receiver, CODES).await, None);
    assert_eq!(shop.valid_tickets(registration).await.len(), 1);
    shop.db.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_accept_at_once_one_wins() {
    let (shop, ticket_type) = Shop::simple(20).await;
    for _ in 0..10 {
        let (registration, guest) = shop.confirmed(&[(ticket_type, 1)]).await;
        let ticket = shop.valid_tickets(registration).await[0];
        let (_, code) = shop.offer(&guest, ticket).await;
        let racing = shop.clone();
        let answers = all_at_once(2, 2, move |_| {
            let (shop, code) = (racing.clone(), code.clone());
            async move { shop.accept(&code).await.0 }
        })
        .await;
        let mut said: Vec<_> = answers.iter().map(outcome).collect();
        said.sort_unstable();
        assert_eq!(said, ["accepted", "transfer_not_open"], "{answers:?}");
        assert_eq!(shop.valid_tickets(registration).await.len(), 1);
    }
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn one_offer_is_open_at_a_time_and_each_way_to_end_it_is_told() {
    let (shop, ticket_type) = Shop::simple(2).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 1)]).await;
    let ticket = shop.valid_tickets(registration).await[0];
    let (first, code) = shop.offer(&guest, ticket).await;
    assert_eq!(
        outcome(&shop.offer(&guest, ticket).await.0),
        "already_offered"
    );
    let visitor = As::visitor(shop.org);
    let decline = json!({ "secret_hash": code });
    let answer = shop.db.call(&visitor, "decline_transfer", &decline).await;
    assert_eq!(
        (outcome(&answer), &answer["already"]),
        ("declined", &json!(false))
    );
    let answer = shop.db.call(&visitor, "decline_transfer", &decline).await;
    assert_eq!(answer["already"], json!(true));
    assert_eq!(outcome(&shop.accept(&code).await.0), "transfer_not_open");

    let (second, code) = shop.offer(&guest, ticket).await;
    let cancel = json!({ "transfer_id": second["transfer_id"] });
    let stranger = As {
        role: "es_attendee",
        ..As::visitor(shop.org)
    };
    let answer = shop.db.call(&stranger, "cancel_transfer", &cancel).await;
    assert_eq!(outcome(&answer), "transfer_not_found");
    let answer = shop.db.call(&guest, "cancel_transfer", &cancel).await;
    assert_eq!(outcome(&answer), "cancelled");
    assert_eq!(outcome(&shop.accept(&code).await.0), "transfer_not_open");
    let over = json!({ "transfer_id": first["transfer_id"] });
    let answer = shop.db.call(&guest, "cancel_transfer", &over).await;
    assert_eq!(outcome(&answer), "transfer_not_open", "{answer}");

    let (_, code) = shop.offer(&guest, ticket).await;
    shop.db.advance(8 * 24 * 3600).await;
    assert_eq!(outcome(&shop.accept(&code).await.0), "transfer_expired");
    assert_eq!(outcome(&shop.offer(&guest, ticket).await.0), "offered");
    assert_eq!(
        outcome(&shop.accept(&secret()).await.0),
        "transfer_not_found"
    );
    assert_eq!(shop.valid_tickets(registration).await, [ticket]);
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn what_happens_to_a_ticket_ends_its_offer_and_a_used_one_stays() {
    let (shop, ticket_type) = Shop::simple(9).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 2)]).await;
    let tickets = shop.valid_tickets(registration).await;
    let items = shop.units(registration).await;
    let (_, code) = shop.offer(&guest, tickets[0]).await;
    shop.cancel_units(&guest, registration, &items[..1]).await;
    assert_eq!(outcome(&shop.accept(&code).await.0), "transfer_not_open");

    let (_, code) = shop.offer(&guest, tickets[1]).await;
    shop.db
        .run(&format!(
            "insert into check_in_lists (org_id, event_id, name) values ('{org}', '{event}', 'Door'); \
             insert into check_ins (org_id, event_id, list_id, ticket_id, direction, outcome, scanned_at, nonce) \
             select '{org}', '{event}', id, '{ticket}', 'entry', 'admitted', now(), 'nonce-0001' from check_in_lists",
            org = shop.org, event = shop.event, ticket = tickets[1]
        ))
        .await;
    assert_eq!(outcome(&shop.accept(&code).await.0), "ticket_used");
    let name =
        json!({ "reassigns": [{ "item_id": items[1], "name": "Me", "email": "me@example.com" }] });
    let organizer = shop.organizer();
    for who in [&guest, &organizer] {
        let answer = shop.change(who, registration, name.clone()).await;
        assert_eq!(outcome(&answer), "ticket_used");
    }
    assert_eq!(
        outcome(&shop.cancel(&guest, registration).await),
        "ticket_used"
    );
    assert_eq!(
        outcome(&shop.cancel(&organizer, registration).await),
        "cancelled"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn holders_hand_on_until_the_event_says_and_members_until_it_is_over() {
    let (shop, ticket_type) = Shop::simple(9).await;
    let (registration, guest) = shop.confirmed(&[(ticket_type, 1)]).await;
    let ticket = shop.valid_tickets(registration).await[0];
    shop.set(json!({ "transfers_close_minutes": null })).await;
    assert_eq!(
        outcome(&shop.offer(&guest, ticket).await.0),
        "transfers_closed"
    );
    let (offered, _) = shop.offer(&shop.organizer(), ticket).await;
    assert_eq!(outcome(&offered), "offered", "{offered}");
    let stranger = As {
        role: "es_attendee",
        ..As::visitor(shop.org)
    };
    assert_eq!(
        outcome(&shop.offer(&stranger, ticket).await.0),
        "ticket_not_found"
    );
}
