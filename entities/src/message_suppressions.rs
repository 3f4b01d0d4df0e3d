//! Who must not be written to.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::{
    documented::{documented, relations, text_enum},
    message_templates::MessageChannel,
};

documented! {
    /// An address that the organization does not write to. Delete it to write there again.
    #[sea_orm(table_name = "message_suppressions")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Which way nothing is sent.
        pub channel: MessageChannel,
        /// The e-mail address or phone number, in lower case.
        #[sea_orm(column_type = "Text")]
        pub address: String,
        /// Why.
        pub reason: SuppressionReason,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Why an address is not written to. Expect new values.
    pub enum SuppressionReason {
        /// There is nobody at it. Nothing is sent.
        Bounce = "bounce",
        /// Somebody there called a message unwanted. Nothing is sent.
        Complaint = "complaint",
        /// They asked for no more of what one can do without. What belongs to a purchase is still sent.
        Unsubscribe = "unsubscribe",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("MessageSuppression", 92, &DOCS)
        .root("messageSuppression", "messageSuppressions")
        .scope("messages:read")
        .enumeration::<MessageChannel>(Column::Channel)
        .enumeration::<SuppressionReason>(Column::Reason)
        .filter([Column::Address, Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .creates(
            "messages:write",
            [Column::Channel, Column::Address, Column::Reason],
            &[(Column::OrgId, "es.current_org()")],
        )
        .constraint(
            "message_suppressions_channel",
            "channel",
            "There is no such channel.",
        )
        .constraint(
            "message_suppressions_reason",
            "reason",
            "There is no such reason.",
        )
        .constraint(
            "message_suppressions_key",
            "address",
            "The address is listed with this reason already.",
        )
        .constraint(
            "message_suppressions_address_shape",
            "address",
            "This is no address or number in lower case, of 3 to 254 characters.",
        )
        .done()
}
