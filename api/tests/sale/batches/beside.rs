//! What is sold beside the plain event of a twin: an event where people wait, and one where things cost.

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{As, outcome},
    queue::id,
    shop::{HOLD, ORGANIZER, Shop, Sold},
};

/// An event of the same organization.
pub struct Beside {
    pub shop: Shop,
    pub types: Vec<Uuid>,
    pub pools: Vec<Uuid>,
}

impl Beside {
    async fn event(shop: &Shop, slug: &str) -> Shop {
        let event = json!({
            "title": slug, "slug": slug, "starts_at": "2035-03-20T09:00:00+01:00",
            "ends_at": "2035-03-20T18:00:00+01:00", "hold_seconds": HOLD,
        });
        let who = As::member(shop.user, shop.org, ORGANIZER);
        let made = shop.db.call(&who, "create_event", &event).await;
        Shop {
            event: id(&made, "event_id"),
            occurrence: id(&made, "occurrence_id"),
            ..shop.clone()
        }
    }

    /// Sold out, and four wait for two places each.
    pub async fn queue(of: &Shop) -> Self {
        let shop = Self::event(of, "queue").await;
        let pool = shop.pool(Some(2)).await;
        let seat = shop
            .sells(Sold {
                price: 0,
                pools: &[pool],
            })
            .await;
        shop.publish().await;
        let mut sold = shop.request(&[(seat, 2)]);
        sold["buyer"]["email"] = json!("first@example.com");
        sold["idempotency_key"] = json!("who bought the last places");
        sold["guest_secret_hash"] = json!("cc".repeat(16));
        let who = As::visitor(shop.org);
        let answer = shop.db.call(&who, "place_registration", &sold).await;
        assert_eq!(outcome(&answer), "placed", "{answer}");
        let held = id(&answer, "registration_id");
        shop.db
            .run(&format!(
                "update registrations set expires_at = placed_at + interval '3650 days' where id = '{held}'; \
                 update pool_claims c set expires_at = r.expires_at from registrations r \
                 where r.id = '{held}' and c.registration_id = r.id"
            ))
            .await;
        for number in 0..4 {
            let mut wish = shop.request(&[(seat, 2)]);
            let name = format!("waits{number}");
            wish["person"] = json!({ "name": name, "email": format!("{name}@example.com") });
            wish["guest_secret_hash"] = json!(format!("dd{number:030x}"));
            wish["idempotency_key"] = json!(format!("{name} with this key"));
            let answer = shop.db.call(&who, "join_waitlist", &wish).await;
            assert_eq!(outcome(&answer), "joined", "{answer}");
        }
        // What these were told has ids in it that nobody names.
        shop.db.run("delete from idempotency_keys").await;
        Self {
            shop,
            types: vec![seat],
            pools: vec![pool],
        }
    }

    /// 10.00 less at first, an add-on that runs out, a fee, a tax, and a code that is used up.
    pub async fn rich(of: &Shop) -> Self {
        let shop = Self::event(of, "rich").await;
        let (hall, meals) = (shop.pool(Some(50)).await, shop.pool(Some(5)).await);
        let mut types = vec![];
        for (price, pool) in [(1000, hall), (300, meals)] {
            let pools = &[pool];
            types.push(shop.sells(Sold { price, pools }).await);
        }
        let (ticket, add_on) = (format!("'{}'", types[0]), format!("'{}'", types[1]));
        let link = [("ticket_type_id", ticket.as_str()), ("add_on_id", &add_on)];
        shop.adds("ticket_type_add_ons", &link).await;
        let tier = shop.tier(types[0], 500, &[("quantity", "7")]).await;
        let limits = [("rate_millionths", "500000"), ("max_uses", "4")];
        let code = shop.code("SESAME", "percent", &limits).await;
        shop.tax(190_000, false).await;
        shop.publish().await;
        let mut pools = vec![hall, meals];
        for of in [
            format!("select pool_id::text from price_tiers where id = '{tier}'"),
            format!("select pool_id::text from promo_codes where id = '{code}'"),
        ] {
            let pool = shop.db.ask(&of).await.expect("a pool");
            pools.push(pool.parse().expect("a key"));
        }
        Self { shop, types, pools }
    }

    /// What its ids are called in both worlds.
    pub fn names(&self, name: &str) -> Vec<(String, String)> {
        let mut names = vec![(self.shop.event.to_string(), name.to_owned())];
        for (what, ids) in [("type", &self.types), ("pool", &self.pools)] {
            for (at, id) in ids.iter().enumerate() {
                names.push((id.to_string(), format!("{name} {what} {at}")));
            }
        }
        names
    }
}
