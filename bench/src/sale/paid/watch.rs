//! Who waits for a ticket, and since when the server was told of their money. Whether the ticket is there is looked up in
//! PostgreSQL for all of them together, so that it is seen by whoever looks, after the commit and at most one look late.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, time::sleep};
use tokio_postgres::Client;

use crate::{Failure, graphql::key_in};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(5);
/// A ticket that is not there by then never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Those who wait, by the key of their payment. Cheap to clone.
#[derive(Clone, Default)]
pub struct Watch(Rc<RefCell<HashMap<String, Waiting>>>);

struct Waiting {
    registration: String,
    /// When the first webhook came.
    told: Option<Instant>,
    ticket: oneshot::Sender<Duration>,
}

impl Watch {
    /// Waits for the ticket of a payment and a registration by their global ids; for how long it did since the server was
    /// told of the money.
    pub fn expect(
        &self,
        payment: &str,
        registration: &str,
    ) -> Result<impl Future<Output = Result<Duration, Failure>> + use<>, Failure> {
        let (ticket, seen) = oneshot::channel();
        let waiting = Waiting {
            registration: key_in(registration)?,
            told: None,
            ticket,
        };
        let payment = key_in(payment)?;
        self.0.borrow_mut().insert(payment.clone(), waiting);
        Ok(async move {
            let seen = tokio::time::timeout(PATIENCE, seen).await;
            let late = |_| Failure::from(format!("payment {payment} was paid and gave no ticket"));
            Ok(seen.map_err(late)??)
        })
    }

    /// A webhook of that payment, by its key, is about to be handed to the server.
    pub fn told(&self, payment: &str) {
        if let Some(waiting) = self.0.borrow_mut().get_mut(&payment.replace('-', "")) {
            waiting.told.get_or_insert_with(Instant::now);
        }
    }
}

/// Looks until the bench ends.
pub async fn look(client: Client, watch: Watch) {
    if let Err(error) = looks(&client, &watch).await {
        eprintln!("bench: nobody looks for tickets any more: {error}");
    }
}

async fn looks(client: &Client, watch: &Watch) -> Result<(), Failure> {
    let there = client
        .prepare(
            "select replace(w.id::text, '-', '')
             from unnest($1::text[]::uuid[]) as w (id)
             where exists (select from tickets t where t.registration_id = w.id)",
        )
        .await?;
    loop {
        sleep(EVERY).await;
        let wanted: Vec<String> = watch
            .0
            .borrow()
            .values()
            .filter(|waiting| waiting.told.is_some())
            .map(|waiting| waiting.registration.clone())
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let found = client.query(&there, &[&wanted]).await?;
        let found: Vec<String> = found.iter().map(|row| row.get(0)).collect();
        let mut waiting = watch.0.borrow_mut();
        let gone: Vec<String> = waiting
            .iter()
            .filter(|(_, one)| found.contains(&one.registration))
            .map(|(payment, _)| payment.clone())
            .collect();
        for payment in gone {
            if let Some(Waiting {
                told: Some(told),
                ticket,
                ..
            }) = waiting.remove(&payment)
            {
                // Whoever ran out of patience is told nothing.
                let _ = ticket.send(told.elapsed());
            }
        }
    }
}
