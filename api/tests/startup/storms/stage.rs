//! What is sold in a storm: five events of one organization, each with less than is asked for.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::Server;

const PASSWORD: &str = "correct horse battery staple";

/// An event: its key and those of its dates, ticket types and pools.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: Value,
    /// Dates that a cart names; none where the event has one only.
    pub dates: Vec<Value>,
    pub types: Vec<Value>,
    pub pools: Vec<Value>,
}

/// All of it.
#[derive(Debug)]
pub struct Stage {
    /// An API token of the organization.
    pub token: Arc<str>,
    /// Free and plain: bought in batches. The second type takes a meal as well.
    pub plain: Event,
    /// Two dates with a pool each.
    pub dates: Event,
    /// 10.00, the first at 5.00, an add-on, and the code `FREEBIE` that makes it free.
    pub rich: Event,
    /// A member approves; what waits keeps its places at the first, and gives them back at the second.
    pub approved: [Event; 2],
    /// With a waitlist, holds, and the code `FRIENDS` that reserves.
    pub queue: Event,
    pub friends: Value,
}

pub struct Organizer {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Organizer {
    /// Somebody with an account and an organization of the name.
    pub async fn signed_up(server: &Server, database: &Client, slug: &str) -> Self {
        let mut organizer = Self {
            http: reqwest::Client::new(),
            url: format!("http://127.0.0.1:{}/graphql", server.port),
            token: None,
        };
        let email = format!("owner@{slug}.example");
        let sign_up = json!({ "email": email, "password": PASSWORD, "name": "Some Body" });
        organizer.does("signUp", "", sign_up).await;
        let code = mailed_code(database, &email).await.expect("a code");
        organizer
            .does("verifyEmail", "", json!({ "code": code }))
            .await;
        for (mutation, input) in [
            ("signIn", json!({ "email": email, "password": PASSWORD })),
            (
                "createOrganization",
                json!({ "name": slug, "slug": slug, "timeZone": "Europe/Berlin" }),
            ),
        ] {
            let session = organizer.does(mutation, "accessToken", input).await;
            organizer.token = session["accessToken"].as_str().map(str::to_owned);
        }
        organizer
    }

    /// An API token with these scopes.
    pub async fn api_token(&self, scopes: &[&str]) -> Arc<str> {
        let input = json!({ "name": "Staff", "scopes": scopes });
        let made = self.does("createApiToken", "token", input).await;
        made["token"].as_str().expect("a token").into()
    }

    /// Does it; the payload, which must have no user errors.
    pub async fn does(&self, mutation: &str, selection: &str, input: Value) -> Value {
        let mut kind = mutation.to_owned();
        kind[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
        );
        let mut request = self
            .http
            .post(&self.url)
            .header("accept", "application/json")
            .json(&json!({ "query": query, "variables": { "input": input } }));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer: Value = request
            .send()
            .await
            .expect("sent")
            .json()
            .await
            .expect("JSON");
        let payload = &answer["data"][mutation];
        assert_eq!(payload["userErrors"], json!([]), "{mutation}: {answer:#}");
        payload.clone()
    }

    async fn make(&self, mutation: &str, entity: &str, input: Value) -> Value {
        let payload = self
            .does(mutation, &format!("{entity} {{ id }}"), input)
            .await;
        payload[entity]["id"].clone()
    }

    pub async fn event(&self, slug: &str, more: Value) -> Value {
        let mut input = json!({
            "title": slug, "slug": slug, "timeZone": "Europe/Berlin", "currency": "EUR", "holdSeconds": 60,
            "startsAt": "2035-05-04T09:00:00+02:00", "endsAt": "2035-05-04T18:00:00+02:00",
            "waitlistOfferSeconds": 90, "holdExtensionSeconds": 3600,
            "changesCloseMinutes": 60, "transfersCloseMinutes": 60, "cancellationClosesMinutes": 60,
        });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        self.make("createEvent", "event", input).await
    }

    pub async fn pool(&self, event: &Value, capacity: i64, date: Option<&Value>) -> Value {
        let input =
            json!({ "eventId": event, "name": "Hall", "capacity": capacity, "occurrenceId": date });
        self.make("createCapacityPool", "capacityPool", input).await
    }

    pub async fn sells(&self, event: &Value, price: i64, pools: &[&Value]) -> Value {
        let price = euros(price);
        let input = json!({ "eventId": event, "name": "Ticket", "price": price });
        let kind = self.make("createTicketType", "ticketType", input).await;
        for pool in pools {
            let link = json!({ "eventId": event, "ticketTypeId": kind, "poolId": pool });
            self.make("createTicketTypePool", "ticketTypePool", link)
                .await;
        }
        kind
    }

    pub async fn publish(&self, event: &Value) {
        self.does("publishEvent", "", json!({ "eventId": event }))
            .await;
    }

    /// Free tickets from one pool.
    async fn simple(&self, slug: &str, capacity: i64, more: Value) -> Event {
        let id = self.event(slug, more).await;
        let hall = self.pool(&id, capacity, None).await;
        let kind = self.sells(&id, 0, &[&hall]).await;
        self.publish(&id).await;
        Event {
            id,
            dates: vec![],
            types: vec![kind],
            pools: vec![hall],
        }
    }

