//! People who come to events.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// A person who was registered for an event of an organization, known by the address. The organization's
    /// record, not an account.
    #[sea_orm(table_name = "attendees")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The account of the person.
        pub user_id: Option<Uuid>,
        /// Address, in lower case; unique in the organization.
        #[sea_orm(column_type = "Text")]
        pub email: String,
        /// Full name, 1 to 200 characters.
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        User(UserId) -> users(Id);
    }
    many {
        Items = registration_items::Attendee;
        Tickets = tickets::Attendee;
    }
}

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("Attendee", 20, &DOCS)
        .root("attendee", "attendees")
        .scope("attendees:read")
        .to_one_required(
            "organization",
            Relation::Organization.def(),
            "The organization whose record it is.",
        )
        .to_one(
            "user",
            Relation::User.def(),
            "The person's account; null when there is none that the caller may see.",
        )
        .to_many(
            "items",
            Relation::Items.def(),
            10,
            "Places that were registered for the person.",
        )
        .to_many(
            "tickets",
            Relation::Tickets.def(),
            10,
            "Tickets issued to the person.",
        )
        .filter([Column::Email, Column::Name, Column::CreatedAt])
        .order([Column::Name, Column::Email, Column::CreatedAt])
        .default_order(Column::Name, false)
        .updates("attendees:write", [Column::Name, Column::Email])
        .constraint(
            "attendees_person_key",
            "email",
            "Another attendee has this address and name.",
        )
        .constraint(
            "attendees_email_shape",
            "email",
            "This is no e-mail address in lower case.",
        )
        .constraint(
            "attendees_name_length",
            "name",
            "A name has 1 to 200 characters.",
        )
        .done()
}
