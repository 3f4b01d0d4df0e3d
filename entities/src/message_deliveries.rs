//! The log of messages: what went to whom.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::{
    documented::{documented, relations, text_enum},
    message_templates::{MessageChannel, MessageKind},
};

documented! {
    /// A message to one recipient. What it said is not shown: it may hold codes.
    #[sea_orm(table_name = "message_deliveries")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Option<Uuid>,
        /// The registration.
        pub registration_id: Option<Uuid>,
        /// Which message it is.
        pub kind: MessageKind,
        /// Which way it goes.
        pub channel: MessageChannel,
        /// Address or phone number that it is for.
        #[sea_orm(column_type = "Text")]
        pub recipient: String,
        /// The thing that it is about.
        pub about: Uuid,
        /// Which of several times.
        #[sea_orm(column_type = "Text")]
        pub occasion: String,
        /// Where it stands.
        #[sea_orm(default_value = "queued")]
        pub state: MessageState,
        /// Its subject line; empty until it is made, and where there is none.
        #[sea_orm(column_type = "Text", default_value = "")]
        pub subject: String,
        /// Who took it: `smtp`, `sendgrid`, `twilio`, `africas_talking`, `whatsapp_cloud`; `mailbox` where no provider is
        /// configured.
        #[sea_orm(column_type = "Text", nullable)]
        pub provider: Option<String>,
        /// By which name the provider knows it.
        #[sea_orm(column_type = "Text", nullable)]
        pub provider_reference: Option<String>,
        /// Why it did not arrive, or did not go out.
        #[sea_orm(column_type = "Text", nullable)]
        pub failure: Option<String>,
        /// How often it was tried.
        #[sea_orm(default_value = 0)]
        pub attempts: i32,
        /// When the provider took it.
        pub sent_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where a message stands. Expect new values.
    pub enum MessageState {
        /// Waits to be sent, or to be tried again.
        Queued = "queued",
        /// A provider took it.
        Sent = "sent",
        /// There is nobody at that address; nothing is sent there any more.
        Bounced = "bounced",
        /// Not sent, for the recipient does not want it, an earlier one bounced, or its time is over.
        Suppressed = "suppressed",
        /// Not sent, and not tried again.
        Failed = "failed",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        Event(OrgId, EventId) -> events(OrgId, Id);
        Registration(OrgId, RegistrationId) -> registrations(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("MessageDelivery", 91, &DOCS)
        .root("messageDelivery", "messageDeliveries")
        .scope("messages:read")
        .enumeration::<MessageKind>(Column::Kind)
        .enumeration::<MessageChannel>(Column::Channel)
        .enumeration::<MessageState>(Column::State)
        .hide([Column::About, Column::Occasion])
        .to_one(
            "event",
            Relation::Event.def(),
            "The event that it is about.",
        )
        .to_one(
            "registration",
            Relation::Registration.def(),
            "The registration that it is about.",
        )
        .key_of(Column::EventId, "Event")
        .key_of(Column::RegistrationId, "Registration")
        .filter([
            Column::EventId,
            Column::RegistrationId,
            Column::State,
            Column::Recipient,
            Column::CreatedAt,
        ])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
