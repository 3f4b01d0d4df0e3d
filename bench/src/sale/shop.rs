//! What is bought, and the two requests of a buyer: `placeRegistration` and `confirmRegistration` with the input and
//! the selections of `examples/main-job.sh`.

use std::{cell::Cell, net::SocketAddr};

use serde_json::{Value, json};

use crate::{Failure, http, places};

/// Something on sale, by its ids in the API.
#[derive(Clone, Debug)]
pub struct Sold {
    event: String,
    ticket_type: String,
}

impl Sold {
    /// Id of the event.
    pub fn event(&self) -> &str {
        &self.event
    }
}

/// Makes requests of buyers who are all different people.
pub struct Shop {
    address: SocketAddr,
    place: String,
    confirm: String,
    run: u128,
    buyers: Cell<u64>,
}

/// A request and the number of who makes it.
pub struct Request {
    pub bytes: Vec<u8>,
    number: u64,
}

/// What placing gave.
pub enum Placed {
    Held {
        registration: String,
        secret: String,
    },
    SoldOut,
}

impl Shop {
    pub fn new(address: SocketAddr) -> Result<Self, Failure> {
        Ok(Self {
            address,
            place: places::read("sale/place.graphql")?,
            confirm: places::read("sale/confirm.graphql")?,
            run: std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)?
                .as_nanos(),
            buyers: Cell::new(0),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The event of that number, as visitors find it.
    pub async fn find(&self, organization: u32, event: u32) -> Result<Sold, Failure> {
        let query = "query($o: String!, $s: String!) { eventBySlug(organizationSlug: $o, slug: $s) { id ticketTypes { nodes { id } } } }";
        let variables =
            json!({ "o": format!("house-{organization}"), "s": format!("event-{event}") });
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = http::once(self.address, &http::post("/graphql", None, &body)).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        let found = &answer["data"]["eventBySlug"];
        match (
            found["id"].as_str(),
            found["ticketTypes"]["nodes"][0]["id"].as_str(),
        ) {
            (Some(event), Some(ticket_type)) => Ok(Sold {
                event: event.to_owned(),
                ticket_type: ticket_type.to_owned(),
            }),
            _ => Err(format!("event-{event} of house-{organization}: {answer}").into()),
        }
    }

    /// The page of an event, as the bench of GraphQL asks for it.
    pub fn page(sold: &Sold) -> Result<Vec<u8>, Failure> {
        let query = places::read("shapes/event_page/eventsphere.graphql")?;
        let body = json!({ "query": query, "variables": { "id": sold.event } }).to_string();
        Ok(http::post("/graphql", None, &body))
    }

    /// One place for somebody new.
    pub fn place(&self, sold: &Sold) -> Request {
        let number = self.buyers.get();
        self.buyers.set(number + 1);
        let input = json!({
            "eventId": sold.event,
            "buyer": { "name": format!("Buyer {number}"), "email": format!("buyer-{number}@guests.example") },
            "lines": [{
                "ticketTypeId": sold.ticket_type, "quantity": 1,
                "attendees": [{ "name": format!("Buyer {number}"), "email": format!("buyer-{number}@guests.example") }],
            }],
            "idempotencyKey": format!("{}-place-{number}", self.run),
        });
        let body = json!({ "query": self.place, "variables": { "input": input } }).to_string();
        Request {
            bytes: http::post("/graphql", None, &body),
            number,
        }
    }

    /// What the answer to [`Self::place`] says.
    pub fn placed(status: u16, body: &[u8]) -> Result<Placed, Failure> {
        let answer: Value = serde_json::from_slice(body)?;
        let payload = &answer["data"]["placeRegistration"];
        match (
            payload["registration"]["id"].as_str(),
            payload["guestSecret"].as_str(),
            payload["userErrors"][0]["code"].as_str(),
        ) {
            (Some(registration), Some(secret), None) => Ok(Placed::Held {
                registration: registration.to_owned(),
                secret: secret.to_owned(),
            }),
            (None, None, Some("SOLD_OUT")) => Ok(Placed::SoldOut),
            _ => Err(format!("placeRegistration: status {status}: {answer}").into()),
        }
    }

    /// The second request of the same buyer.
    pub fn confirm(&self, placing: &Request, registration: &str, secret: &str) -> Vec<u8> {
        let input = json!({
            "registrationId": registration,
            "idempotencyKey": format!("{}-confirm-{}", self.run, placing.number),
        });
        let body = json!({ "query": self.confirm, "variables": { "input": input } }).to_string();
        http::post_as_guest("/graphql", secret, &body)
    }

    /// Whether the answer to [`Self::confirm`] is a ticket.
    pub fn confirmed(&self, status: u16, body: &[u8]) -> Result<(), Failure> {
        let answer: Value = serde_json::from_slice(body)?;
        let registration = &answer["data"]["confirmRegistration"]["registration"];
        let tickets = registration["tickets"]["nodes"].as_array();
        if registration["status"] == "CONFIRMED"
            && tickets.is_some_and(|tickets| tickets.len() == 1)
        {
            Ok(())
        } else {
            Err(format!("confirmRegistration: status {status}: {answer}").into())
        }
    }
}
