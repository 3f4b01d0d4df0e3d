//! Who waits for what, and what staff set aside: at the event that everybody sees, and at the one that nobody does.

use serde_json::{Value, json};

use super::{events::Shop, people::Founder};
use crate::harness::{self, TestApp};

/// Entries of each event; the first three are offered places, and the first of them accepts and confirms.
const WAITING: usize = 6;

/// Sells out a type of its own, lets people wait, and offers the first of them what was freed.
pub async fn fill(founder: &Founder<'_>, shop: &Shop) {
    for event in ["open", "closed"] {
        let on_sale = shop.event(event);
        let (scarce, pool) = scarce(founder, event, &on_sale.id).await;
        let of =
            |ticket_type: &Value| json!({ "eventId": on_sale.id, "ticketTypeId": ticket_type });
        let freed = hold(founder, event, "hold", of(&scarce), 3).await;
        hold(founder, event, "spare hold", of(&scarce), 2).await;
        let of_pool = json!({ "eventId": on_sale.id, "capacityPoolId": pool });
        hold(founder, event, "pool hold", of_pool, 1).await;
        hold(founder, event, "door hold", of(&on_sale.ticket_type), 2).await;
        let keeps = json!({
            "eventId": on_sale.id, "code": format!("{}-{event}-keeps", founder.tag), "kind": "NONE",
            "countedBy": "TICKET", "maxUses": 2,
        });
        founder.does("createPromoCode", "", keeps).await;
        let mut entries = vec![];
        for number in 1..=WAITING {
            entries.push(wait(founder, event, number, of(&scarce)).await);
        }
        let input = json!({ "holdId": freed, "idempotencyKey": harness::key() });
        founder.does("releaseHold", "", input).await;
        assert_eq!(serve(founder.app, founder.tag, event).await, 3);
        let input = json!({ "waitlistEntryId": entries[0], "idempotencyKey": harness::key() });
        let taken = founder
            .does("acceptWaitlistOffer", "registration { id }", input)
            .await;
        let input = json!({
            "registrationId": taken["registration"]["id"], "idempotencyKey": harness::key(),
        });
        founder.does("confirmRegistration", "", input).await;
    }
}

/// Offers what is free at the event to those who wait, as the sweep does; how many offers were made.
pub async fn serve(app: &TestApp, tag: &str, event: &str) -> i32 {
    let (admin, slug) = (app.database.admin().await, format!("{tag}-{event}-day"));
    let sql = "select public.serve_waitlist(e.id, 100) from events e where e.slug = $1";
    let served = admin.query_one(sql, &[&slug]).await;
    served.expect("served").get(0)
}

/// A type with six places of its own, and their stock.
async fn scarce(founder: &Founder<'_>, event: &str, id: &Value) -> (Value, Value) {
    let tag = founder.tag;
    let pool = json!({ "eventId": id, "name": format!("{tag} {event} few seats"), "capacity": 6 });
    let pool = founder
        .does("createCapacityPool", "capacityPool { id }", pool)
        .await["capacityPool"]["id"]
        .clone();
    let scarce = json!({
        "eventId": id, "name": format!("{tag} {event} scarce"), "description": format!("{tag} {event} scarce text"),
        "price": { "minorUnits": "0", "currencyCode": "EUR" }, "position": 9,
    });
    let scarce = founder
        .does("createTicketType", "ticketType { id }", scarce)
        .await["ticketType"]["id"]
        .clone();
    let link = json!({ "eventId": id, "ticketTypeId": scarce, "poolId": pool });
    founder.does("createTicketTypePool", "", link).await;
    (scarce, pool)
}

async fn hold(founder: &Founder<'_>, event: &str, kind: &str, of: Value, quantity: i32) -> Value {
    let name = format!("{} {event} {kind}", founder.tag);
    let mut input = of;
    input["name"] = json!(name);
    input["note"] = json!(format!("{name} note"));
    input["quantity"] = json!(quantity);
    input["expiresAt"] = json!("2027-01-01T00:00:00Z");
    input["idempotencyKey"] = json!(harness::key());
    founder.does("createHold", "hold { id }", input).await["hold"]["id"].clone()
}

async fn wait(founder: &Founder<'_>, event: &str, number: usize, of: Value) -> Value {
    let tag = founder.tag;
    let input = json!({
        "eventId": of["eventId"], "idempotencyKey": harness::key(),
        "person": {
            "name": format!("{tag} {event} wait {number}"), "email": format!("wait-{event}-{number}@{tag}.example"),
        },
        "lines": [{ "ticketTypeId": of["ticketTypeId"], "quantity": 1 }],
    });
    founder
        .does("joinWaitlist", "waitlistEntry { id }", input)
        .await["waitlistEntry"]["id"]
        .clone()
}
