//! Secrets of endpoints and the signatures made with them, as Standard Webhooks says.

use aws_lc_rs::rand;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use uuid::Uuid;

use crate::{
    fault::Fault,
    vault::{Purpose, Vault, hex, hmac_sha256, unhex},
};

/// What is hashed with, bytes.
const LENGTH: usize = 32;

/// The key that signs what goes to one endpoint.
pub(super) struct SigningSecret([u8; LENGTH]);

impl SigningSecret {
    /// A new one.
    pub fn generate() -> Result<Self, Fault> {
        let mut bytes = [0; LENGTH];
        rand::fill(&mut bytes).map_err(|_| Fault::Internal("no random bytes".to_owned()))?;
        Ok(Self(bytes))
    }

    /// As receivers are given it.
    pub fn text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }

    /// Sealed for that endpoint, in hexadecimal digits.
    pub fn seal(&self, vault: &Vault, endpoint_id: Uuid) -> Result<String, Fault> {
        let sealed = vault.seal(Purpose::WebhookSecrets, &endpoint_id.to_string(), &self.0);
        Ok(hex(&sealed.map_err(Fault::internal)?))
    }

    /// What [`Self::seal`] made.
    pub fn open(vault: &Vault, endpoint_id: Uuid, sealed: &str) -> Result<Self, Fault> {
        let sealed = unhex(sealed).unwrap_or_default();
        let bytes = vault
            .open(Purpose::WebhookSecrets, &endpoint_id.to_string(), &sealed)
            .map_err(Fault::internal)?;
        let bytes = bytes.try_into();
        bytes
            .map(Self)
            .map_err(|_| Fault::Internal("a webhook's secret has another length".to_owned()))
    }

    fn sign(&self, message: &[&[u8]]) -> String {
        format!("v1,{}", STANDARD.encode(hmac_sha256(&self.0, message)))
    }
}

/// The header `webhook-signature`: one signature a secret. `timestamp` is in seconds since 1970.
pub(super) fn signatures(
    secrets: &[SigningSecret],
    message_id: &str,
    timestamp: i64,
    body: &str,
) -> String {
    let timestamp = timestamp.to_string();
    let message = [
        message_id.as_bytes(),
        b".",
        timestamp.as_bytes(),
        b".",
        body.as_bytes(),
    ];
    let all: Vec<String> = secrets.iter().map(|secret| secret.sign(&message)).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_the_standard_says() {
        // Key, message and signature of the example in the standard's reference implementations.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut padded = [0; LENGTH];
        padded[..key.len()].copy_from_slice(&key);
        // HMAC fills shorter keys up with zeros, so this is the same key.
        let signed = signatures(
            &[SigningSecret(padded)],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_sealed_secret_opens_for_its_endpoint_only() {
        let vault = Vault::new([3; 32]);
        let (mine, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let secret = SigningSecret::generate().unwrap();
        let sealed = secret.seal(&vault, mine).unwrap();
        assert!(!sealed.contains(&hex(&secret.0)));
        assert_eq!(
            SigningSecret::open(&vault, mine, &sealed).unwrap().0,
            secret.0
        );
        assert!(SigningSecret::open(&vault, other, &sealed).is_err());
    }
}
