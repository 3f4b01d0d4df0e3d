//! The keys that sign access tokens: made at the first start, kept sealed in the database, rotated by an operator.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::{
    digest,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};

use super::access_token::{AUDIENCE, Key, KeyRing};
use crate::{
    fault::Fault,
    state::App,
    statements::{all, run},
    tenancy::{SystemReason, TenantTx},
    vault::{Purpose, Vault},
};

/// Other processes learn of a rotation after this long at the latest.
const READ_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(60);
/// Tokens that name unknown keys make us look at most this often.
const LOOK_AT_MOST_EVERY: TimeDelta = TimeDelta::seconds(5);

/// The ring as last read. Cheap to clone; clones share it.
#[derive(Clone, Default)]
pub struct SigningKeys {
    ring: Arc<RwLock<Option<Arc<KeyRing>>>>,
}

impl SigningKeys {
    /// The ring, read again when it is a minute old; made when there is none yet.
    pub async fn ring(&self, app: &App) -> Result<Arc<KeyRing>, Fault> {
        match self.known() {
            Some(ring) if app.clock.now() - ring.loaded_at < READ_AGAIN_AFTER => Ok(ring),
            _ => self.read(app).await,
        }
    }

    /// The ring after a token named a key that is not in it: another process may have rotated meanwhile.
    pub async fn ring_with_news(&self, app: &App) -> Result<Arc<KeyRing>, Fault> {
        match self.known() {
            Some(ring) if app.clock.now() - ring.loaded_at < LOOK_AT_MOST_EVERY => Ok(ring),
            _ => self.read(app).await,
        }
    }

    /// A new key signs from now on; the old ones verify until their last tokens are gone.
    pub async fn rotate(&self, app: &App) -> Result<(), Fault> {
        let tx = locked(app).await?;
        retire_and_make(app, &tx).await?;
        tx.commit().await?;
        self.read(app).await?;
        Ok(())
    }

    fn known(&self) -> Option<Arc<KeyRing>> {
        self.ring
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn read(&self, app: &App) -> Result<Arc<KeyRing>, Fault> {
        let now = app.clock.now();
        let ring_of = |keys| KeyRing::new(keys, &app.posture.public_url, AUDIENCE, now);
        let tx = app.door.system(SystemReason::SigningKeys).await?;
        let mut ring = ring_of(stored(&tx, &app.vault).await?);
        tx.commit().await?;
        if !ring.can_sign() {
            let tx = locked(app).await?;
            // Another process may have made one while we waited for the lock.
            ring = ring_of(stored(&tx, &app.vault).await?);
            if !ring.can_sign() {
                retire_and_make(app, &tx).await?;
                ring = ring_of(stored(&tx, &app.vault).await?);
            }
            tx.commit().await?;
        }
        let ring = Arc::new(ring);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Some(ring.clone());
        Ok(ring)
    }
}

/// A transaction in which nobody else makes or retires keys.
async fn locked(app: &App) -> Result<TenantTx, Fault> {
    let tx = app.door.system(SystemReason::SigningKeys).await?;
    run(
        &tx,
        "select pg_advisory_xact_lock(hashtextextended('eventsphere signing keys', 0))",
        [],
    )
    .await?;
    Ok(tx)
}

async fn stored(tx: &TenantTx, vault: &Vault) -> Result<Vec<Key>, Fault> {
    let rows = all(
        tx,
        "select id, public_key, private_key_encrypted, retired_at from signing_keys \
         where algorithm = 'EdDSA' order by created_at desc, id",
        [],
    )
    .await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let id: String = row.try_get("", "id")?;
        let sealed: Vec<u8> = row.try_get("", "private_key_encrypted")?;
        let retired_at: Option<DateTime<Utc>> = row.try_get("", "retired_at")?;
        // A retired key only verifies: its private half stays sealed.
        let private = match retired_at {
            None => vault
                .open(Purpose::AccessTokenKeys, &id, &sealed)
                .map_err(Fault::internal)?,
            Some(_) => vec![],
        };
        keys.push(Key {
            public: row.try_get("", "public_key")?,
            private,
            retired_at,
            id,
        });
    }
    Ok(keys)
}

async fn retire_and_make(app: &App, tx: &TenantTx) -> Result<(), Fault> {
    let key = make()?;
    let sealed = app
        .vault
        .seal(Purpose::AccessTokenKeys, &key.id, &key.private)
        .map_err(Fault::internal)?;
    let now = app.clock.now();
    run(
        tx,
        "update signing_keys set retired_at = $1 where retired_at is null",
        [now.into()],
    )
    .await?;
    run(
        tx,
        "insert into signing_keys (id, algorithm, public_key, private_key_encrypted, created_at) \
         values ($1, 'EdDSA', $2, $3, $4)",
        [key.id.into(), key.public.into(), sealed.into(), now.into()],
    )
    .await?;
    Ok(())
}

/// A new key pair, named by its thumbprint.
pub(super) fn make() -> Result<Key, Fault> {
    let pair = Ed25519KeyPair::generate().map_err(Fault::internal)?;
    let private = pair.to_pkcs8().map_err(Fault::internal)?.as_ref().to_vec();
    let public = pair.public_key().as_ref().to_vec();
    let x = URL_SAFE_NO_PAD.encode(&public);
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    let thumbprint = digest::digest(&digest::SHA256, members.as_bytes());
    Ok(Key {
        id: URL_SAFE_NO_PAD.encode(thumbprint.as_ref()),
        public,
        private,
        retired_at: None,
    })
}
