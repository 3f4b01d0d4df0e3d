//! Texts of messages that an organization wrote itself.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// What an organization says instead of the built-in text. For an event its own text counts, else that of the
    /// organization, else the built-in one; each in the language of whoever it goes to, else in that of the
    /// organization, else in English. Values stand in double braces, `{{ event.title }}`; `previewMessageTemplate` lists
    /// them.
    #[sea_orm(table_name = "message_templates")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Option<Uuid>,
        /// Which message it is.
        pub kind: MessageKind,
        /// Which way it goes.
        pub channel: MessageChannel,
        /// Its language: two letters (ISO 639-1), a region where it matters (`pt-BR`).
        #[sea_orm(column_type = "Text")]
        pub language: String,
        /// Subject line of a mail; null for other channels.
        #[sea_orm(column_type = "Text", nullable)]
        pub subject: Option<String>,
        /// The mail with its looks, as MJML; null for other channels.
        #[sea_orm(column_type = "Text", nullable)]
        pub mjml: Option<String>,
        /// Plain text. Of a mail without one it is made of the MJML.
        #[sea_orm(column_type = "Text", nullable)]
        pub text: Option<String>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// What a message is about. Expect new values.
    pub enum MessageKind {
        /// To somebody who is to become a member.
        Invitation = "invitation",
        /// To somebody who is offered a ticket.
        TicketTransfer = "ticket_transfer",
        /// To somebody who waited, when places are kept for them.
        WaitlistOffer = "waitlist_offer",
        /// To the buyer of a registration that was confirmed; with a calendar file.
        RegistrationConfirmed = "registration_confirmed",
        /// To the buyer of a confirmed registration that was cancelled.
        RegistrationCancelled = "registration_cancelled",
        /// To the buyers of an event that was cancelled, and to whoever had got a ticket from them.
        EventCancelled = "event_cancelled",
        /// To everybody with a ticket, some time before the date. Recipients may unsubscribe.
        Reminder = "reminder",
        /// To the buyer of a registration that was approved and is to be paid.
        RegistrationApproved = "registration_approved",
        /// To the buyer of a registration that was rejected.
        RegistrationRejected = "registration_rejected",
        /// To the buyer of a confirmed registration of which single places were cancelled, and to whoever had got one of
        /// their tickets.
        TicketsCancelled = "tickets_cancelled",
        /// To the buyer, when money went back.
        PaymentRefunded = "payment_refunded",
        /// To somebody who accepted a ticket, with its new code.
        TicketReceived = "ticket_received",
        /// To whoever offered a ticket that was accepted.
        TicketHandedOver = "ticket_handed_over",
    }
}

text_enum! {
    /// Which way a message goes. Expect new values.
    pub enum MessageChannel {
        /// Mail, to an e-mail address.
        Email = "email",
        /// SMS, to a phone number.
        Sms = "sms",
        /// WhatsApp, to a phone number.
        Whatsapp = "whatsapp",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        Event(OrgId, EventId) -> events(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("MessageTemplate", 90, &DOCS)
        .root("messageTemplate", "messageTemplates")
        .scope("messages:read")
        .enumeration::<MessageKind>(Column::Kind)
        .enumeration::<MessageChannel>(Column::Channel)
        .to_one(
            "event",
            Relation::Event.def(),
            "The event that it is for; null for all of the organization.",
        )
        .key_of(Column::EventId, "Event")
        .filter([Column::EventId, Column::Kind])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
