//! The documented doors: guest secrets, unlisted events, and the organization behind an id.

use uuid::Uuid;

use crate::{
    harness::As,
    shop::{ORGANIZER, Shop, sign_up},
};

async fn org_of(shop: &Shop, who: &As, what: &str, id: Uuid) -> Option<String> {
    let sql = format!("select public.{what}($1::uuid)::text");
    shop.db
        .select(who, &sql, &[&id.to_string()])
        .await
        .expect("answered")
}

#[tokio::test]
async fn a_guest_secret_opens_its_registration_and_no_other() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 1)]).await;
    shop.placed(&[(ticket_type, 1)]).await;
    let seen = "select string_agg(id::text, ' ') from registrations";
    let opened = shop.db.select(&guest, seen, &[]).await.unwrap();
    assert_eq!(opened, Some(registration.to_string()));
    let wrong = As::guest(shop.org, "00ff");
    assert_eq!(shop.db.select(&wrong, seen, &[]).await.unwrap(), None);
}

#[tokio::test]
async fn what_a_secret_opens_ends_with_the_transaction() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let (_, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let setting = "select coalesce(current_setting('es.guest', true), '')";
    let inside = shop.db.select(&guest, setting, &[]).await.unwrap().unwrap();
    assert_ne!(inside, "");
    for _ in 0..30 {
        let after: String = sqlx::query_scalar(setting)
            .fetch_one(&shop.db.app)
            .await
            .unwrap();
        assert_eq!(after, "");
    }
}

#[tokio::test]
async fn an_unlisted_event_is_revealed_by_its_names_alone() {
    let (shop, _) = Shop::simple(5).await;
    shop.db
        .run("update events set visibility = 'unlisted'")
        .await;
    let slug = shop.db.ask("select slug from organizations").await.unwrap();
    let visitor = As {
        org: None,
        ..As::visitor(shop.org)
    };
    let seen = async |organization: &str, event: &str| {
        let sql = "with revealed as materialized (select es.reveal_event($1, $2)) \
                   select (es.revealed_events())::text from revealed";
        shop.db
            .select(&visitor, sql, &[organization, event])
            .await
            .unwrap()
            .unwrap()
    };
    assert_eq!(
        seen(&slug, "conference").await,
        format!("{{{}}}", shop.event)
    );
    assert_eq!(seen(&slug, "other").await, "{}");
    assert_eq!(seen("other", "conference").await, "{}");
    for hidden in [
        "status = 'draft'",
        "status = 'archived'",
        "visibility = 'private'",
        "visibility = 'public'",
    ] {
        shop.db
            .run("update events set status = 'published', visibility = 'unlisted'")
            .await;
        shop.db.run(&format!("update events set {hidden}")).await;
        assert_eq!(seen(&slug, "conference").await, "{}", "{hidden}");
    }
}

#[tokio::test]
async fn the_organization_of_an_event_is_told_to_who_may_buy() {
    let (shop, _) = Shop::simple(5).await;
    let visitor = As {
        org: None,
        ..As::visitor(shop.org)
    };
    let (foreign, _) = Shop::simple_in(&shop.db, 1).await;
    let foreigner = As::member(foreign.user, foreign.org, ORGANIZER);
    let org = Some(shop.org.to_string());
    for who in [&visitor, &foreigner, &shop.organizer()] {
        assert_eq!(org_of(&shop, who, "event_org", shop.event).await, org);
        assert_eq!(org_of(&shop, who, "event_org", Uuid::now_v7()).await, None);
    }
    for hidden in ["status = 'draft'", "visibility = 'private'"] {
        shop.db
            .run(&format!(
                "update events set {hidden} where id = '{}'",
                shop.event
            ))
            .await;
        assert_eq!(
            org_of(&shop, &visitor, "event_org", shop.event).await,
            None,
            "{hidden}"
        );
        assert_eq!(
            org_of(&shop, &foreigner, "event_org", shop.event).await,
            None,
            "{hidden}"
        );
        assert_eq!(
            org_of(&shop, &shop.organizer(), "event_org", shop.event).await,
            org
        );
    }
}

#[tokio::test]
async fn the_organization_of_a_registration_is_told_to_its_people() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 1)]).await;
    let (foreign, _) = Shop::simple_in(&shop.db, 1).await;
    let stranger = As::attendee(sign_up(&shop.db).await, shop.org);
    let org = Some(shop.org.to_string());
    let ask = async |who: &As| org_of(&shop, who, "registration_org", registration).await;
    assert_eq!(ask(&As { org: None, ..guest }).await, org);
    assert_eq!(ask(&shop.organizer()).await, org);
    for who in [
        As::visitor(shop.org),
        stranger,
        As::member(foreign.user, foreign.org, ORGANIZER),
        As::member(shop.user, shop.org, "events:read"),
    ] {
        assert_eq!(ask(&who).await, None, "{who:?}");
    }
}
