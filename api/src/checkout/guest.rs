//! Guests of the sale: who is not signed in gets a secret that opens what was made, and reads the answer by it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use eventsphere_graphql::engine::Outcome;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::request::keyed;
use crate::{
    fault::Fault,
    tenancy::{Actor, Guest},
    vault::{Purpose, hex},
    verbs::{Call, Done},
};

/// A guest's secret: as it is told, once, and as it is kept.
pub(super) struct Secret {
    text: String,
    digest: [u8; 32],
}

/// A request under its key; callers who are not signed in get a secret, of which the request takes the hash.
pub(super) fn with_secret(
    call: Call<'_>,
    org_id: Uuid,
    arguments: Json,
    key: &str,
) -> Result<(Json, Option<Secret>), Fault> {
    let mut request = keyed(arguments, key);
    if call.actor.user_id().is_some() {
        return Ok((request, None));
    }
    let hash = request["argument_hash"].as_str().unwrap_or_default();
    let secret = secret(call, org_id, key, hash)?;
    request["guest_secret_hash"] = json!(hex(&secret.digest));
    Ok((request, Some(secret)))
}

/// Made from the idempotency key: who repeats a call whose answer was lost gets the same one.
fn secret(call: Call<'_>, org_id: Uuid, key: &str, hash: &str) -> Result<Secret, Fault> {
    let bytes = call
        .app
        .vault
        .mac(
            Purpose::GuestSecrets,
            &[org_id.as_bytes(), key.as_bytes(), hash.as_bytes()],
        )
        .map_err(Fault::internal)?;
    let text = format!("gs_{}", URL_SAFE_NO_PAD.encode(&bytes[..24]));
    let digest = Sha256::digest(text.as_bytes()).into();
    Ok(Secret { text, digest })
}

/// The payload of who was given a secret is read by it; of everybody else, by what they are.
pub(super) fn done(call: Call<'_>, org_id: Uuid, outcome: Outcome, secret: Option<Secret>) -> Done {
    let Some(Secret { text, digest }) = secret else {
        return Done {
            outcome,
            read_as: Some(reader(call, org_id)),
        };
    };
    let mut guest = Guest::default();
    guest.secret_hashes.push(digest);
    guest
        .secret_hashes
        .extend(call.actor.guest.secret_hashes.iter().copied());
    Done {
        outcome: outcome.value("guestSecret", text),
        read_as: Some(call.actor.as_buyer().with_guest(guest)),
    }
}

/// Who reads the payload: a member of the organization as such, everybody else as the buyer.
pub(crate) fn reader(call: Call<'_>, org_id: Uuid) -> Actor {
    match call.actor.org_id() == Some(org_id) {
        true => call.actor.clone(),
        false => call.actor.as_buyer(),
    }
}
