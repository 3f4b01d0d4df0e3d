//! The life of an event: creating, changing, publishing, cancelling, cloning, deleting.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, code, outcome},
    shop::{ORGANIZER, Shop, Sold},
};

async fn update(shop: &Shop, change: Json) -> Json {
    let mut request = change;
    request["event_id"] = json!(shop.event);
    shop.db
        .call(&shop.organizer(), "update_event", &request)
        .await
}

async fn delete(shop: &Shop) -> Json {
    let sql = "select public.delete_event($1::uuid)::text";
    let text = shop
        .db
        .select(&shop.organizer(), sql, &[&shop.event.to_string()])
        .await
        .expect("answered");
    serde_json::from_str(&text.expect("an answer")).expect("JSON")
}

#[tokio::test]
async fn publishing_needs_a_date_and_something_to_sell() {
    let shop = Shop::draft().await;
    shop.db
        .run("update occurrences set status = 'cancelled'")
        .await;
    let answer = shop.change_status("published").await;
    assert_eq!(answer["missing"], json!(["occurrence", "ticket_type"]));
    shop.db
        .run("update occurrences set status = 'scheduled'")
        .await;
    let ticket_type = shop
        .sells(Sold {
            price: 0,
            pools: &[],
        })
        .await;
    shop.db.run("update ticket_types set active = false").await;
    assert_eq!(
        shop.change_status("published").await["missing"],
        json!(["ticket_type"])
    );
    assert_eq!(shop.sale_status(ticket_type).await, "unavailable");
    shop.db.run("update ticket_types set active = true").await;
    shop.publish().await;
    assert_eq!(outcome(&shop.change_status("published").await), "unchanged");
}

#[tokio::test]
async fn events_take_the_steps_of_their_life_and_no_others() {
    const STATES: [&str; 5] = ["draft", "published", "completed", "cancelled", "archived"];
    let legal = |from: &str, to: &str, was_published: bool| {
        matches!(
            (from, to),
            ("draft", "published" | "archived")
                | ("published", "completed" | "cancelled")
                | ("completed" | "cancelled", "archived")
        ) || (from == "archived" && to == "draft" && !was_published)
    };
    let shop = Shop::draft().await;
    shop.sells(Sold {
        price: 0,
        pools: &[],
    })
    .await;
    for was_published in [false, true] {
        for from in STATES {
            for to in STATES.iter().filter(|to| **to != from) {
                let published_at = if was_published { "now()" } else { "null" };
                shop.db
                    .run(&format!(
                        "delete from event_cancellations; \
                         update events set status = '{from}', published_at = {published_at}"
                    ))
                    .await;
                let expected = if legal(from, to, was_published) {
                    "changed"
                } else {
                    "illegal_transition"
                };
                let answer = shop.change_status(to).await;
                assert_eq!(outcome(&answer), expected, "{from} to {to}: {answer}");
            }
        }
    }
    // There is no such state; and calling an event off is more than a step.
    for to in ["sold", "cancelled"] {
        let error = shop
            .db
            .select(
                &shop.organizer(),
                "select public.change_event_status($1::uuid, $2)::text",
                &[&shop.event.to_string(), to],
            )
            .await
            .unwrap_err();
        assert_eq!(code(&error), "ES400", "{to}");
    }
}

