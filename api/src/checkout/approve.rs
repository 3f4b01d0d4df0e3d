//! approveRegistration and approveRegistrations: what waits for a member is confirmed, or asked for money.

use async_trait::async_trait;
use eventsphere_graphql::Verb;

use super::{
    codes,
    decision::{self, Decision, Many, One},
};
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// Approves one.
pub struct ApproveRegistration;

/// Approves up to a hundred.
pub struct ApproveRegistrations;

const REFUSALS: Refusals = &[
    decision::NOT_FOUND,
    decision::NOT_PENDING,
    (
        "sold_out",
        "SOLD_OUT",
        "its places were sold to others meanwhile",
        &[],
    ),
    (
        "code_used_up",
        "CODE_USED_UP",
        "the uses of its promo code were made by others meanwhile",
        &[],
    ),
    (
        "code_used_by_buyer",
        "CODE_USED_BY_BUYER",
        "its buyer has used the promo code meanwhile, as often as one may",
        &[],
    ),
    (
        "tickets_missing",
        "CHANGED_MEANWHILE",
        "the registration was changed at this very moment; try again with a new key",
        &[],
    ),
];

const DECISION: Decision = Decision {
    function: "approve_registrations",
    done: &["confirmed", "pending_payment"],
    refusals: REFUSALS,
};

fn fails(verb: Verb) -> Verb {
    verb.fails("REGISTRATION_NOT_FOUND", "There is no such registration.")
        .fails("NOT_PENDING", "It does not wait for approval.")
        .fails(
            "SOLD_OUT",
            "Its places were given back while it waited, and are taken.",
        )
        .fails(
            "CODE_USED_UP",
            "Its use of a promo code was given back while it waited, and is taken.",
        )
        .fails(
            "CODE_USED_BY_BUYER",
            "Its buyer has used the promo code meanwhile, as often as one may.",
        )
        .fails(
            "CHANGED_MEANWHILE",
            "It was changed at the same moment; try again.",
        )
}

#[async_trait]
impl Handle for ApproveRegistration {
    type Input = One;

    fn describe() -> Verb {
        fails(decision::takes_one(Verb::new(
            "approveRegistration",
            "Approves a registration that waits for it. What is free is confirmed with its tickets; what costs waits \
             for money, for `paymentDueHours` of the event. Approving twice is no error.",
        )))
    }

    async fn run(call: Call<'_>, input: One) -> Result<Done, Fault> {
        let org_id = outcome::own_org(call)?;
        let tickets = codes::for_approval(call, org_id, &[input.registration_id]).await?;
        decision::one(call, &DECISION, input, tickets).await
    }
}

#[async_trait]
impl Handle for ApproveRegistrations {
    type Input = Many;

    fn describe() -> Verb {
        fails(decision::takes_many(Verb::new(
            "approveRegistrations",
            "Approves up to 100 registrations that wait for it, as `approveRegistration` does. All is one transaction.",
        )))
    }

    async fn run(call: Call<'_>, input: Many) -> Result<Done, Fault> {
        let org_id = outcome::own_org(call)?;
        input.check()?;
        let tickets = codes::for_approval(call, org_id, &input.registration_ids).await?;
        decision::many(call, &DECISION, input, tickets).await
    }
}
