//! The fields that creating and changing an event share, and the way of an input to SQL.

use eventsphere_graphql::{InputType, Scalar, Verb};
use serde_json::{Map, Value as Json};

use crate::outcome::Refusals;

/// Whether an event is made or changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Create,
    Update,
}

/// Adds the fields to the verb's input.
pub(super) fn take(verb: Verb, use_: Use) -> Verb {
    let text = || InputType::Scalar(Scalar::String);
    let int = || InputType::Scalar(Scalar::Int);
    let time = || InputType::Scalar(Scalar::DateTime);
    let word = |name: &str| InputType::Scalar(Scalar::Enum(name.to_owned()));
    let needed = |verb: Verb, name: &str, kind: InputType, description: &str| match use_ {
        Use::Create => verb.takes(name, kind, description),
        Use::Update => verb.may_take(name, kind, description),
    };
    let verb = needed(verb, "title", text(), "Title, 1 to 200 characters.");
    let verb = needed(
        verb,
        "slug",
        text(),
        "Name in addresses: 1 to 100 of a-z, 0-9 and inner hyphens, unique in the organization.",
    );
    let verb = needed(verb, "startsAt", time(), "When it begins.");
    let verb = needed(verb, "endsAt", time(), "When it ends, after it begins.");
    verb.may_take(
        "timeZone",
        text(),
        "IANA zone in which its times are meant; the organization's by default.",
    )
    .may_take(
        "currency",
        text(),
        "ISO 4217 code of its prices; the organization's by default.",
    )
    .may_take(
        "summary",
        text(),
        "One or two sentences, at most 500 characters.",
    )
    .may_take(
        "description",
        text(),
        "Description in Markdown, at most 20000 characters.",
    )
    .may_take(
        "visibility",
        word("EventVisibility"),
        "Who can find it once it is published.",
    )
    .may_take(
        "format",
        word("EventFormat"),
        "Whether people come to a place, meet online, or both.",
    )
    .may_take(
        "venueId",
        InputType::Scalar(Scalar::Id("Venue".to_owned())),
        "Its place.",
    )
    .may_take(
        "holdSeconds",
        int(),
        "How long places are held for a buyer, 30 to 86400 seconds.",
    )
    .may_take(
        "maxTicketsPerRegistration",
        int(),
        "How many tickets one registration takes at most, 1 to 100.",
    )
    .may_take(
        "taxRounding",
        word("TaxRounding"),
        "How taxes of a registration are rounded; each place by itself by default.",
    )
    .may_take(
        "requiresApproval",
        InputType::Scalar(Scalar::Boolean),
        "Whether a member approves each registration.",
    )
    .may_take(
        "holdExtensionSeconds",
        int(),
        "How much longer places can be held for a buyer who asks, 0 to 86400 seconds; 900 by default.",
    )
    .may_take(
        "pendingKeepsStock",
        InputType::Scalar(Scalar::Boolean),
        "Whether registrations that wait for approval keep their places; they do by default.",
    )
    .may_take(
        "paymentDueHours",
        int(),
        "How long whoever was approved has to pay, 1 to 8760 hours; 72 by default.",
    )
    .may_take(
        "revivesLatePayments",
        InputType::Scalar(Scalar::Boolean),
        "Whether a payment that comes after its registration has expired takes the places again, where they are free; it \
         does by default.",
    )
    .may_take(
        "refundsLatePayments",
        InputType::Scalar(Scalar::Boolean),
        "Whether a late payment that takes no places is refunded by itself; it is by default.",
    )
    .may_take(
        "lastPaymentAt",
        time(),
        "From when on late payments take no places; null: never.",
    )
    .may_take(
        "changesCloseMinutes",
        int(),
        "Until how many minutes before the date begins buyers may change what is confirmed; null: not at all.",
    )
    .may_take(
        "transfersCloseMinutes",
        int(),
        "Until how many minutes before the date begins holders may hand tickets on; null: not at all.",
    )
    .may_take(
        "cancellationClosesMinutes",
        int(),
        "Until how many minutes before the date begins buyers may cancel what is confirmed; null: not at all.",
    )
    .may_take(
        "onePerPerson",
        InputType::Scalar(Scalar::Boolean),
        "Whether one address can have one registration only.",
    )
    .may_take(
        "waitlist",
        InputType::Scalar(Scalar::Boolean),
        "Whether people may wait for places once it is sold out; they may by default.",
    )
    .may_take(
        "waitlistOfferSeconds",
        int(),
        "How long places are kept for somebody who waited and was offered them, 60 to 2592000 seconds; a day by default.",
    )
}

/// Codes that come with these fields.
pub(super) fn fail(verb: Verb) -> Verb {
    verb.fails(
        "SLUG_TAKEN",
        "Another event of the organization has this name in addresses.",
    )
    .fails("VENUE_NOT_FOUND", "There is no such venue.")
    .fails("INVALID", "A value cannot be accepted.")
}

