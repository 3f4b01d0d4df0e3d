//! Ticket codes: `v1` and, in base64url, 66 bytes of payload (ticket, event, occurrence, number of the key, 16 random
//! bytes) with their Ed25519 signature by the event's key.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

const VERSION: &str = "v1";
const PAYLOAD: usize = 16 + 16 + 16 + 2 + 16;
const SIGNATURE: usize = 64;

/// What a code says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The ticket.
    pub ticket_id: Uuid,
    /// Its event.
    pub event_id: Uuid,
    /// The date of the event that it admits to.
    pub occurrence_id: Uuid,
    /// Which of the event's keys signed it.
    pub key_number: u16,
}

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not one of ours at all.
    #[error("this is no ticket code")]
    Malformed,
    /// Looks like one, but nobody with the event's key made it.
    #[error("the signature of the ticket code does not hold")]
    InvalidSignature,
}

/// Signs a code. `random` makes the code of a reissued ticket differ from its first.
pub fn sign(admission: &Admission, random: [u8; 16], key: &Ed25519KeyPair) -> String {
    let mut bytes = Vec::with_capacity(PAYLOAD + SIGNATURE);
    bytes.extend_from_slice(admission.ticket_id.as_bytes());
    bytes.extend_from_slice(admission.event_id.as_bytes());
    bytes.extend_from_slice(admission.occurrence_id.as_bytes());
    bytes.extend_from_slice(&admission.key_number.to_be_bytes());
    bytes.extend_from_slice(&random);
    let signature = key.sign(&bytes);
    bytes.extend_from_slice(signature.as_ref());
    format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// What the code says, if the key with this public half signed it.
pub fn verify(code: &str, public_key: &[u8]) -> Result<Admission, CodeError> {
    let bytes = code
        .strip_prefix(VERSION)
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .filter(|bytes| bytes.len() == PAYLOAD + SIGNATURE)
        .ok_or(CodeError::Malformed)?;
    let (payload, signature) = bytes.split_at(PAYLOAD);
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(payload, signature)
        .map_err(|_| CodeError::InvalidSignature)?;
    let id = |at: usize| Uuid::from_slice(&payload[at..at + 16]).map_err(|_| CodeError::Malformed);
    Ok(Admission {
        ticket_id: id(0)?,
        event_id: id(16)?,
        occurrence_id: id(32)?,
        key_number: u16::from_be_bytes([payload[48], payload[49]]),
    })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::KeyPair;

    use super::*;

    fn admission() -> Admission {
        Admission {
            ticket_id: Uuid::from_u128(1),
            event_id: Uuid::from_u128(2),
            occurrence_id: Uuid::from_u128(3),
            key_number: 7,
        }
    }

    #[test]
    fn what_is_signed_is_verified_with_the_public_key_alone() {
        let key = Ed25519KeyPair::generate().unwrap();
        let code = sign(&admission(), [9; 16], &key);
        assert_eq!(verify(&code, key.public_key().as_ref()), Ok(admission()));
    }

    #[test]
    fn a_changed_byte_and_a_foreign_key_are_refused() {
        let key = Ed25519KeyPair::generate().unwrap();
        let other = Ed25519KeyPair::generate().unwrap();
        let code = sign(&admission(), [9; 16], &key);
        assert_eq!(
            verify(&code, other.public_key().as_ref()),
            Err(CodeError::InvalidSignature)
        );
        let mut changed = code.clone().into_bytes();
        changed[10] = if changed[10] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(
            verify(&changed, key.public_key().as_ref()),
            Err(CodeError::InvalidSignature)
        );
        assert_eq!(
            verify(&code[..40], key.public_key().as_ref()),
            Err(CodeError::Malformed)
        );
    }
}
