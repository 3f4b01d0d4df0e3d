//! What there is to see: an event of every state and visibility, each with all its parts.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::people::Founder;

/// An event with what is sold there.
pub struct OnSale {
    pub id: Value,
    pub ticket_type: Value,
    /// An add-on of it that costs something; null where prices are plain.
    pub extra: Value,
}

/// Events by name.
pub struct Shop(HashMap<&'static str, OnSale>);

impl Shop {
    pub fn event(&self, name: &str) -> &OnSale {
        &self.0[name]
    }
}

/// (name, visibility, asks approval, published). Those in [`CLOSED`] become private once something was sold.
pub const EVENTS: [(&str, &str, bool, bool); 14] = [
    ("open", "PUBLIC", false, true),
    ("careful", "PUBLIC", true, true),
    ("unlisted", "UNLISTED", false, true),
    ("closed", "UNLISTED", false, true),
    ("closed-two", "UNLISTED", false, true),
    ("over", "UNLISTED", false, true),
    ("off", "PUBLIC", false, true),
    ("off-closed", "UNLISTED", false, true),
    ("archived", "UNLISTED", false, true),
    ("draft", "PUBLIC", false, false),
    ("scrap", "PUBLIC", false, false),
    ("bare", "PUBLIC", false, false),
    ("shelved", "PUBLIC", false, false),
    // The one where everything costs what it lists, so that what was bought can be changed.
    ("plain", "UNLISTED", false, true),
];

/// Nobody buys at a private event, so these were open once.
pub const CLOSED: [&str; 6] = [
    "closed",
    "closed-two",
    "over",
    "off-closed",
    "archived",
    "plain",
];

/// Venues, speakers and all events; what follows in their lives (`over`, `off`) is left to whoever sells first.
pub async fn fill(founder: &Founder<'_>) -> Shop {
    let mut shop = HashMap::new();
    for (index, (name, visibility, approval, published)) in EVENTS.into_iter().enumerate() {
        let event = event(founder, index, name, visibility, approval).await;
        if published {
            let input = json!({ "eventId": event.id });
            founder.does("publishEvent", "", input).await;
        }
        shop.insert(name, event);
    }
    // Used by nothing, so that it can be deleted.
    venue(founder, "spare").await;
    speaker(founder, "spare").await;
    Shop(shop)
}

async fn venue(founder: &Founder<'_>, name: &str) -> Value {
    let tag = founder.tag;
    let input = json!({
        "name": format!("{tag} {name} hall"), "addressLine": format!("{tag} street"),
        "city": format!("{tag} {name} city"), "region": format!("{tag} region"),
        "postalCode": format!("{tag}-1"), "country": "DE", "timeZone": "Europe/Berlin",
    });
    founder.does("createVenue", "venue { id }", input).await["venue"]["id"].clone()
}

async fn speaker(founder: &Founder<'_>, name: &str) -> Value {
    let tag = founder.tag;
    let input = json!({
        "name": format!("{tag} {name} speaker"), "title": format!("{tag} {name} doctor"),
        "company": format!("{tag} {name} works"), "bio": format!("{tag} {name} life"),
        "photoUrl": format!("https://{tag}.example/{name}.jpg"),
    });
    founder.does("createSpeaker", "speaker { id }", input).await["speaker"]["id"].clone()
}

async fn event(
    founder: &Founder<'_>,
    index: usize,
    name: &str,
    visibility: &str,
    approval: bool,
) -> OnSale {
    let tag = founder.tag;
    let venue = venue(founder, name).await;
    let speaker = speaker(founder, name).await;
    let day = format!("2027-05-{:02}", index + 1);
    let at = |hour: &str| format!("{day}T{hour}:00:00Z");
    let made = founder
        .does(
            "createEvent",
            "event { id occurrences { nodes { id } } }",
            json!({
                "title": format!("{tag} {name} day"), "slug": format!("{tag}-{name}-day"),
                "summary": format!("{tag} {name} summary"), "description": format!("{tag} {name} description"),
                "timeZone": "Europe/Berlin", "currency": "EUR", "startsAt": at("09"), "endsAt": at("18"),
                "visibility": visibility, "format": "HYBRID", "venueId": venue, "requiresApproval": approval,
                "holdSeconds": 86400, "lastPaymentAt": at("09"),
            }),
        )
        .await;
    let id = made["event"]["id"].clone();
    let occurrence = &made["event"]["occurrences"]["nodes"][0]["id"];
    // One event keeps room for what every other has one of.
    if name != "bare" {
        let access = json!({
            "eventId": id, "joinUrl": format!("https://{tag}.example/{name}/join"),
            "instructions": format!("{tag} {name} instructions"),
        });
        founder.does("createOnlineAccess", "", access).await;
    }
    for (part, hour) in [("opening", "10"), ("closing", "16")] {
        let session = founder
            .does(
                "createSession",
                "session { id }",
                json!({
                    "eventId": id, "occurrenceId": occurrence, "title": format!("{tag} {name} {part}"),
                    "description": format!("{tag} {name} {part} text"), "room": format!("{tag} {name} room"),
                    "track": format!("{tag} {name} track"), "position": 1, "startsAt": at(hour), "endsAt": at("17"),
                }),
            )
            .await;
        if part == "opening" {
            let link = json!({ "eventId": id, "sessionId": session["session"]["id"], "speakerId": speaker, "position": 1 });
            founder.does("createSessionSpeaker", "", link).await;
        }
    }
    let ticket_type = stock(founder, name, &id, occurrence).await;
    let extra = match name {
        "plain" => Value::Null,
        _ => super::prices::fill(founder, name, &id, &ticket_type).await,
    };
    door(founder, name, &id, occurrence, &ticket_type).await;
    OnSale {
        id,
        ticket_type,
        extra,
    }
}

async fn stock(founder: &Founder<'_>, name: &str, event: &Value, occurrence: &Value) -> Value {
    let tag = founder.tag;
    let pool = json!({
        "eventId": event, "occurrenceId": occurrence, "name": format!("{tag} {name} seats"), "capacity": 50,
    });
    let pool = founder
        .does("createCapacityPool", "capacityPool { id }", pool)
        .await;
    // Free to be deleted: nothing draws from it.
    let spare =
        json!({ "eventId": event, "name": format!("{tag} {name} spare seats"), "capacity": 5 });
    founder.does("createCapacityPool", "", spare).await;
    let mut first = None;
    for (kind, hidden) in [("standard", false), ("hidden", true)] {
        let made = founder
            .does(
                "createTicketType",
                "ticketType { id }",
                json!({
                    "eventId": event, "name": format!("{tag} {name} {kind}"),
                    "description": format!("{tag} {name} {kind} text"), "hidden": hidden,
                    "price": { "minorUnits": "0", "currencyCode": "EUR" },
                    "active": true, "minPerRegistration": 1, "maxPerRegistration": 10, "position": 1, "salesStartAt": "2020-01-01T00:00:00Z", "salesEndAt": "2027-01-01T00:00:00Z",
                }),
            )
            .await["ticketType"]["id"]
            .clone();
        let link =
            json!({ "eventId": event, "ticketTypeId": made, "poolId": pool["capacityPool"]["id"] });
        founder.does("createTicketTypePool", "", link).await;
        first.get_or_insert(made);
    }
    first.expect("a ticket type")
}

async fn door(
    founder: &Founder<'_>,
    name: &str,
    event: &Value,
    occurrence: &Value,
    ticket_type: &Value,
) {
    let tag = founder.tag;
    // The second is free to be deleted: nobody is scanned there.
    for (kind, position) in [("door", 1), ("spare door", 2)] {
        let list = json!({
            "eventId": event, "occurrenceId": occurrence, "name": format!("{tag} {name} {kind}"),
            "allTicketTypes": false, "position": position,
        });
        let list = founder
            .does("createCheckInList", "checkInList { id }", list)
            .await;
        if kind == "door" {
            let link = json!({
                "eventId": event, "listId": list["checkInList"]["id"], "ticketTypeId": ticket_type,
            });
            founder.does("createCheckInListTicketType", "", link).await;
        }
    }
}
