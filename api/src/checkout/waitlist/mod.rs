//! The waitlist: people wait for places that are not there, and are offered what becomes free, in order. The queue and
//! its offers are decided in SQL (`join_waitlist`, `serve_waitlist`, `accept_waitlist_offer`); the public is not sold
//! what those who wait could take, whether the sweep runs or not.

mod accept;
mod decline;
mod join;
mod leave;
mod prioritize;
mod serve;

pub(super) use serve::ServeWaitlists;

use eventsphere_graphql::{InputObject, InputType, Scalar};
use uuid::Uuid;

use crate::{
    fault::Fault,
    statements,
    verbs::{Call, Verbs},
};

/// The verbs of the waitlist.
pub(super) fn verbs(registry: &mut Verbs) {
    registry.input(
        InputObject::new(
            "WaitlistLineInput",
            "How many places of one ticket type are waited for.",
        )
        .required(
            "ticketTypeId",
            InputType::Scalar(Scalar::Id("TicketType".to_owned())),
            "The ticket type.",
        )
        .required(
            "quantity",
            InputType::Scalar(Scalar::Int),
            "How many, from 1.",
        ),
    );
    registry
        .add::<join::JoinWaitlist>()
        .add::<leave::LeaveWaitlist>()
        .add::<accept::AcceptWaitlistOffer>()
        .add::<decline::DeclineWaitlistOffer>()
        .add::<prioritize::PrioritizeWaitlistEntries>();
}

/// The organization of an entry that the caller may act on.
async fn org_of_entry(call: Call<'_>, entry_id: Uuid) -> Result<Option<Uuid>, Fault> {
    let tx = call.app.door.begin(call.actor).await?;
    let row = statements::first(
        &tx,
        "select public.waitlist_org($1) as org",
        [entry_id.into()],
    )
    .await?;
    tx.commit().await?;
    match row {
        Some(row) => Ok(row.try_get("", "org")?),
        None => Ok(None),
    }
}
