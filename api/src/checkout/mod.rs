//! The sale: a visitor places a registration (stock is held), confirms it (tickets are issued), or cancels it (stock
//! is given back). On the way it can be extended, approved or rejected, and changed; its tickets can be handed on. What
//! decides is SQL: functions named as the verbs lock, check and write in one transaction; here input becomes a request,
//! and the answer a payload. Buyers who come at the same time are placed and confirmed together (`counter/`).

mod accept_transfer;
mod approve;
mod cancel;
mod change;
mod codes;
mod confirm;
mod counter;
mod decision;
mod end_transfer;
mod expire;
mod extend;
mod guest;
mod holds;
mod place;
mod price;
mod price_checkout;
mod refusals;
mod reject;
mod request;
mod source;
mod topics;
mod transfer_ticket;
mod waitlist;

pub use counter::{Counter, Held};
pub use topics::topics;

// What paying has in common with the rest of the sale.
pub(crate) use confirm::org_of_registration;
pub(crate) use guest::reader;
pub(crate) use holds::invalid;
pub(crate) use request::{Money, check_key, keyed};

use eventsphere_graphql::{InputObject, InputType, Scalar};

use crate::{
    jobs::{Events, Registry, Schedule},
    verbs::Verbs,
};

/// What may free places that somebody waits for.
const FREED: Events = Events::Of(&[
    "registration.cancelled",
    "registration.changed",
    "registration.expired",
    "registration.rejected",
    "registration.units_cancelled",
    "hold.changed",
    "hold.expired",
    "hold.released",
    "event.updated",
]);

/// The jobs of this slice.
pub fn jobs(registry: &mut Registry) {
    registry
        .add::<expire::ExpireHolds>()
        .every::<expire::ExpireHolds>(Schedule::seconds(5))
        .add::<waitlist::ServeWaitlists>()
        .every::<waitlist::ServeWaitlists>(Schedule::seconds(5))
        .after::<waitlist::ServeWaitlists>(FREED);
}

/// The verbs of this slice.
pub fn verbs(registry: &mut Verbs) {
    registry
        .input(
            InputObject::new("RegistrationAttendeeInput", "Who a ticket is for.")
                .required("name", InputType::Scalar(Scalar::String), "Full name.")
                .required("email", InputType::Scalar(Scalar::String), "E-mail address."),
        )
        .input(
            InputObject::new("RegistrationBuyerInput", "Who places the registration.")
                .required("name", InputType::Scalar(Scalar::String), "Full name.")
                .required("email", InputType::Scalar(Scalar::String), "E-mail address."),
        )
        .input(
            InputObject::new("RegistrationLineInput", "How many tickets of one type.")
                .required(
                    "ticketTypeId",
                    InputType::Scalar(Scalar::Id("TicketType".to_owned())),
                    "The ticket type.",
                )
                .required("quantity", InputType::Scalar(Scalar::Int), "How many, from 1.")
                .optional(
                    "price",
                    InputType::Money,
                    "For a donation: what each is given. The suggested price when left out.",
                )
                .optional(
                    "attendees",
                    InputType::Objects("RegistrationAttendeeInput".to_owned()),
                    "Who they are for: none, or one for each ticket. Can also be given when confirming.",
                ),
        )
        .input(source::input())
        .input(
            InputObject::new("RegistrationSwapInput", "Another ticket type for one place.")
                .required(
                    "itemId",
                    InputType::Scalar(Scalar::Id("RegistrationItem".to_owned())),
                    "The registration's item.",
                )
                .required(
                    "ticketTypeId",
                    InputType::Scalar(Scalar::Id("TicketType".to_owned())),
                    "The ticket type that it gets.",
                ),
        )
        .input(
            InputObject::new("ItemAttendeeInput", "Who one ticket of a registration is for.")
                .required(
                    "itemId",
                    InputType::Scalar(Scalar::Id("RegistrationItem".to_owned())),
                    "The registration's item.",
                )
                .required("name", InputType::Scalar(Scalar::String), "Full name.")
                .required("email", InputType::Scalar(Scalar::String), "E-mail address."),
        );
    price::describe(registry);
    registry
        .add::<price_checkout::PriceCheckout>()
        .add::<place::PlaceRegistration>()
        .add::<confirm::ConfirmRegistration>()
        .add::<extend::ExtendRegistration>()
        .add::<approve::ApproveRegistration>()
        .add::<approve::ApproveRegistrations>()
        .add::<reject::RejectRegistration>()
        .add::<reject::RejectRegistrations>()
        .add::<change::ChangeRegistration>()
        .add::<cancel::CancelRegistration>()
        .add::<transfer_ticket::TransferTicket>()
        .add::<accept_transfer::AcceptTransfer>()
        .add::<end_transfer::DeclineTransfer>()
        .add::<end_transfer::CancelTransfer>();
    holds::verbs(registry);
    waitlist::verbs(registry);
}
