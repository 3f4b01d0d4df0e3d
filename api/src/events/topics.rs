//! What of events can be watched.

use eventsphere_graphql::Subscription;

use crate::live::{Thing, Topic, Topics};

/// Adds them.
pub fn topics(topics: &mut Topics) {
    topics.add(availability()).add(changes());
}

/// Everything that takes or gives places, sets some aside, or opens and closes the sale.
fn availability() -> Topic {
    let declared = Subscription::new(
        "availabilityChanged",
        "AvailabilityChange",
        ("event", "Event"),
    )
    .described(
        "What is left of an event's ticket types, as it changes: at most four messages a second, and always one with the \
         last state. The first message comes at once.",
        "The event as it is now; ask for `ticketTypes { nodes { available saleStatus } }`.",
    )
    .about("eventId", "Event", true, "The event.");
    Topic {
        declared,
        types: &[
            "event.cancelled",
            "event.published",
            "event.updated",
            "hold.changed",
            "hold.created",
            "hold.expired",
            "hold.released",
            "registration.approved",
            "registration.cancelled",
            "registration.changed",
            "registration.confirmed",
            "registration.expired",
            "registration.held",
            "registration.rejected",
            "ticket.cancelled",
            "waitlist.offered",
        ],
        thing: Thing::Event,
        latest: Some("availability.changed"),
    }
}

fn changes() -> Topic {
    let declared = Subscription::new("eventChanged", "EventChange", ("event", "Event"))
        .described(
            "An event that is published, changed, called off: one message each time. Without `eventId` all events of the \
             organization acted in.",
            "The event as it is now; null in the first message where none is named.",
        )
        .about("eventId", "Event", false, "Only this event; needed where one acts in no organization.");
    Topic {
        declared,
        types: &["event.cancelled", "event.published", "event.updated"],
        thing: Thing::Event,
        latest: None,
    }
}
