//! The key of a hold: whoever has it may place from the hold. Only its hash is stored.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    fault::Fault,
    vault::{Purpose, hex},
    verbs::Call,
};

/// Made from the idempotency key and the arguments of a request under its key, so that who repeats a call whose answer was lost gets the same one.
pub(super) fn make(call: Call<'_>, org_id: Uuid, request: &Json) -> Result<String, Fault> {
    let text = |name: &str| request[name].as_str().unwrap_or_default().as_bytes();
    let bytes = call
        .app
        .vault
        .mac(
            Purpose::HoldKeys,
            &[
                org_id.as_bytes(),
                text("idempotency_key"),
                text("argument_hash"),
            ],
        )
        .map_err(Fault::internal)?;
    Ok(format!("hk_{}", URL_SAFE_NO_PAD.encode(&bytes[..24])))
}

/// As it is stored, in hexadecimal.
pub fn hash(key: &str) -> String {
    hex(&Sha256::digest(key.trim().as_bytes()))
}
