//! Secrets: what is sealed at rest, and the random tokens that we hand out and keep only as hashes.
//!
//! One master key (`SECRET_KEY`) is never used itself: each purpose has a key of its own, derived by HKDF, so that
//! something sealed for one purpose cannot be opened as another.

mod token;

use std::sync::Arc;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    hmac,
};
use subtle::ConstantTimeEq;

pub use token::{Secret, TokenKind, hash_token};

/// What a derived key is for. Never reuse a label: what was sealed under it would open under the new meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Private keys that sign access tokens.
    AccessTokenKeys,
    /// Private keys that sign ticket codes.
    TicketKeys,
    /// Secrets of guests, made again from what the guest sent.
    GuestSecrets,
    /// Keys of holds, made again from what made them.
    HoldKeys,
    /// Secrets that deliveries of webhooks are signed with.
    WebhookSecrets,
    /// Keys of payment and message providers.
    ProviderKeys,
    /// Links that end messages which one can do without.
    Unsubscribe,
    /// Places in what happens, which subscriptions go on from.
    LiveCursors,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::AccessTokenKeys => b"eventsphere/v1/access-token-keys",
            Self::TicketKeys => b"eventsphere/v1/ticket-keys",
            Self::GuestSecrets => b"eventsphere/v1/guest-secrets",
            Self::HoldKeys => b"eventsphere/v1/hold-keys",
            Self::WebhookSecrets => b"eventsphere/v1/webhook-secrets",
            Self::ProviderKeys => b"eventsphere/v1/provider-keys",
            Self::Unsubscribe => b"eventsphere/v1/unsubscribe",
            Self::LiveCursors => b"eventsphere/v1/live-cursors",
        }
    }
}

/// Why a secret could not be sealed or opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VaultError {
    /// Not sealed by us, for another purpose or context, or under another master key.
    #[error("a stored secret does not open: was SECRET_KEY changed?")]
    Sealed,
    /// The cipher or the source of randomness refused.
    #[error("cryptography failed")]
    Crypto,
}

/// Seals and opens under keys derived from the master key. Cheap to clone; never printed.
#[derive(Clone)]
pub struct Vault {
    master: Arc<[u8; 32]>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Vault(..)")
    }
}

/// Version of the sealed form, its first byte: 1 = AES-256-GCM, nonce of 12 bytes, ciphertext, tag of 16 bytes.
const SEALED_V1: u8 = 1;
const NONCE: usize = 12;

impl Vault {
    /// From the 32 bytes of the master key.
    pub fn new(master: [u8; 32]) -> Self {
        Self {
            master: Arc::new(master),
        }
    }

    /// Seals `plain` for this purpose. `context` (say, the key of the row) must be given again to open it, so that
    /// sealed values cannot be moved from one row to another.
    pub fn seal(
        &self,
        purpose: Purpose,
        context: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let key = self.cipher(purpose)?;
        let mut body = plain.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| VaultError::Crypto)?;
        let mut sealed = Vec::with_capacity(1 + NONCE + body.len());
        sealed.push(SEALED_V1);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made for the same purpose and context.
    pub fn open(
        &self,
        purpose: Purpose,
        context: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let (version, rest) = sealed.split_first().ok_or(VaultError::Sealed)?;
        if *version != SEALED_V1 || rest.len() < NONCE {
            return Err(VaultError::Sealed);
        }
        let (nonce, body) = rest.split_at(NONCE);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Sealed)?;
        let mut body = body.to_vec();
        let length = self
            .cipher(purpose)?
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| VaultError::Sealed)?
            .len();
        body.truncate(length);
        Ok(body)
    }

    /// 32 bytes that only the holder of the master key can make from these parts (HMAC-SHA256 under the purpose's key).
    pub fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> Result<[u8; 32], VaultError> {
        // With their lengths, so that parts cannot be cut differently to the same end.
        let mut measured = vec![];
        for part in parts {
            measured.extend_from_slice(&(part.len() as u64).to_be_bytes());
            measured.extend_from_slice(part);
        }
        Ok(hmac_sha256(&self.derive(purpose)?, &[&measured]))
    }

    fn cipher(&self, purpose: Purpose) -> Result<RandomizedNonceKey, VaultError> {
        let key = self.derive(purpose)?;
        RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| VaultError::Crypto)
    }

    fn derive(&self, purpose: Purpose) -> Result<[u8; 32], VaultError> {
        let mut key = [0u8; 32];
        Salt::new(HKDF_SHA256, b"eventsphere vault")
            .extract(self.master.as_slice())
            .expand(&[purpose.label()], KeyLength)
            .and_then(|expanded| expanded.fill(&mut key))
            .map_err(|_| VaultError::Crypto)?;
        Ok(key)
    }
}

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}

/// The HMAC-SHA256 of the parts, one behind the other.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(part);
    }
    let mut out = [0u8; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

/// Whether two secrets are equal, in a time that depends on their lengths only.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Bytes as hexadecimal digits, as `decode(.., 'hex')` of PostgreSQL reads them.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
    text
}

/// The bytes of hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

fn fill_random(bytes: &mut [u8]) -> Result<(), VaultError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| VaultError::Crypto)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new([7; 32])
    }

    #[test]
    fn what_is_sealed_opens_again_and_is_sealed_differently_each_time() {
        let first = vault()
            .seal(Purpose::AccessTokenKeys, "k1", b"secret")
            .unwrap();
        let second = vault()
            .seal(Purpose::AccessTokenKeys, "k1", b"secret")
            .unwrap();
        assert_ne!(first, second);
        assert!(!first.windows(6).any(|part| part == b"secret"));
        for sealed in [first, second] {
            let plain = vault()
                .open(Purpose::AccessTokenKeys, "k1", &sealed)
                .unwrap();
            assert_eq!(plain, b"secret");
        }
    }

    #[test]
    fn another_purpose_context_or_master_key_opens_nothing() {
        let sealed = vault()
            .seal(Purpose::AccessTokenKeys, "k1", b"secret")
            .unwrap();
        let refused = Err(VaultError::Sealed);
        assert_eq!(vault().open(Purpose::TicketKeys, "k1", &sealed), refused);
        assert_eq!(
            vault().open(Purpose::AccessTokenKeys, "k2", &sealed),
            refused
        );
        let other = Vault::new([8; 32]);
        assert_eq!(other.open(Purpose::AccessTokenKeys, "k1", &sealed), refused);
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let sealed = vault().seal(Purpose::ProviderKeys, "", b"secret").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(vault().open(Purpose::ProviderKeys, "", &changed).is_err());
            assert!(
                vault()
                    .open(Purpose::ProviderKeys, "", &sealed[..index])
                    .is_err()
            );
        }
    }

    #[test]
    fn the_master_key_is_never_printed() {
        assert_eq!(format!("{:?}", vault()), "Vault(..)");
    }

    #[test]
    fn hexadecimal_digits_go_both_ways() {
        assert_eq!(hex(&[0, 15, 255]), "000fff");
        assert_eq!(unhex("000fff"), Some(vec![0, 15, 255]));
        for text in ["0", "0g", "ää", "0ä0"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }

    #[test]
    fn equal_means_equal() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd"));
        assert!(!same(b"abc", b"abcd"));
    }
}
