//! The sale: a visitor places a registration (stock is held), confirms it (tickets are issued), or cancels it (stock
//! is given back). What decides is SQL: `place_registration`, `confirm_registration`, `cancel_registration` lock,
//! check and write in one transaction; here input becomes a request, and the answer a payload. Buyers who come at the
//! same time are placed and confirmed together (`counter/`).

mod cancel;
mod confirm;
mod counter;
mod expire;
mod place;
mod price;
mod price_checkout;
mod request;

pub use counter::Counter;
pub use expire::sweep;

use eventsphere_graphql::{InputObject, InputType, Scalar};

use crate::verbs::Verbs;

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
        .add::<cancel::CancelRegistration>();
}