    async fn plain(&self) -> Event {
        let id = self.event("plain", json!({})).await;
        let (hall, meals) = (
            self.pool(&id, 40, None).await,
            self.pool(&id, 12, None).await,
        );
        let types = vec![
            self.sells(&id, 0, &[&hall]).await,
            self.sells(&id, 0, &[&hall, &meals]).await,
        ];
        self.publish(&id).await;
        Event {
            id,
            dates: vec![],
            types,
            pools: vec![hall, meals],
        }
    }

    async fn dates(&self, database: &Client) -> Event {
        let id = self.event("dates", json!({})).await;
        let (one, _) = (date_of(&self.read(&id).await, 0), ());
        database
            .batch_execute(
                "set role es_owner;
                 insert into occurrences (org_id, event_id, starts_at, ends_at)
                 select org_id, id, starts_at + interval '1 day', ends_at + interval '1 day'
                 from events where slug = 'dates';
                 reset role",
            )
            .await
            .expect("another date");
        let both = self.read(&id).await;
        let other = if date_of(&both, 0) == one { 1 } else { 0 };
        let dates = vec![one, date_of(&both, other)];
        let pools = vec![
            self.pool(&id, 14, Some(&dates[0])).await,
            self.pool(&id, 14, Some(&dates[1])).await,
        ];
        let types = vec![self.sells(&id, 0, &[&pools[0], &pools[1]]).await];
        self.publish(&id).await;
        Event {
            id,
            dates,
            types,
            pools,
        }
    }

    async fn read(&self, event: &Value) -> Value {
        let query = "query($id: ID!) { event(id: $id) { occurrences { nodes { id } } } }";
        let mut request = self
            .http
            .post(&self.url)
            .header("accept", "application/json");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let body = json!({ "query": query, "variables": { "id": event } });
        let answer = request.json(&body).send().await.expect("sent");
        let answer: Value = answer.json().await.expect("JSON");
        answer["data"]["event"]["occurrences"]["nodes"].clone()
    }

    async fn rich(&self) -> Event {
        let id = self.event("rich", json!({})).await;
        let (hall, meals) = (
            self.pool(&id, 30, None).await,
            self.pool(&id, 10, None).await,
        );
        let types = vec![
            self.sells(&id, 1000, &[&hall]).await,
            self.sells(&id, 300, &[&meals]).await,
        ];
        let add_on = json!({ "eventId": id, "ticketTypeId": types[0], "addOnId": types[1], "maxPerTicket": 2 });
        self.make("createTicketTypeAddOn", "ticketTypeAddOn", add_on)
            .await;
        let tier = json!({ "eventId": id, "ticketTypeId": types[0], "name": "Early", "price": euros(500), "quantity": 10 });
        self.make("createPriceTier", "priceTier", tier).await;
        let code = json!({
            "eventId": id, "code": "FREEBIE", "kind": "PERCENT", "rateMillionths": 1_000_000,
            "maxUses": 8, "maxUsesPerBuyer": 2,
        });
        self.make("createPromoCode", "promoCode", code).await;
        self.publish(&id).await;
        Event {
            id,
            dates: vec![],
            types,
            pools: vec![hall, meals],
        }
    }
}

fn date_of(nodes: &Value, at: usize) -> Value {
    nodes[at]["id"].clone()
}

fn euros(minor: i64) -> Value {
    json!({ "minorUnits": minor.to_string(), "currencyCode": "EUR" })
}

/// The code in the newest letter to that address.
pub async fn mailed_code(database: &Client, to: &str) -> Option<String> {
    let sql = "select variables ->> 'code' from mail_messages where recipient = $1 and variables ? 'code' \
               order by created_at desc limit 1";
    let row = database.query_opt(sql, &[&to]).await.expect("letters")?;
    Some(row.get(0))
}

/// Builds it through the API, as an organizer does.
pub async fn build(server: &Server, database: &Client) -> Stage {
    let organizer = Organizer::signed_up(server, database, "storm").await;
    let token = organizer
        .api_token(&[
            "events:read",
            "events:write",
            "registrations:read",
            "registrations:write",
            "promo_codes:read",
            "promo_codes:write",
        ])
        .await;

    let queue = organizer.simple("queue", 12, json!({})).await;
    let friends = json!({
        "eventId": queue.id, "code": "FRIENDS", "kind": "NONE", "countedBy": "TICKET", "maxUses": 4,
    });
    let friends = organizer
        .make("createPromoCode", "promoCode", friends)
        .await;
    let keeps = json!({ "requiresApproval": true });
    let gives_back = json!({ "requiresApproval": true, "pendingKeepsStock": false });
    Stage {
        token,
        plain: organizer.plain().await,
        dates: organizer.dates(database).await,
        rich: organizer.rich().await,
        approved: [
            organizer.simple("kept", 10, keeps).await,
            organizer.simple("given-back", 10, gives_back).await,
        ],
        queue,
        friends,
    }
}
