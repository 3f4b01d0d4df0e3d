//! People who have done their part already: an organizer with an organization, an event that is on sale.

use serde_json::{Value, json};

use super::{Caller, TestApp, key};

/// A signed-in person who acts in an organization of their own.
pub struct Organizer {
    /// Acting in the organization.
    pub caller: Caller,
    /// The access token of that caller.
    pub token: String,
    /// E-mail address.
    pub email: String,
    /// The organization: `id`, `slug`.
    pub organization: Value,
}

/// What an event is set up with.
#[derive(Clone, Debug)]
pub struct EventSetup {
    /// Name in addresses.
    pub slug: String,
    /// Places in the shared pool.
    pub places: i64,
    /// `PUBLIC`, `UNLISTED`, `PRIVATE`.
    pub visibility: &'static str,
    /// How long places are held.
    pub hold_seconds: i64,
    /// Price of both ticket types, minor units.
    pub price: i64,
    /// ISO 4217.
    pub currency: &'static str,
    /// Whether it is published at the end.
    pub published: bool,
}

impl Default for EventSetup {
    fn default() -> Self {
        Self {
            slug: "rust-day".to_owned(),
            places: 5,
            visibility: "PUBLIC",
            hold_seconds: 900,
            price: 0,
            currency: "EUR",
            published: true,
        }
    }
}

pub const PASSWORD: &str = "correct horse battery staple";

impl TestApp {
    /// A person who signed up, verified the address and signed in, acting in no organization.
    pub async fn person(&self, email: &str) -> (Caller, Value) {
        let visitor = self.visitor();
        visitor
            .does(
                "signUp",
                "",
                json!({ "email": email, "password": PASSWORD, "name": "Some Body" }),
            )
            .await;
        let code = self.mailed_code(email).await;
        visitor
            .does("verifyEmail", "", json!({ "code": code }))
            .await;
        let session = visitor
            .does(
                "signIn",
                "accessToken refreshToken expiresAt",
                json!({ "email": email, "password": PASSWORD }),
            )
            .await;
        let token = session["accessToken"].as_str().expect("a token").to_owned();
        (self.with_token(&token), session)
    }

    /// A person with an organization of that slug.
    pub async fn organizer(&self, slug: &str) -> Organizer {
        let email = format!("owner@{slug}.example");
        let (person, _) = self.person(&email).await;
        let made = person
            .does(
                "createOrganization",
                "accessToken organization { id slug name }",
                json!({ "name": format!("The {slug}"), "slug": slug, "timeZone": "Europe/Berlin" }),
            )
            .await;
        let token = made["accessToken"].as_str().expect("a token").to_owned();
        Organizer {
            caller: self.with_token(&token),
            token,
            email,
            organization: made["organization"].clone(),
        }
    }
}

impl Organizer {
    /// An event with two sessions, a speaker, a shared pool and two ticket types; `{id, slug, pool, types: [id, id]}`.
    pub async fn event(&self, setup: &EventSetup) -> Value {
        let event = self
            .caller
            .does(
                "createEvent",
                "event { id slug status }",
                json!({
                    "title": "Rust Day", "slug": setup.slug, "timeZone": "Europe/Berlin", "currency": setup.currency,
                    "startsAt": "2027-05-04T09:00:00+02:00", "endsAt": "2027-05-04T18:00:00+02:00",
                    "visibility": setup.visibility, "holdSeconds": setup.hold_seconds,
                }),
            )
            .await["event"]
            .clone();
        let id = event["id"].clone();
        let speaker = self
            .caller
            .does(
                "createSpeaker",
                "speaker { id }",
                json!({ "name": "Grace" }),
            )
            .await;
        for (title, from, to) in [("Opening", "09:00", "10:00"), ("Closing", "17:00", "18:00")] {
            let session = self
                .caller
                .does(
                    "createSession",
                    "session { id }",
                    json!({
                        "eventId": id, "title": title,
                        "startsAt": format!("2027-05-04T{from}:00+02:00"), "endsAt": format!("2027-05-04T{to}:00+02:00"),
                    }),
                )
                .await;
            self.caller
                .does(
                    "createSessionSpeaker",
                    "sessionSpeaker { id }",
                    json!({ "eventId": id, "sessionId": session["session"]["id"], "speakerId": speaker["speaker"]["id"] }),
                )
                .await;
        }
        let pool = self
            .caller
            .does(
                "createCapacityPool",
                "capacityPool { id }",
                json!({ "eventId": id, "name": "Hall", "capacity": setup.places }),
            )
            .await["capacityPool"]["id"]
            .clone();
        let mut types = vec![];
        for name in ["Standard", "Student"] {
            let made = self
                .caller
                .does(
                    "createTicketType",
                    "ticketType { id }",
                    json!({
                        "eventId": id, "name": name,
                        "price": { "minorUnits": setup.price.to_string(), "currencyCode": setup.currency },
                    }),
                )
                .await["ticketType"]["id"]
                .clone();
            self.caller
                .does(
                    "createTicketTypePool",
                    "ticketTypePool { id }",
                    json!({ "eventId": id, "ticketTypeId": made, "poolId": pool }),
                )
                .await;
            types.push(made);
        }
        if setup.published {
            self.caller
                .does("publishEvent", "event { status }", json!({ "eventId": id }))
                .await;
        }
        json!({ "id": id, "slug": setup.slug, "pool": pool, "types": types })
    }
}

impl Caller {
    /// Places so many of one type; the whole payload.
    pub async fn place(&self, event: &Value, ticket_type: &Value, quantity: i64) -> Value {
        self.place_as(event, ticket_type, quantity, &key()).await
    }

    /// The same, with this idempotency key.
    pub async fn place_as(
        &self,
        event: &Value,
        ticket_type: &Value,
        quantity: i64,
        idempotency_key: &str,
    ) -> Value {
        let attendees: Vec<Value> = (0..quantity)
            .map(|n| json!({ "name": format!("Guest {n}"), "email": format!("guest{n}@example.org") }))
            .collect();
        self.tries(
            "placeRegistration",
            "guestSecret registration { id status confirmationNumber expiresAt total { minorUnits } }",
            json!({
                "eventId": event["id"],
                "buyer": { "name": "Vera Visitor", "email": "vera@example.org" },
                "lines": [{ "ticketTypeId": ticket_type, "quantity": quantity, "attendees": attendees }],
                "idempotencyKey": idempotency_key,
            }),
        )
        .await
    }

    /// Confirms; the whole payload.
    pub async fn confirm(&self, registration: &Value) -> Value {
        self.tries(
            "confirmRegistration",
            "registration { id status confirmationNumber tickets { nodes { id code status attendee { name email } } } }",
            json!({ "registrationId": registration, "idempotencyKey": key() }),
        )
        .await
    }
}
