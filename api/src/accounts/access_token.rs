//! Access tokens: JWT signed with Ed25519, a quarter of an hour long. Only EdDSA is ever accepted, only keys of ours by
//! their `kid`, and nothing in a header (`jwk`, `jku`, `x5c`, `crit`) is followed.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// How long an access token is good for.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// How long a retired key goes on verifying: its last token and some patience with other processes' clocks.
pub const RETIRED_KEYS_VERIFY: TimeDelta = TimeDelta::minutes(45);
/// `aud` of our access tokens; `iss` is the public address.
pub const AUDIENCE: &str = "eventsphere";
/// RFC 9068: no other JWT is taken for an access token.
const TYPE: &str = "at+jwt";

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// For whom.
    pub aud: String,
    /// The person.
    pub sub: Uuid,
    /// The device session.
    pub sid: Uuid,
    /// The organization acted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<Uuid>,
    /// Seconds since 1970 at which it was made.
    pub iat: i64,
    /// Seconds since 1970 at which it is no longer good.
    pub exp: i64,
    /// The token itself.
    pub jti: Uuid,
}

/// When an access token ends by what it says of itself: only of one whose signature was verified before.
pub fn ends_at(text: &str) -> Option<DateTime<Utc>> {
    let claims = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    DateTime::from_timestamp(claims.exp, 0)
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// It was good once; said only of tokens whose signature is ours.
    #[error("the access token has expired")]
    Expired,
    /// The key it names is not known here (yet).
    #[error("the access token is not valid")]
    UnknownKey,
    /// Anything else.
    #[error("the access token is not valid")]
    Invalid,
}

/// One signing key.
#[derive(Clone)]
pub struct Key {
    /// Its id: the RFC 7638 thumbprint of the public key.
    pub id: String,
    /// The raw public key.
    pub public: Vec<u8>,
    /// The private key as PKCS#8.
    pub private: Vec<u8>,
    /// Since when it signs no more.
    pub retired_at: Option<DateTime<Utc>>,
}

/// All keys that verify, and the one that signs.
pub struct KeyRing {
    signs: Option<(String, EncodingKey)>,
    verify: HashMap<String, (DecodingKey, Key)>,
    validation: Validation,
    issuer: String,
    audience: String,
    /// When the keys were read from the database.
    pub loaded_at: DateTime<Utc>,
}

impl KeyRing {
    /// A ring of these keys, newest first: the first that is not retired signs.
    pub fn new(keys: Vec<Key>, issuer: &str, audience: &str, now: DateTime<Utc>) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Judged by our own clock in `verify`, without leeway.
        validation.validate_exp = false;
        let signs = keys
            .iter()
            .find(|key| key.retired_at.is_none())
            .map(|key| (key.id.clone(), EncodingKey::from_ed_der(&key.private)));
        let verify = keys
            .into_iter()
            .filter(|key| {
                key.retired_at
                    .is_none_or(|retired| retired + RETIRED_KEYS_VERIFY > now)
            })
            .map(|key| (key.id.clone(), (DecodingKey::from_ed_der(&key.public), key)))
            .collect();
        Self {
            signs,
            verify,
            validation,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            loaded_at: now,
        }
    }

    /// Whether there is a key to sign with.
    pub fn can_sign(&self) -> bool {
        self.signs.is_some()
    }

    /// A token for this person, device session and organization, and when it expires.
    pub fn sign(
        &self,
        user_id: Uuid,
        session_id: Uuid,
        org_id: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> Option<(String, DateTime<Utc>)> {
        let (key_id, key) = self.signs.as_ref()?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key_id.clone());
        header.typ = Some(TYPE.to_owned());
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: user_id,
            sid: session_id,
            org: org_id,
            iat: now.timestamp(),
            exp: (now + LIFETIME).timestamp(),
            jti: Uuid::new_v4(),
        };
        let text = jsonwebtoken::encode(&header, &claims, key).ok()?;
        Some((text, DateTime::from_timestamp(claims.exp, 0)?))
    }

    /// What the token says, if it is ours and still good.
    pub fn verify(&self, text: &str, now: DateTime<Utc>) -> Result<Claims, TokenFault> {
        let header = jsonwebtoken::decode_header(text).map_err(|_| TokenFault::Invalid)?;
        if header.alg != Algorithm::EdDSA
            || header.typ.as_deref() != Some(TYPE)
            || header.crit.is_some()
        {
            return Err(TokenFault::Invalid);
        }
        let key_id = header.kid.ok_or(TokenFault::Invalid)?;
        let (key, _) = self.verify.get(&key_id).ok_or(TokenFault::UnknownKey)?;
        let claims = jsonwebtoken::decode::<Claims>(text, key, &self.validation)
            .map_err(|_| TokenFault::Invalid)?
            .claims;
        match claims.exp > now.timestamp() {
            true => Ok(claims),
            false => Err(TokenFault::Expired),
        }
    }

    /// The document for `/.well-known/jwks.json`.
    pub fn jwks(&self) -> Value {
        let mut keys: Vec<&Key> = self.verify.values().map(|(_, key)| key).collect();
        keys.sort_by(|left, right| left.id.cmp(&right.id));
        let keys: Vec<Value> = keys
            .into_iter()
            .map(|key| {
                json!({
                    "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
                    "kid": key.id, "x": URL_SAFE_NO_PAD.encode(&key.public),
                })
            })
            .collect();
        json!({ "keys": keys })
    }
}

#[cfg(test)]
mod tests;
