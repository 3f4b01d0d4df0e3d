//! Every attempt at a delivery.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// One attempt at a delivery: when, how long, and what came of it. Kept as long as the delivery; the answer's body for 30
    /// days after its end.
    #[sea_orm(table_name = "webhook_attempts")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The delivery.
        pub delivery_id: Uuid,
        /// Counts the attempts at the delivery from 1, over all replays.
        pub number: i32,
        /// When it began.
        pub started_at: DateTimeUtc,
        /// How long it took, milliseconds.
        pub took_ms: i32,
        /// HTTP status of the answer; null without one.
        pub response_status: Option<i32>,
        /// Beginning of the answer's body, up to 4 KiB; null without an answer and once it is no longer kept.
        #[sea_orm(column_type = "Text")]
        pub response_body: Option<String>,
        /// Why it failed; null when it did not.
        #[sea_orm(column_type = "Text")]
        pub failure: Option<String>,
        /// Codes of the permissions that what was sent was made with.
        pub scopes: Vec<String>,
        /// When it was noted, at its end.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        Delivery(OrgId, DeliveryId) -> webhook_deliveries(OrgId, Id);
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("WebhookAttempt", 73, &DOCS)
        .scope("webhooks:read")
        .hide([Column::Scopes])
        .to_one_required("delivery", Relation::Delivery.def(), "What was tried.")
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, false)
        .done()
}