#[tokio::test]
async fn cancelling_an_event_cancels_every_live_registration() {
    let (shop, ticket_type) = Shop::simple(10).await;
    let (held, _) = shop.placed(&[(ticket_type, 2)]).await;
    let (confirmed, guest) = shop.placed(&[(ticket_type, 3)]).await;
    shop.confirm(&guest, confirmed).await;
    let (cancelled, guest) = shop.placed(&[(ticket_type, 1)]).await;
    shop.cancel(&guest, cancelled).await;
    let answer = shop.change_status("cancelled").await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    let counted = "select registrations from event_cancellations where finished_at is not null";
    assert_eq!(shop.db.ask_number(counted).await, 2);
    for registration in [held, confirmed] {
        assert_eq!(shop.status(registration).await, "cancelled");
    }
    assert_eq!(
        outcome(&shop.place(&[(ticket_type, 1)]).await.0),
        "sale_not_open"
    );
    assert_eq!(
        shop.db
            .ask_number("select claimed from capacity_pools")
            .await,
        0
    );
    assert_eq!(
        shop.db
            .ask_number("select count(*) from outbox where type = 'event.cancelled'")
            .await,
        1
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn new_dates_move_the_only_occurrence_along() {
    let shop = Shop::draft().await;
    let dates = json!({ "starts_at": "2036-01-01T10:00:00Z", "ends_at": "2036-01-01T12:00:00Z" });
    assert_eq!(outcome(&update(&shop, dates.clone()).await), "updated");
    assert_eq!(outcome(&update(&shop, dates).await), "unchanged");
    let moved = "select count(*) from occurrences o join events e on e.id = o.event_id \
                 where (o.starts_at, o.ends_at) = (e.starts_at, e.ends_at) and e.calendar_sequence = 1";
    assert_eq!(shop.db.ask_number(moved).await, 1);

    shop.db
        .run("insert into occurrences (org_id, event_id, starts_at, ends_at) select org_id, event_id, starts_at, ends_at from occurrences")
        .await;
    update(&shop, json!({ "ends_at": "2036-01-01T13:00:00Z" })).await;
    assert_eq!(
        shop.db.ask_number(&moved.replace("= 1", "= 2")).await,
        0,
        "of several dates none is moved"
    );
}

#[tokio::test]
async fn what_cannot_be_stored_is_a_value() {
    let shop = Shop::draft().await;
    let mut other = json!({ "title": "Other", "slug": "conference", "starts_at": "2036-01-01T10:00:00Z", "ends_at": "2036-01-01T12:00:00Z" });
    let create = async |request: &Json| {
        shop.db
            .call(&shop.organizer(), "create_event", request)
            .await
    };
    assert_eq!(outcome(&create(&other).await), "slug_taken");
    other["slug"] = json!("other");
    other["venue_id"] = json!(Uuid::now_v7());
    assert_eq!(outcome(&create(&other).await), "venue_not_found");
    other["venue_id"] = json!(null);
    for (field, value) in [
        ("starts_at", json!("2036-01-02T10:00:00Z")),
        ("starts_at", json!("soon")),
        ("title", json!("")),
        ("title", json!(null)),
        ("time_zone", json!("Mars/Olympus")),
        ("currency", json!("eur")),
        ("hold_seconds", json!(1)),
        ("visibility", json!("secret")),
    ] {
        let mut wrong = other.clone();
        wrong[field] = value;
        let answer = create(&wrong).await;
        assert_eq!(outcome(&answer), "invalid", "{wrong}: {answer}");
    }
    assert_eq!(outcome(&create(&other).await), "created");
    assert_eq!(
        outcome(&update(&shop, json!({ "slug": "other" })).await),
        "slug_taken"
    );
    assert_eq!(
        outcome(&update(&shop, json!({ "title": "" })).await),
        "invalid"
    );
    assert_eq!(
        outcome(&update(&shop, json!({ "title": null, "status": "published" })).await),
        "unchanged"
    );
}

#[tokio::test]
async fn the_currency_stays_from_the_first_registration_on() {
    let (shop, ticket_type) = Shop::simple(5).await;
    assert_eq!(
        outcome(&update(&shop, json!({ "currency": "CHF" })).await),
        "updated"
    );
    let currency = "select currency from ticket_types";
    assert_eq!(shop.db.ask(currency).await.as_deref(), Some("CHF"));
    shop.placed(&[(ticket_type, 1)]).await;
    assert_eq!(
        outcome(&update(&shop, json!({ "currency": "EUR" })).await),
        "currency_locked"
    );
    assert_eq!(
        outcome(&update(&shop, json!({ "currency": "CHF", "title": "New" })).await),
        "updated"
    );
}

#[tokio::test]
async fn a_draft_nobody_registered_for_is_deleted_whole() {
    let shop = Shop::draft().await;
    let pool = shop.pool(Some(5)).await;
    let ticket_type = shop
        .sells(Sold {
            price: 0,
            pools: &[pool],
        })
        .await;
    shop.publish().await;
    assert_eq!(outcome(&delete(&shop).await), "not_a_draft");
    shop.placed(&[(ticket_type, 1)]).await;
    shop.db.run("update events set status = 'draft'").await;
    assert_eq!(outcome(&delete(&shop).await), "has_registrations");

    let other = Shop::draft_in(&shop.db).await;
    let pool = other.pool(Some(5)).await;
    other
        .sells(Sold {
            price: 0,
            pools: &[pool],
        })
        .await;
    assert_eq!(outcome(&delete(&other).await), "deleted");
    assert_eq!(outcome(&delete(&other).await), "event_not_found");
    let left = format!(
        "select count(*) from occurrences where event_id = '{}'",
        other.event
    );
    assert_eq!(shop.db.ask_number(&left).await, 0);
}

#[tokio::test]
async fn a_copy_is_a_draft_with_everything_but_the_people() {
    let shop = Shop::draft().await;
    let pool = shop.pool(Some(5)).await;
    let ticket_type = shop
        .sells(Sold {
            price: 700,
            pools: &[pool],
        })
        .await;
    shop.db
        .run(&format!(
            "update ticket_types set sales_end_at = '2035-03-20T08:00:00+01:00'; \
             insert into sessions (id, org_id, event_id, occurrence_id, title, starts_at, ends_at) \
             select es.new_id(), org_id, event_id, id, 'Opening', starts_at, starts_at + interval '1 hour' \
             from occurrences where event_id = '{event}'; \
             insert into speakers (org_id, name) values ('{org}', 'Grace'); \
             insert into session_speakers (org_id, event_id, session_id, speaker_id) \
             select s.org_id, s.event_id, s.id, p.id from sessions s, speakers p",
            event = shop.event,
            org = shop.org
        ))
        .await;
    shop.publish().await;
    shop.placed(&[(ticket_type, 2)]).await;

    // Over the change to summer time of 2035-03-25: nine o'clock stays nine o'clock.
    let request = json!({ "event_id": shop.event, "slug": "again", "starts_at": "2035-03-27T09:00:00+02:00" });
    let answer = shop
        .db
        .call(&shop.organizer(), "clone_event", &request)
        .await;
    assert_eq!(outcome(&answer), "cloned", "{answer}");
    let copy = answer["event_id"].as_str().unwrap();
    let local = |column: &str, table: &str| {
        format!(
            "select to_char({column} at time zone 'Europe/Berlin', 'MM-DD HH24:MI') from {table} where event_id = '{copy}'"
        )
    };
    for (column, table, expected) in [
        ("starts_at", "occurrences", "03-27 09:00"),
        ("ends_at", "occurrences", "03-27 18:00"),
        ("ends_at", "sessions", "03-27 10:00"),
        ("sales_end_at", "ticket_types", "03-27 08:00"),
    ] {
        assert_eq!(
            shop.db.ask(&local(column, table)).await.as_deref(),
            Some(expected),
            "{table}.{column}"
        );
    }
    let event = format!(
        "select status || calendar_sequence || coalesce(published_at::text, '') from events where id = '{copy}'"
    );
    assert_eq!(shop.db.ask(&event).await.as_deref(), Some("draft0"));
    let stock = format!(
        "select count(*) from capacity_pools p join ticket_type_pools l on l.pool_id = p.id \
         join ticket_types t on t.id = l.ticket_type_id \
         where p.event_id = '{copy}' and l.event_id = '{copy}' and t.event_id = '{copy}' \
         and p.claimed = 0 and p.capacity = 5 and t.price_minor = 700"
    );
    assert_eq!(shop.db.ask_number(&stock).await, 1);
    let speakers = format!(
        "select count(*) from session_speakers l join sessions s on s.id = l.session_id and s.event_id = '{copy}' \
         join occurrences o on o.id = s.occurrence_id and o.event_id = '{copy}'"
    );
    assert_eq!(shop.db.ask_number(&speakers).await, 1);
    let people = format!("select count(*) from registrations where event_id = '{copy}'");
    assert_eq!(shop.db.ask_number(&people).await, 0);

    let again = shop
        .db
        .call(&shop.organizer(), "clone_event", &request)
        .await;
    assert_eq!(outcome(&again), "slug_taken");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn only_members_who_may_plan_events_change_them_and_only_their_own() {
    let (shop, _) = Shop::simple(5).await;
    let (foreign, _) = Shop::simple_in(&shop.db, 5).await;
    let id = shop.event.to_string();
    let reader = As::member(shop.user, shop.org, "events:read,registrations:write");
    let foreigner = As::member(foreign.user, foreign.org, ORGANIZER);
    let calls = [
        ("select public.create_event('{}')::text", ""),
        (
            "select public.update_event(jsonb_build_object('event_id', $1))::text",
            "event_not_found",
        ),
        (
            "select public.change_event_status($1::uuid, 'completed')::text",
            "event_not_found",
        ),
        (
            "select public.clone_event(jsonb_build_object('event_id', $1))::text",
            "event_not_found",
        ),
        (
            "select public.delete_event($1::uuid)::text",
            "event_not_found",
        ),
    ];
    for (sql, to_foreigner) in calls {
        let arguments: &[&str] = if to_foreigner.is_empty() { &[] } else { &[&id] };
        let error = shop.db.select(&reader, sql, arguments).await.unwrap_err();
        assert_eq!(code(&error), "ES403", "{sql}");
        for who in [As::visitor(shop.org), As::attendee(shop.user, shop.org)] {
            let error = shop.db.select(&who, sql, arguments).await.unwrap_err();
            assert_eq!(code(&error), "42501", "{sql}");
        }
        if !to_foreigner.is_empty() {
            let text = shop
                .db
                .select(&foreigner, sql, arguments)
                .await
                .unwrap()
                .unwrap();
            let answer: Json = serde_json::from_str(&text).unwrap();
            assert_eq!(outcome(&answer), to_foreigner, "{sql}");
        }
    }
    assert_eq!(
        shop.db
            .ask(&format!("select status from events where id = '{id}'"))
            .await
            .as_deref(),
        Some("published")
    );
}
