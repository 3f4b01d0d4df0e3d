//! Which documents an organization has registered, as last read.

use async_trait::async_trait;
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

/// The look-up. What is not registered is remembered too: a client that asks for it again and again costs nothing.
pub struct Registered {
    hashes: Believed<(Uuid, DocumentKey), Option<[u8; 32]>>,
}

impl Default for Registered {
    fn default() -> Self {
        Self {
            hashes: Believed::new(),
        }
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
        let place = (org_id, key.clone());
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

    fn forget(&self) {
        self.hashes.forget_all();
    }
}

async fn read(app: &App, actor: &Actor, key: &DocumentKey) -> Result<Value, Fault> {
    let request = match key {
        DocumentKey::Sha256(hash) => json!({ "sha256": hex(hash) }),
        DocumentKey::Named(name) => json!({ "document_id": name }),
    };
    let tx = app.door.begin(actor).await?;
    let found = statements::call(&tx, "trusted_document", request).await?;
    tx.commit().await?;
    Ok(found)
}
