//! An organization with events in several zones and registrations at chosen instants.

use eventsphere_graphql::global_id;
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::harness::{Organizer, TestApp};

/// The organization and its server.
pub struct Stage {
    pub app: TestApp,
    pub admin: Client,
    pub owner: Organizer,
}

/// An event: its id in the API and its keys.
pub struct Event {
    pub id: Value,
    pub key: Uuid,
    pub occurrence: Uuid,
}

impl Stage {
    pub async fn open(slug: &str) -> Self {
        let app = TestApp::start().await;
        let admin = app.database.admin().await;
        let owner = app.organizer(slug).await;
        Self { app, admin, owner }
    }

    /// A draft in that zone and currency.
    pub async fn event(&self, slug: &str, zone: &str, currency: &str) -> Event {
        event_of(&self.owner, &self.admin, slug, zone, currency).await
    }

    /// A registration as it would stand after a sale at that instant.
    pub async fn registration(&self, event: &Event, status: &str, minor: i64, placed_at: &str) {
        let settled = status == "confirmed";
        self.admin
            .execute(
                "insert into registrations (org_id, event_id, occurrence_id, confirmation_number, status, buyer_name,
                   buyer_email, currency, total_minor, placed_at, confirmed_at)
                 select e.org_id, e.id, $2, 'REG-' || es.new_id(), $3, 'B', 'b@example.org', e.currency, $4,
                   $5::text::timestamptz, case when $6 then $5::text::timestamptz end
                 from events e where e.id = $1",
                &[&event.key, &event.occurrence, &status, &minor, &placed_at, &settled],
            )
            .await
            .expect("a registration");
    }

    /// `registrations { aggregates }` with these arguments, as the owner.
    pub async fn groups(&self, filter: Value, arguments: &str, fields: &str) -> Value {
        let query = format!(
            "query($filter: RegistrationFilter) {{ registrations(filter: $filter) {{ \
             aggregates({arguments}) {{ truncated groups {{ {fields} }} }} }} }}"
        );
        let data = self
            .owner
            .caller
            .ask(&query, json!({ "filter": filter }))
            .await;
        data["registrations"]["aggregates"].clone()
    }
}

pub async fn event_of(
    owner: &Organizer,
    admin: &Client,
    slug: &str,
    zone: &str,
    currency: &str,
) -> Event {
    let made = owner
        .caller
        .does(
            "createEvent",
            "event { id }",
            json!({
                "title": format!("Event {slug}"), "slug": slug, "timeZone": zone, "currency": currency,
                "startsAt": "2027-05-04T09:00:00Z", "endsAt": "2027-05-04T18:00:00Z",
            }),
        )
        .await;
    let id = made["event"]["id"].clone();
    let (_, key) = global_id::decode(id.as_str().expect("an id")).expect("an id");
    let row = admin
        .query_one("select id from occurrences where event_id = $1", &[&key])
        .await
        .expect("its date");
    Event {
        id,
        key,
        occurrence: row.get(0),
    }
}
