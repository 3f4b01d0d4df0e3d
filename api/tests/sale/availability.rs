//! What is shown of stock, and to whom.

use uuid::Uuid;

use crate::{
    harness::As,
    shop::{ORGANIZER, Shop, Sold},
};

#[tokio::test]
async fn visitors_are_told_nothing_of_what_they_may_not_see() {
    let (shop, ticket_type) = Shop::simple(5).await;
    let hidden = shop
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
    let unknown = Uuid::now_v7();
    for other in [hidden, unknown] {
        assert_eq!(shop.available(other).await, Some(0));
        assert_eq!(shop.sale_status(other).await, "unavailable");
    }
    shop.db
        .run("update events set visibility = 'private'")
        .await;
    assert_eq!(shop.available(ticket_type).await, Some(0));
    assert_eq!(shop.sale_status(ticket_type).await, "unavailable");

    let ask = async |who: &As| {
        let sql = "select public.ticket_type_available($1::uuid)::text";
        shop.db
            .select(who, sql, &[&ticket_type.to_string()])
            .await
            .unwrap()
    };
    assert_eq!(ask(&shop.organizer()).await.as_deref(), Some("5"));
    let (foreign, _) = Shop::simple_in(&shop.db, 1).await;
    let foreigner = As::member(foreign.user, foreign.org, ORGANIZER);
    assert_eq!(ask(&foreigner).await.as_deref(), Some("0"));
}

#[tokio::test]
async fn sold_out_begins_where_the_smallest_purchase_no_longer_fits() {
    let (shop, ticket_type) = Shop::simple(3).await;
    shop.db
        .run("update ticket_types set min_per_registration = 2")
        .await;
    assert_eq!(shop.sale_status(ticket_type).await, "on_sale");
    shop.placed(&[(ticket_type, 2)]).await;
    assert_eq!(shop.available(ticket_type).await, Some(1));
    assert_eq!(shop.sale_status(ticket_type).await, "sold_out");
}

#[tokio::test]
async fn the_check_of_the_stock_finds_what_is_wrong() {
    let (shop, ticket_type) = Shop::simple(9).await;
    let (registration, guest) = shop.placed(&[(ticket_type, 2)]).await;
    shop.confirm(&guest, registration).await;
    shop.db.assert_whole().await;
    for (damage, fault) in [
        (
            "update capacity_pools set claimed = 3",
            "counter_differs_from_claims",
        ),
        (
            "update pool_claims set released_at = now()",
            "claim_released_too_early",
        ),
        ("update pool_claims set quantity = 1", "claim_misses_items"),
        ("update pool_claims set quantity = 3", "claim_exceeds_items"),
        (
            "update pool_claims set expires_at = now()",
            "claim_expires_apart",
        ),
        (
            "update registrations set status = 'cancelled'",
            "claim_outlives_registration",
        ),
        (
            "update registrations set total_minor = 7",
            "total_differs_from_items",
        ),
        (
            "update registrations set confirmed_at = null",
            "status_without_instant",
        ),
        (
            "update registrations set status = 'pending_approval'",
            "ticket_without_confirmation",
        ),
        (
            "update tickets set status = 'cancelled'",
            "confirmed_without_ticket",
        ),
    ] {
        // Damage and look in one transaction, then undo it; the faults are told by an error that carries them.
        let look = format!(
            "do $$ begin {damage}; raise exception '%', \
             (select coalesce(string_agg(fault, ' '), 'nothing') from check_stock_integrity()); end $$"
        );
        let error = sqlx::raw_sql(sqlx::AssertSqlSafe(look))
            .execute(&shop.db.admin)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(fault), "{damage}: {error}");
    }
    shop.db.assert_whole().await;
}