/// Outcomes that come with these fields.
pub(super) const REFUSALS: Refusals = &[
    (
        "slug_taken",
        "SLUG_TAKEN",
        "another event of the organization has this name in addresses",
        &["slug"],
    ),
    (
        "venue_not_found",
        "VENUE_NOT_FOUND",
        "there is no such venue",
        &["venueId"],
    ),
    (
        "event_not_found",
        "EVENT_NOT_FOUND",
        "there is no such event",
        &["eventId"],
    ),
    (
        "currency_in_use",
        "CURRENCY_IN_USE",
        "tickets were sold in the currency, so it stays",
        &["currency"],
    ),
    (
        "currency_locked",
        "CURRENCY_IN_USE",
        "tickets were sold in the currency, so it stays",
        &["currency"],
    ),
    (
        "not_editable",
        "NOT_EDITABLE",
        "an event in this state cannot be changed",
        &["eventId"],
    ),
    (
        "illegal_state",
        "NOT_EDITABLE",
        "an event in this state cannot be changed",
        &["eventId"],
    ),
    (
        "has_registrations",
        "IN_USE",
        "it has registrations, so it stays; cancel or archive it instead",
        &["eventId"],
    ),
    (
        "not_a_draft",
        "NOT_A_DRAFT",
        "only a draft can be deleted; archive it instead",
        &["eventId"],
    ),
    ("invalid", "INVALID", "a value cannot be accepted", &[]),
];

/// What a broken constraint of the table says to people: (constraint, field, sentence).
const CONSTRAINTS: &[(&str, &str, &str)] = &[
    (
        "events_slug_shape",
        "slug",
        "a slug has 1 to 100 of a-z, 0-9 and inner hyphens",
    ),
    (
        "events_title_length",
        "title",
        "a title has 1 to 200 characters",
    ),
    (
        "events_summary_length",
        "summary",
        "a summary has at most 500 characters",
    ),
    (
        "events_description_length",
        "description",
        "a description has at most 20000 characters",
    ),
    (
        "events_ends_after_start",
        "endsAt",
        "an event ends after it begins",
    ),
    (
        "occurrences_ends_after_start",
        "endsAt",
        "an event ends after it begins",
    ),
    (
        "events_currency_shape",
        "currency",
        "a currency is three capital letters of ISO 4217",
    ),
    (
        "events_hold_seconds_range",
        "holdSeconds",
        "a hold lasts 30 to 86400 seconds",
    ),
    (
        "events_hold_extension_range",
        "holdExtensionSeconds",
        "a hold is extended by 0 to 86400 seconds",
    ),
    (
        "events_payment_due_range",
        "paymentDueHours",
        "1 to 8760 hours are given to pay",
    ),
    (
        "events_changes_close_range",
        "changesCloseMinutes",
        "between 0 and 525600 minutes, or null",
    ),
    (
        "events_transfers_close_range",
        "transfersCloseMinutes",
        "between 0 and 525600 minutes, or null",
    ),
    (
        "events_cancellation_closes_range",
        "cancellationClosesMinutes",
        "between 0 and 525600 minutes, or null",
    ),
    (
        "events_waitlist_offer_seconds_range",
        "waitlistOfferSeconds",
        "places are kept for 60 to 2592000 seconds",
    ),
    (
        "events_max_tickets_range",
        "maxTicketsPerRegistration",
        "a registration takes 1 to 100 tickets",
    ),
];

/// The user error of an outcome that is no success.
pub(super) fn refusal(
    answer: &Json,
) -> Result<eventsphere_graphql::engine::Outcome, crate::fault::Fault> {
    let constraint = answer
        .get("constraint")
        .and_then(Json::as_str)
        .unwrap_or_default();
    match CONSTRAINTS.iter().find(|(name, ..)| *name == constraint) {
        Some((_, field, message)) => Ok(eventsphere_graphql::engine::Outcome::refused(
            "INVALID",
            message,
            &[field],
        )),
        // The text of a constraint that nobody described names tables; people get the plain sentence.
        None if !constraint.is_empty() => Ok(eventsphere_graphql::engine::Outcome::refused(
            "INVALID",
            "a value cannot be accepted",
            &[],
        )),
        None => crate::outcome::refusal(answer, REFUSALS),
    }
}

/// `startsAt` -> `starts_at`, for every field of the input.
pub(super) fn request(input: Map<String, Json>) -> Json {
    let snake = |name: &str| {
        name.chars().fold(String::new(), |mut out, character| {
            if character.is_ascii_uppercase() {
                out.push('_');
            }
            out.push(character.to_ascii_lowercase());
            out
        })
    };
    Json::Object(
        input
            .into_iter()
            .map(|(name, value)| (snake(&name), value))
            .collect(),
    )
}
