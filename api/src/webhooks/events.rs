//! What endpoints can be told of. `docs/webhooks.md` says the same to integrators; a test compares both with what the
//! SQL functions emit.

/// A type of event and the entity that it happens to.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventType {
    pub name: &'static str,
    pub entity: &'static str,
}

const fn of(name: &'static str, entity: &'static str) -> EventType {
    EventType { name, entity }
}

/// Sent when a member asks for it, to one endpoint only.
pub(super) const TEST: &str = "webhook.test";

/// All of them.
pub(super) const EVENT_TYPES: &[EventType] = &[
    of("event.cancelled", "Event"),
    of("event.published", "Event"),
    of("event.updated", "Event"),
    of("hold.changed", "Hold"),
    of("hold.created", "Hold"),
    of("hold.expired", "Hold"),
    of("hold.released", "Hold"),
    of("payment.disputed", "Payment"),
    of("payment.failed", "Payment"),
    of("payment.refunded", "Payment"),
    of("payment.succeeded", "Payment"),
    of("registration.approved", "Registration"),
    of("registration.cancelled", "Registration"),
    of("registration.changed", "Registration"),
    of("registration.confirmed", "Registration"),
    of("registration.expired", "Registration"),
    of("registration.held", "Registration"),
    of("registration.rejected", "Registration"),
    of("ticket.cancelled", "Ticket"),
    of("ticket.issued", "Ticket"),
    of("ticket.transferred", "Ticket"),
    of("waitlist.offered", "WaitlistOffer"),
];

/// The entity by the name that the outbox has for it.
pub(super) fn entity(object_type: &str) -> Option<&'static str> {
    Some(match object_type {
        "event" => "Event",
        "hold" => "Hold",
        "payment" => "Payment",
        "registration" => "Registration",
        "ticket" => "Ticket",
        "waitlist_offer" => "WaitlistOffer",
        "webhook_endpoint" => "WebhookEndpoint",
        _ => return None,
    })
}

/// The entity that a key in an event's data belongs to.
pub(super) fn referred(key: &str) -> Option<&'static str> {
    Some(match key {
        "event_id" => "Event",
        "registration_id" => "Registration",
        "item_id" => "RegistrationItem",
        "entry_id" => "WaitlistEntry",
        "new_ticket_id" => "Ticket",
        "refund_id" => "Refund",
        "dispute_id" => "Dispute",
        _ => return None,
    })
}

/// The entities that events of these types happen to, each once; of all types when there are none.
pub(super) fn entities(types: &[String]) -> Vec<&'static str> {
    let mut entities: Vec<&str> = EVENT_TYPES
        .iter()
        .filter(|event| types.is_empty() || types.iter().any(|name| name == event.name))
        .map(|event| event.entity)
        .collect();
    entities.dedup();
    entities
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// The words between single quotes after `start` that look like types of events.
    fn emitted() -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/functions");
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path
                .file_name()
                .is_some_and(|name| name == "emit_event.sql")
            {
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            for call in text.split("perform emit_event(").skip(1) {
                let arguments = call.split("jsonb_build_object").next().unwrap();
                let words = arguments.split('\'').skip(1).step_by(2);
                found.extend(
                    words
                        .filter(|word| word.contains('.') && !word.ends_with('.'))
                        .map(str::to_owned),
                );
            }
        }
        found
    }

    #[test]
    fn every_event_that_is_emitted_can_be_subscribed_and_is_documented() {
        let known: BTreeSet<String> = EVENT_TYPES
            .iter()
            .map(|event| event.name.to_owned())
            .collect();
        assert_eq!(emitted(), known);
        let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/webhooks.md");
        let guide = fs::read_to_string(guide).unwrap();
        for name in known.iter().map(String::as_str).chain([TEST]).chain(
            super::super::versions::VERSIONS
                .iter()
                .map(|version| version.name),
        ) {
            assert!(
                guide.contains(&format!("`{name}`")),
                "{name} is not documented"
            );
        }
    }

    #[test]
    fn a_filter_names_the_entities_it_leads_to() {
        let types = ["ticket.issued", "ticket.cancelled", "event.updated"].map(str::to_owned);
        assert_eq!(entities(&types), ["Event", "Ticket"]);
        assert_eq!(entities(&[]).len(), 6);
    }
}
