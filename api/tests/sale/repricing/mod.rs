//! Registrations whose prices were reckoned from more than a list, after they were placed: extended, changed, cancelled in
//! part, approved. What stays keeps its price, what comes has the price of now, and pools of tiers and codes move along.

mod limits;
mod pools;
mod reference;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, outcome},
    shop::Shop,
};

/// Placed by a visitor with more said in the request; the registration and its guest.
async fn placed(shop: &Shop, wishes: &[(Uuid, i64)], said: Json) -> (Uuid, As) {
    let (answer, guest) = shop.place_with(wishes, said).await;
    assert_eq!(outcome(&answer), "placed", "{answer}");
    let id = answer["registration_id"].as_str().expect("a key");
    (id.parse().expect("a UUID"), guest)
}

/// The parts of the items that count, in their order.
async fn live(shop: &Shop, registration: Uuid, columns: &str) -> String {
    let sql = format!(
        "select string_agg(concat_ws('/', {columns}), ' ' order by position) from registration_items \
         where registration_id = '{registration}' and cancelled_at is null"
    );
    shop.db.ask(&sql).await.expect("items")
}

/// Sums of a registration: subtotal, discount, fee, tax, total.
async fn sums(shop: &Shop, registration: Uuid) -> String {
    let sql = format!(
        "select concat_ws('/', subtotal_minor, discount_minor, fee_minor, tax_minor, total_minor) from registrations \
         where id = '{registration}'"
    );
    shop.db.ask(&sql).await.expect("a registration")
}

/// Claims of a registration in the pools of that kind.
async fn claims(shop: &Shop, registration: Uuid, kind: &str) -> i64 {
    shop.db
        .ask_number(&format!(
            "select coalesce(sum(c.quantity), 0)::bigint from pool_claims c join capacity_pools p on p.id = c.pool_id \
             where c.registration_id = '{registration}' and c.released_at is null and p.kind = '{kind}'"
        ))
        .await
}

fn sesame() -> Json {
    json!({ "code": "SESAME" })
}
