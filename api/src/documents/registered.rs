//! Which documents an organization has registered, as last read.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use moka::sync::Cache;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    believed::Believed,
    fault::Fault,
    http::{DocumentKey, TrustedDocuments, sha256},
    state::App,
    statements,
    tenancy::Actor,
    vault::hex,
};

/// Longer than anything is believed.
const CHANGE_REMEMBERED: Duration = Duration::from_secs(60);

/// The look-up. What is not registered is remembered too: a client that asks for it again and again costs nothing.
pub struct Registered {
    /// By organization, the number of its last change, and key.
    hashes: Believed<(Uuid, u64, DocumentKey), Option<[u8; 32]>>,
    /// Of organizations that changed something lately. Whoever reads meanwhile keeps the answer under the old number,
    /// where nobody finds it.
    changes: Cache<Uuid, u64>,
    last_change: AtomicU64,
}

impl Default for Registered {
    fn default() -> Self {
        Self {
            hashes: Believed::new(),
            changes: Cache::builder()
                .max_capacity(50_000)
                .time_to_live(CHANGE_REMEMBERED)
                .build(),
            last_change: AtomicU64::new(0),
        }
    }
}

impl Registered {
    /// Where it is kept what is believed of that key.
    fn place(&self, org_id: Uuid, key: &DocumentKey) -> (Uuid, u64, DocumentKey) {
        let change = self.changes.get(&org_id).unwrap_or(0);
        (org_id, change, key.clone())
    }
}

#[async_trait]
impl TrustedDocuments for Registered {
    async fn find(
        &self,
        app: &App,
        actor: &Actor,
        key: &DocumentKey,
    ) -> Result<Option<[u8; 32]>, Fault> {
        let Some(org_id) = actor.org_id() else {
            return Ok(None);
        };
        let place = self.place(org_id, key);
        if let Some(hash) = self.hashes.get(&place) {
            return Ok(hash);
        }
        let reading = self.hashes.reading();
        let found = read(app, actor, key).await?;
        let hash = found.get("sha256").and_then(Value::as_str).and_then(sha256);
        self.hashes.keep(reading, place, hash);
        Ok(hash)
    }

    async fn text(
        &self,
        app: &App,
        actor: &Actor,
        hash: &[u8; 32],
    ) -> Result<Option<String>, Fault> {
        let found = read(app, actor, &DocumentKey::Sha256(*hash)).await?;
        Ok(found.get("text").and_then(Value::as_str).map(str::to_owned))
    }

    fn forget(&self, org_id: Uuid) {
        let change = 1 + self.last_change.fetch_add(1, Ordering::Relaxed);
        self.changes.insert(org_id, change);
    }
}

async fn read(app: &App, actor: &Actor, key: &DocumentKey) -> Result<Value, Fault> {
    let request = match key {
        DocumentKey::Sha256(hash) => json!({ "sha256": hex(hash) }),
        DocumentKey::Named(name) => json!({ "document_id": name }),
    };
    // As bounded as what the organization executes: asking for documents that are not there takes connections too.
    let _place = app.throttle.turn(actor, None).await?;
    let tx = app.door.begin(actor).await?;
    let found = statements::call(&tx, "trusted_document", request).await?;
    tx.commit().await?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_believed_of_the_organization_that_changed_is_forgotten() {
        let registered = Registered::default();
        let (north, south) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let key = DocumentKey::Named("a".to_owned());
        let believed = |org_id| registered.hashes.get(&registered.place(org_id, &key));
        for org_id in [north, south] {
            let reading = registered.hashes.reading();
            registered
                .hashes
                .keep(reading, registered.place(org_id, &key), None);
        }
        // Read before the change, kept after it.
        let late = registered.place(north, &key);
        registered.forget(north);
        let reading = registered.hashes.reading();
        registered.hashes.keep(reading, late, Some([1; 32]));
        assert_eq!((believed(north), believed(south)), (None, Some(None)));
    }
}
