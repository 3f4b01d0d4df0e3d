//! The key pair that signs an event's tickets: made when the first ticket of the event is about to be, its private
//! half sealed in the database, opened once a process.

use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use moka::sync::Cache;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    fault::Fault,
    state::App,
    statements::{first, run},
    tenancy::SystemReason,
    vault::Purpose,
};

/// A key that signs.
pub struct EventKey {
    /// Its number within the event.
    pub number: u16,
    /// Both halves.
    pub pair: Ed25519KeyPair,
}

/// Keys opened lately.
#[derive(Clone)]
pub struct EventKeys {
    known: Cache<Uuid, Arc<OnceCell<Arc<EventKey>>>>,
}

impl Default for EventKeys {
    fn default() -> Self {
        Self {
            known: Cache::builder()
                .max_capacity(1_000)
                .time_to_live(std::time::Duration::from_secs(300))
                .build(),
        }
    }
}

/// The key that signs tickets of that event now. Of many who come for it at once one looks it up.
pub async fn event_key(app: &App, org_id: Uuid, event_id: Uuid) -> Result<Arc<EventKey>, Fault> {
    let known = app.event_keys.known.get_with(event_id, Arc::default);
    let key = known.get_or_try_init(|| find_or_make(app, org_id, event_id));
    key.await.cloned()
}

async fn find_or_make(app: &App, org_id: Uuid, event_id: Uuid) -> Result<Arc<EventKey>, Fault> {
    let tx = app.door.system(SystemReason::SigningKeys).await?;
    let find = "select key_number, private_key_encrypted from event_signing_keys \
                where event_id = $1 and retired_at is null order by key_number desc limit 1";
    // Two first buyers at once make one key: the second waits at the event's row and then finds it.
    first(
        &tx,
        "select 1 from events where id = $1 and org_id = $2 for no key update",
        [event_id.into(), org_id.into()],
    )
    .await?
    .ok_or_else(|| Fault::NotFound("there is no such event".to_owned()))?;
    let context = event_id.to_string();
    let key = match first(&tx, find, [event_id.into()]).await? {
        Some(row) => {
            let number: i16 = row.try_get_by_index(0)?;
            let sealed: Vec<u8> = row.try_get_by_index(1)?;
            let seed = app
                .vault
                .open(Purpose::TicketKeys, &context, &sealed)
                .map_err(Fault::internal)?;
            EventKey {
                number: u16::try_from(number).map_err(Fault::internal)?,
                pair: Ed25519KeyPair::from_pkcs8(&seed).map_err(Fault::internal)?,
            }
        }
        None => {
            let pair = Ed25519KeyPair::generate().map_err(Fault::internal)?;
            let document = pair.to_pkcs8v1().map_err(Fault::internal)?;
            let sealed = app
                .vault
                .seal(Purpose::TicketKeys, &context, document.as_ref())
                .map_err(Fault::internal)?;
            run(
                &tx,
                "insert into event_signing_keys (org_id, event_id, key_number, public_key, private_key_encrypted) \
                 values ($1, $2, 1, $3, $4)",
                [
                    org_id.into(),
                    event_id.into(),
                    pair.public_key().as_ref().to_vec().into(),
                    sealed.into(),
                ],
            )
            .await?;
            EventKey { number: 1, pair }
        }
    };
    tx.commit().await?;
    Ok(Arc::new(key))
}
