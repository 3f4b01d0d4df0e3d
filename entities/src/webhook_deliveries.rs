//! What is sent to endpoints, and what came of it.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// One event for one endpoint: its body, how often it was tried and what came of it. Bodies are kept for 30 days after
    /// the end, the rest for 90. Who does not hold all permissions that the body was made with does not see it.
    #[sea_orm(table_name = "webhook_deliveries")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The endpoint.
        pub endpoint_id: Uuid,
        /// The event, `webhook-id` of the request: the same however often it is sent.
        #[sea_orm(column_type = "Text")]
        pub message_id: String,
        /// What happened, such as `registration.confirmed`.
        #[sea_orm(column_type = "Text")]
        pub event_type: String,
        /// Version of the event.
        pub event_version: i32,
        /// Kind of the thing that it happened to.
        #[sea_orm(column_type = "Text")]
        pub object_type: String,
        /// That thing.
        pub object_id: Uuid,
        /// Counts the events of that thing from 1.
        pub sequence: i64,
        /// What was told with the event.
        #[sea_orm(column_type = "JsonBinary")]
        pub data: Json,
        /// When it happened.
        pub occurred_at: DateTimeUtc,
        /// Where it stands.
        #[sea_orm(column_type = "Text")]
        pub status: WebhookDeliveryStatus,
        /// How often it was tried since it was made or last replayed.
        pub attempts: i32,
        /// When it is tried again, if it failed.
        pub next_attempt_at: Option<DateTimeUtc>,
        /// When it was last tried.
        pub last_attempt_at: Option<DateTimeUtc>,
        /// When it arrived, or was given up.
        pub finished_at: Option<DateTimeUtc>,
        /// Version of what is sent, a date; null before it was made.
        #[sea_orm(column_type = "Text")]
        pub api_version: Option<String>,
        /// Codes of the permissions that the body was made with.
        pub scopes: Vec<String>,
        /// What is sent, to the byte; null before the first attempt and once it is no longer kept.
        #[sea_orm(column_type = "Text")]
        pub body: Option<String>,
        /// HTTP status of the last answer.
        pub response_status: Option<i32>,
        /// Why the last attempt failed.
        #[sea_orm(column_type = "Text")]
        pub failure: Option<String>,
        /// How long the last attempt took, milliseconds.
        pub took_ms: Option<i32>,
        /// When its bodies were removed.
        pub pruned_at: Option<DateTimeUtc>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Where a delivery stands. Expect new values.
    pub enum WebhookDeliveryStatus {
        /// Is still tried.
        Pending = "pending",
        /// Was answered with a status from 200 to 299.
        Delivered = "delivered",
        /// Was given up; `replayWebhookDeliveries` sends it again.
        Dead = "dead",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        Endpoint(OrgId, EndpointId) -> webhook_endpoints(OrgId, Id);
    }
    many {
        AttemptLog = webhook_attempts::Delivery;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("WebhookDelivery", 72, &DOCS)
        .root("webhookDelivery", "webhookDeliveries")
        .scope("webhooks:read")
        .enumeration::<WebhookDeliveryStatus>(Column::Status)
        .hide([Column::ObjectType, Column::ObjectId, Column::Data])
        .to_one_required("endpoint", Relation::Endpoint.def(), "Where it is sent.")
        .to_many(
            "attemptLog",
            Relation::AttemptLog.def(),
            12,
            "Every attempt, those before a replay too.",
        )
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .filter([Column::Status, Column::MessageId, Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
