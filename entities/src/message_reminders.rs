//! Reminders before a date.

use eventsphere_graphql::{Declaration, declare};
use sea_orm::entity::prelude::*;

use crate::documented::{documented, relations};

documented! {
    /// Everybody with a ticket is reminded before each date of an event: so many minutes before it, or so many days before it
    /// at a time of day. When the date moves, the reminder moves along; once it was sent for a date it is not sent again. Who
    /// buys a ticket after it was sent is not reminded, nor is anybody of a date that has begun.
    #[sea_orm(table_name = "message_reminders")]
    pub struct Model {
        /// Key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The organization that it belongs to.
        pub org_id: Uuid,
        /// The event.
        pub event_id: Uuid,
        /// Minutes before the date begins, 5 to 525600; null when days are said.
        pub minutes_before: Option<i32>,
        /// Days before the day on which the date begins, 0 to 365, in the event's time zone; null when minutes are said.
        pub days_before: Option<i32>,
        /// With `daysBefore`: the time on that day, in minutes after midnight in the event's time zone, 0 to 1439 (720 is
        /// noon). A time that the clock leaves out when summer time begins is taken as an hour later.
        #[sea_orm(default_value = 720)]
        pub at_minute: i32,
        /// Whether it is sent.
        #[sea_orm(default_value = true)]
        pub active: bool,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it was last changed.
        pub updated_at: DateTimeUtc,
    }
}

relations! {
    keys {
        Organization(OrgId) -> organizations(Id);
        Event(OrgId, EventId) -> events(OrgId, Id);
    }
}

/// When it is sent is said once: another time is another reminder.
const SAID: [Column; 5] = [
    Column::EventId,
    Column::MinutesBefore,
    Column::DaysBefore,
    Column::AtMinute,
    Column::Active,
];

/// What the API shows of it.
pub fn declaration() -> Declaration {
    declare::<Entity>("MessageReminder", 93, &DOCS)
        .root("messageReminder", "messageReminders")
        .scope("messages:read")
        .to_one("event", Relation::Event.def(), "The event.")
        .key_of(Column::EventId, "Event")
        .filter([Column::EventId])
        .order([Column::CreatedAt])
        .default_order(Column::CreatedAt, true)
        .creates(
            "messages:write",
            SAID,
            &[(Column::OrgId, "es.current_org()")],
        )
        .updates("messages:write", [Column::Active])
        .constraint(
            "message_reminders_event_fk",
            "eventId",
            "There is no such event.",
        )
        .constraint(
            "message_reminders_one_way",
            "minutesBefore",
            "Say either minutes before the date or days before it.",
        )
        .constraint(
            "message_reminders_minutes_range",
            "minutesBefore",
            "Minutes are 5 to 525600.",
        )
        .constraint(
            "message_reminders_days_range",
            "daysBefore",
            "Days are 0 to 365.",
        )
        .constraint(
            "message_reminders_at_range",
            "atMinute",
            "A time of day is 0 to 1439 minutes after midnight.",
        )
        .done()
}
