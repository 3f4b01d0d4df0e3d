//! What of registrations can be watched.

use eventsphere_graphql::Subscription;

use crate::live::{Thing, Topic, Topics};

/// Adds it.
pub fn topics(topics: &mut Topics) {
    let declared = Subscription::new(
        "registrationChanged",
        "RegistrationChange",
        ("registration", "Registration"),
    )
    .described(
        "Registrations that are placed, confirmed, changed, cancelled: one message each time. Members watch all of their \
         organization or those of an event; a buyer, by account or guest secret, their own by `registrationId`.",
        "The registration as it is now; null in the first message where none is named.",
    )
    .about(
        "registrationId",
        "Registration",
        false,
        "Only this registration.",
    )
    .about("eventId", "Event", false, "Only registrations of this event.");
    topics.add(Topic {
        declared,
        types: &[
            "registration.approved",
            "registration.cancelled",
            "registration.changed",
            "registration.confirmed",
            "registration.expired",
            "registration.held",
            "registration.rejected",
        ],
        thing: Thing::Object,
        latest: None,
    });
}
