//! Money by hand: a member is the provider.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Books, Deal, Hook, Kind, Peer, Stand, Told, keys};
use crate::{harness::key as fresh, payments::Stage};

#[derive(Default)]
pub struct Offline {
    books: Books,
}

#[async_trait]
impl Peer for Offline {
    fn kind(&self) -> Kind {
        Kind {
            name: "offline",
            currency: "EUR",
            price: 1000,
            units: 1,
            needs_return: false,
            hears: false,
            tells: false,
            declined: "",
        }
    }

    fn books(&self) -> &Books {
        &self.books
    }

    async fn serve(&self) -> String {
        String::new()
    }

    fn credentials(&self, _wrong: bool) -> Value {
        keys(&[
            (
                "instructions",
                "DE02 1203 0000 0000 2020 51, for {reference}",
            ),
            ("due_days", "10"),
        ])
    }

    async fn pay(&self, stage: &Stage, payment: &Value, key: &str, _declined: bool) {
        let input = json!({ "paymentId": payment["id"], "idempotencyKey": fresh() });
        let member = &stage.organizer.caller;
        member
            .does("markPaymentReceived", "payment { status }", input)
            .await;
        let mut inner = self.books.open();
        inner.deals.push(Deal {
            id: key.to_owned(),
            ours: key.to_owned(),
            amount: 1000,
            currency: "EUR".to_owned(),
            stand: Stand::Paid,
            returned: vec![],
        });
    }

    fn brings(&self, _key: &str) -> String {
        String::new()
    }

    fn hook(&self, _key: &str, _told: Told, _forged: bool) -> Hook {
        unreachable!("nobody sends webhooks")
    }
}
