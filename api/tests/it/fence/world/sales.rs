//! Who bought what: with an account and without, held, confirmed, waiting for approval and cancelled.

use serde_json::{Value, json};

use super::{
    does,
    events::{CLOSED, OnSale, Shop},
    people::{Founder, person},
    prices,
};
use crate::{fence::ask::Who, harness};

/// People who bought.
pub struct Sales {
    pub buyer: Who,
    pub guest: Who,
    pub other_guest: Who,
}

/// Sells, then lets events come to their ends.
pub async fn fill(founder: &Founder<'_>, shop: &Shop) -> Sales {
    let tag = founder.tag;
    let nobody = Who::anonymous();
    let buyer = person(founder.app, tag, "buyer").await;
    for event in ["open", "unlisted"] {
        let held = place(founder, &buyer, shop.event(event), "buyer").await;
        confirm(founder, &buyer, &held).await;
        place(founder, &buyer, shop.event(event), "buyer").await;
    }
    let careful = place(founder, &buyer, shop.event("careful"), "buyer").await;
    confirm(founder, &buyer, &careful).await;
    // Members buy too, where strangers will see nothing of it.
    for event in ["closed", "closed-two", "off-closed"] {
        let own = place(founder, &founder.owner, shop.event(event), "owner").await;
        confirm(founder, &founder.owner, &own).await;
        place(founder, &founder.owner, shop.event(event), "owner").await;
    }
    let called_off = place(founder, &founder.owner, shop.event("closed"), "owner").await;
    let input = json!({
        "registrationId": called_off["registration"]["id"], "reason": format!("{tag} changed plans"),
        "idempotencyKey": harness::key(),
    });
    founder.does("cancelRegistration", "", input).await;

    with_everything(founder, &buyer, ("open", "buyer"), shop).await;
    for event in ["closed", "closed-two", "off-closed"] {
        with_everything(founder, &founder.owner, (event, "owner"), shop).await;
    }

    let placed = place(founder, &nobody, shop.event("open"), "guest").await;
    let guest = Who::with_guest(format!("guest-{tag}"), &placed["guestSecret"]);
    confirm(founder, &guest, &placed).await;
    let placed = place(founder, &nobody, shop.event("open"), "other-guest").await;
    let other_guest = Who::with_guest(format!("other-guest-{tag}"), &placed["guestSecret"]);

    for event in CLOSED {
        let input = json!({ "eventId": shop.event(event).id, "visibility": "PRIVATE" });
        founder.does("updateEvent", "", input).await;
    }
    for (event, steps) in [
        ("over", vec!["completeEvent"]),
        ("archived", vec!["completeEvent", "archiveEvent"]),
        ("shelved", vec!["archiveEvent"]),
        ("off", vec!["cancelEvent"]),
        ("off-closed", vec!["cancelEvent"]),
    ] {
        for step in steps {
            let input = json!({ "eventId": shop.event(event).id });
            founder.does(step, "", input).await;
        }
    }
    Sales {
        buyer,
        guest,
        other_guest,
    }
}

async fn place(founder: &Founder<'_>, who: &Who, event: &OnSale, name: &str) -> Value {
    let tag = founder.tag;
    let person =
        json!({ "name": format!("{name} of {tag}"), "email": format!("{name}@{tag}.example") });
    does(
        founder.app,
        who,
        "placeRegistration",
        "guestSecret registration { id }",
        json!({
            "eventId": event.id, "buyer": person, "idempotencyKey": harness::key(),
            "lines": [{ "ticketTypeId": event.ticket_type, "quantity": 1, "attendees": [person] }],
        }),
    )
    .await
}

/// What was bought with a code: tickets, which cost nothing, and a hold with an add-on, a fee and taxes.
async fn with_everything(
    founder: &Founder<'_>,
    who: &Who,
    (event, name): (&str, &str),
    shop: &Shop,
) {
    let tag = founder.tag;
    let on_sale = shop.event(event);
    let person =
        json!({ "name": format!("{name} of {tag}"), "email": format!("{name}@{tag}.example") });
    for types in [
        &[&on_sale.ticket_type][..],
        &[&on_sale.ticket_type, &on_sale.extra],
    ] {
        let lines: Vec<_> = types
            .iter()
            .map(|of| json!({ "ticketTypeId": of, "quantity": 1, "attendees": [person] }))
            .collect();
        let input = json!({
            "eventId": on_sale.id, "buyer": person, "idempotencyKey": harness::key(), "lines": lines,
            "code": prices::code(tag, event),
        });
        let selection = "registration { id }";
        let placed = does(founder.app, who, "placeRegistration", selection, input).await;
        if types.len() == 1 {
            confirm(founder, who, &placed).await;
        }
    }
}

async fn confirm(founder: &Founder<'_>, who: &Who, placed: &Value) {
    let input =
        json!({ "registrationId": placed["registration"]["id"], "idempotencyKey": harness::key() });
    does(founder.app, who, "confirmRegistration", "", input).await;
}
