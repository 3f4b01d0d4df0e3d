//! Everybody who watches: who they are, and what they watch.

use std::net::SocketAddr;

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    TENANTS,
    client::{Client, Heard},
    sale::{Guest, Sales},
};
use crate::{
    Failure,
    graphql::{
        member::{does, owner},
        shapes::organization_id,
    },
    ground::Ground,
};

const AVAILABILITY: &str = "subscription($id: ID!) { availabilityChanged(eventId: $id) { type cursor \
    event { id ticketTypes { nodes { id available saleStatus } } } } }";
const REGISTRATIONS: &str = "subscription($id: ID) { registrationChanged(registrationId: $id) { type cursor \
    registration { id status confirmationNumber total { amount currencyCode } } } }";
/// Who begin at the same time.
const AT_ONCE: usize = 50;

/// An API token of each organization.
pub async fn tokens(ground: &Ground) -> Result<Vec<String>, Failure> {
    let address = ground.server.address;
    let alone = owner(ground, TENANTS as u64).await?;
    let mut tokens = vec![];
    for n in 1..=TENANTS as u64 {
        let organization = json!({ "organizationId": organization_id(n) });
        let acting = does(
            address,
            Some(&alone),
            "switchOrganization",
            "accessToken",
            organization,
        )
        .await?;
        let token = acting["accessToken"].as_str().ok_or("no token")?;
        let wanted =
            json!({ "name": "Dashboard", "scopes": ["registrations:read", "events:read"] });
        let made = does(address, Some(token), "createApiToken", "token", wanted).await?;
        tokens.push(made["token"].as_str().ok_or("no token")?.to_owned());
    }
    Ok(tokens)
}

/// Makes them.
pub struct Watchers {
    pub address: SocketAddr,
    pub say: UnboundedSender<Heard>,
}

/// Somebody who is to watch.
struct Wish {
    number: usize,
    who: Value,
    what: (&'static str, &'static str, Value),
}

impl Watchers {
    /// Those who watch what does not change.
    pub async fn idle(
        &self,
        sales: &Sales,
        visitors: usize,
        guests: &[Guest],
    ) -> Result<(), Failure> {
        let visiting = (0..visitors).map(|n| Wish {
            number: usize::MAX,
            who: json!({}),
            what: (
                "availabilityChanged",
                AVAILABILITY,
                json!({ "id": sales.quiet(n % TENANTS) }),
            ),
        });
        let waiting = guests.iter().map(|guest| Wish {
            number: usize::MAX,
            who: json!({ "X-Guest-Secret": guest.secret }),
            what: (
                "registrationChanged",
                REGISTRATIONS,
                json!({ "id": guest.registration }),
            ),
        });
        self.begin(visiting.chain(waiting).collect()).await
    }

    /// Those who watch what is sold: first all visitors, then all members, the organizations in turns.
    pub async fn active(
        &self,
        sales: &Sales,
        visitors: usize,
        members: usize,
        tokens: &[String],
    ) -> Result<(), Failure> {
        let visiting = (0..visitors).map(|n| Wish {
            number: n,
            who: json!({}),
            what: (
                "availabilityChanged",
                AVAILABILITY,
                json!({ "id": sales.selling(n % TENANTS) }),
            ),
        });
        let managing = (0..members).map(|n| Wish {
            number: visitors + n,
            who: json!({ "Authorization": format!("Bearer {}", tokens[n % TENANTS]) }),
            what: ("registrationChanged", REGISTRATIONS, json!({})),
        });
        self.begin(visiting.chain(managing).collect()).await
    }

    async fn begin(&self, wishes: Vec<Wish>) -> Result<(), Failure> {
        let mut beginning = stream::iter(wishes)
            .map(|wish| async move {
                let (field, query, variables) = &wish.what;
                Client::begin(
                    self.address,
                    wish.number,
                    &wish.who,
                    (field, query, variables),
                )
                .await
            })
            .buffer_unordered(AT_ONCE);
        while let Some(begun) = beginning.next().await {
            let (client, _) = begun?;
            tokio::spawn(client.listen(self.say.clone()));
        }
        Ok(())
    }
}
