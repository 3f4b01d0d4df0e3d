//! Where events are sent.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations, text_enum};

documented! {
    /// An address of another system to which events of the organization are sent, signed as Standard Webhooks says.
    #[sea_orm(table_name = "webhook_endpoints")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// Where deliveries are posted to.
        #[sea_orm(column_type = "Text")]
        pub url: String,
        /// What it is for, up to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub description: String,
        /// Types of the events that it gets; empty for all.
        pub event_types: Vec<String>,
        /// Version of what is sent, a date.
        #[sea_orm(column_type = "Text")]
        pub api_version: String,
        /// The query that makes `data` of a delivery; null for the documented default.
        #[sea_orm(column_type = "Text")]
        pub document: Option<String>,
        /// Codes of the permissions that the query is run with.
        pub scopes: Vec<String>,
        /// Whether it gets deliveries.
        #[sea_orm(column_type = "Text")]
        pub status: WebhookEndpointStatus,
        /// Attempts that failed since the last one that did not.
        pub failures: i32,
        /// After several failures in a row nothing is tried before this instant.
        pub rests_until: Option<DateTimeUtc>,
        /// When owners were last told that one of its deliveries was given up; they are once a day.
        pub told_dead_at: Option<DateTimeUtc>,
        /// Who made it; null for an API token.
        pub created_by: Option<Uuid>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

text_enum! {
    /// Whether an endpoint gets deliveries. Expect new values.
    pub enum WebhookEndpointStatus {
        /// It does.
        Active = "active",
        /// Somebody has turned it off. What happens meanwhile waits until it is turned on again, for 30 days at most.
        Paused = "paused",
        /// It answered 410 and was turned off; what happens meanwhile is not kept for it.
        Gone = "gone",
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        CreatedBy(CreatedBy) -> users(Id);
    }
    many {
        Deliveries = webhook_deliveries::Endpoint;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("WebhookEndpoint", 71, &DOCS)
        .root("webhookEndpoint", "webhookEndpoints")
        .scope("webhooks:read")
        .enumeration::<WebhookEndpointStatus>(Column::Status)
        .to_one(
            "createdBy",
            Relation::CreatedBy.def(),
            "Who made it; null when that person is no longer a member.",
        )
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization.",
        )
        .to_many(
            "deliveries",
            Relation::Deliveries.def(),
            20,
            "What was sent to it, or will be.",
        )
        .filter([Column::Status, Column::CreatedAt])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .done()
}
