//! Who bought what: with an account and without, held, confirmed, waiting for approval and cancelled.

use serde_json::{Value, json};

use super::{
    does,
    events::{CLOSED, OnSale, Shop},
    money,
    people::{Founder, person},
    prices, queue,
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
    changes(founder, shop).await;
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

    money::fill(founder, &buyer, shop).await;
    queue::fill(founder, shop).await;
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
            "source": source(tag),
        }),
    )
    .await
}

fn source(tag: &str) -> Value {
    json!({
        "utmSource": format!("{tag} news"), "utmMedium": format!("{tag} mail"),
        "utmCampaign": format!("{tag} spring"), "utmTerm": format!("{tag} term"),
        "utmContent": format!("{tag} content"), "affiliate": format!("{tag} partner"),
        "referrer": format!("https://{tag}.example/from"), "landingUrl": format!("https://{tag}.example/at"),
    })
}

/// What members did with registrations of their own: approved, rejected, with a place less, handed on.
async fn changes(founder: &Founder<'_>, shop: &Shop) {
    let tag = founder.tag;
    for turn in 0..6 {
        let placed = place(founder, &founder.owner, shop.event("careful"), "owner").await;
        confirm(founder, &founder.owner, &placed).await;
        let mut input = json!({
            "registrationId": placed["registration"]["id"], "idempotencyKey": harness::key(),
        });
        match turn {
            0 => drop(founder.does("approveRegistration", "", input).await),
            1 => {
                input["reason"] = json!(format!("{tag} is full"));
                founder.does("rejectRegistration", "", input).await;
            }
            _ => {}
        }
    }
    let plain = shop.event("plain");
    let lessened = place(founder, &founder.owner, plain, "owner").await;
    let id = &lessened["registration"]["id"];
    let more = json!({
        "registrationId": id, "idempotencyKey": harness::key(),
        "add": [{ "ticketTypeId": plain.ticket_type, "quantity": 1 }],
    });
    let units = "registration { items { nodes { id } } }";
    let changed = founder.does("changeRegistration", units, more).await;
    let less = json!({
        "registrationId": id, "idempotencyKey": harness::key(),
        "itemIds": [changed["registration"]["items"]["nodes"][1]["id"]],
    });
    founder.does("cancelRegistration", "", less).await;
    for accepted in [true, false] {
        let placed = place(founder, &founder.owner, plain, "owner").await;
        confirm(founder, &founder.owner, &placed).await;
        hand_on(founder, &placed, accepted).await;
    }
}

/// Offers the ticket of a registration to its own buyer, who accepts it or does not.
async fn hand_on(founder: &Founder<'_>, placed: &Value, accepted: bool) {
    let tag = founder.tag;
    let query = "query($id: ID!) { registration(id: $id) { tickets { nodes { id } } } }";
    let variables = json!({ "id": placed["registration"]["id"] });
    let read = founder.owner.ask(founder.app, query, &variables).await;
    let tickets = &read.json()["data"]["registration"]["tickets"];
    let email = format!("next-{accepted}@{tag}.example");
    let offer = json!({
        "ticketId": tickets["nodes"][0]["id"], "email": email, "idempotencyKey": harness::key(),
    });
    founder.does("transferTicket", "", offer).await;
    if accepted {
        let code = founder.app.mailed_code(&email).await;
        let input = json!({
            "code": code, "name": format!("owner of {tag}"), "idempotencyKey": harness::key(),
        });
        founder.does("acceptTransfer", "", input).await;
    }
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
            "code": prices::code(tag, event), "source": source(tag),
        });
        let selection = "registration { id }";
        let placed = does(founder.app, who, "placeRegistration", selection, input).await;
        if types.len() == 1 {
            confirm(founder, who, &placed).await;
        }
    }
}

/// Places one of each type; what is asked for it is not nothing.
pub(super) async fn place_types(
    founder: &Founder<'_>,
    (who, name): (&Who, &str),
    event: &OnSale,
    types: &[&Value],
) -> Value {
    let tag = founder.tag;
    let person =
        json!({ "name": format!("{name} of {tag}"), "email": format!("{name}@{tag}.example") });
    let lines: Vec<_> = types
        .iter()
        .map(|of| json!({ "ticketTypeId": of, "quantity": 1, "attendees": [person] }))
        .collect();
    let input = json!({
        "eventId": event.id, "buyer": person, "idempotencyKey": harness::key(), "lines": lines,
        "source": source(tag),
    });
    does(
        founder.app,
        who,
        "placeRegistration",
        "registration { id }",
        input,
    )
    .await
}

pub(super) async fn confirm(founder: &Founder<'_>, who: &Who, placed: &Value) {
    let input =
        json!({ "registrationId": placed["registration"]["id"], "idempotencyKey": harness::key() });
    does(founder.app, who, "confirmRegistration", "", input).await;
}
