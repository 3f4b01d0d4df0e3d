//! The key of a hold: whoever has it may place from the hold. Only its hash is stored.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    fault::Fault,
    vault::{Purpose, hex},
    verbs::Call,
};

/// Made from the idempotency key and the arguments, so that who repeats a call whose answer was lost gets the same one.
pub(super) fn make(
    call: Call<'_>,
    org_id: Uuid,
    idempotency_key: &str,
    argument_hash: &str,
) -> Result<String, Fault> {
    let bytes = call
        .app
        .vault
        .mac(
            Purpose::HoldKeys,
            &[
                org_id.as_bytes(),
                idempotency_key.as_bytes(),
                argument_hash.as_bytes(),
            ],
        )
        .map_err(Fault::internal)?;
    Ok(format!("hk_{}", URL_SAFE_NO_PAD.encode(&bytes[..24])))
}

/// As it is stored, in hexadecimal.
pub fn hash(key: &str) -> String {
    hex(&Sha256::digest(key.trim().as_bytes()))
}
