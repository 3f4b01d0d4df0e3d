//! Accounts at providers of messages.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};
use crate::message_templates::MessageChannel;

documented! {
    /// The organization's own account at somebody who carries messages: all of a channel go through it. Its secret is kept
    /// encrypted and never shown.
    #[sea_orm(table_name = "message_accounts")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// What goes through it.
        pub channel: MessageChannel,
        /// Who carries it.
        pub provider: MessageProvider,
        /// By which name the provider knows the account: Twilio's account SID, the user of Africa's Talking, the id of a phone
        /// number at WhatsApp; any for SendGrid.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// What messages come from: an address that the provider has verified, a phone number, a sender's name.
        #[sea_orm(column_type = "Text")]
        pub sender: String,
        /// What verifies the reports of SendGrid.
        #[sea_orm(column_type = "Text", nullable)]
        pub webhook_key: Option<String>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Who carries messages. Expect new values.
    pub enum MessageProvider {
        /// Mail, by SendGrid.
        Sendgrid = "sendgrid",
        /// SMS, by Twilio.
        Twilio = "twilio",
        /// SMS, by Africa's Talking.
        AfricasTalking = "africas_talking",
        /// WhatsApp, by its Cloud API.
        WhatsappCloud = "whatsapp_cloud",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("MessageAccount", 94, &DOCS)
        .root("messageAccount", "messageAccounts")
        .scope("messages:read")
        .enumeration::<MessageChannel>(Column::Channel)
        .enumeration::<MessageProvider>(Column::Provider)
        .hide([Column::WebhookKey])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
