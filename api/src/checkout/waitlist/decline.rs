//! declineWaitlistOffer: leaves the places offered to whoever waits next.

use async_trait::async_trait;
use eventsphere_graphql::Verb;

use super::leave::{Input, end, named};
use crate::{
    fault::Fault,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct DeclineWaitlistOffer;

#[async_trait]
impl Handle for DeclineWaitlistOffer {
    type Input = Input;

    fn describe() -> Verb {
        named(Verb::new(
            "declineWaitlistOffer",
            "Declines the open offer of an entry: its places go to whoever waits next, and the entry ends. Whoever waits \
             may, and members with `registrations:write`. Declining twice is no error.",
        ))
        .fails(
            "NO_OFFER",
            "There is no open offer: none was made yet, or it was accepted or has expired.",
        )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        end(call, input, "decline_waitlist_offer", "declined").await
    }
}
