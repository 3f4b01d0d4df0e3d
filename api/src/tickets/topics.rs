//! What of tickets can be watched.

use eventsphere_graphql::Subscription;

use crate::live::{Thing, Topic, Topics};

/// Adds it.
pub fn topics(topics: &mut Topics) {
    let declared = Subscription::new("ticketChanged", "TicketChange", ("ticket", "Ticket"))
        .described(
            "Tickets that are issued, handed on, cancelled: one message each time. Members watch all of their organization \
             or those of an event; a buyer those of a registration, a holder their own by `ticketId`.",
            "The ticket as it is now; null in the first message where none is named.",
        )
        .about("ticketId", "Ticket", false, "Only this ticket.")
        .about(
            "registrationId",
            "Registration",
            false,
            "Only tickets of this registration.",
        )
        .about("eventId", "Event", false, "Only tickets of this event.");
    topics.add(Topic {
        declared,
        types: &["ticket.cancelled", "ticket.issued", "ticket.transferred"],
        thing: Thing::Object,
        latest: None,
    });
}
