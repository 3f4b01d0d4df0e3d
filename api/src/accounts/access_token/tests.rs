//! Every way in which a token can be wrong.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::accounts::signing_keys::make;

const ISSUER: &str = "https://events.example";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn ring(keys: Vec<Key>) -> KeyRing {
    KeyRing::new(keys, ISSUER, AUDIENCE, now())
}

fn token(ring: &KeyRing) -> String {
    ring.sign(Uuid::from_u128(1), Uuid::from_u128(2), None, now())
        .unwrap()
        .0
}

/// A token with this header and these claims, signed by the key as EdDSA whatever the header says.
fn forge(key: &Key, header: Value, claims: Value) -> String {
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(&key.private).unwrap();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn good_claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::from_u128(1), "sid": Uuid::from_u128(2),
        "iat": now().timestamp(), "exp": now().timestamp() + 900, "jti": Uuid::from_u128(3),
    })
}

fn good_header(key: &Key) -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": key.id })
}

#[test]
fn a_token_of_ours_is_good_until_its_instant() {
    let ring = ring(vec![make().unwrap()]);
    let org = Some(Uuid::from_u128(9));
    let (text, expires_at) = ring
        .sign(Uuid::from_u128(1), Uuid::from_u128(2), org, now())
        .unwrap();
    assert_eq!(expires_at, now() + LIFETIME);
    let claims = ring.verify(&text, now()).unwrap();
    assert_eq!((claims.sub, claims.org), (Uuid::from_u128(1), org));
    let last = now() + LIFETIME - TimeDelta::seconds(1);
    assert!(ring.verify(&text, last).is_ok());
    assert_eq!(
        ring.verify(&text, now() + LIFETIME),
        Err(TokenFault::Expired)
    );
}

#[test]
fn the_forging_helper_makes_good_tokens_when_nothing_is_wrong() {
    let key = make().unwrap();
    let ring = ring(vec![key.clone()]);
    let text = forge(&key, good_header(&key), good_claims());
    assert!(ring.verify(&text, now()).is_ok());
}

#[test]
fn other_algorithms_are_refused_whatever_they_are_signed_with() {
    let key = make().unwrap();
    let ring = ring(vec![key.clone()]);
    for algorithm in [
        "none", "None", "NONE", "", "HS256", "RS256", "ES256", "PS512",
    ] {
        let header = json!({ "alg": algorithm, "typ": "at+jwt", "kid": key.id });
        let text = forge(&key, header, good_claims());
        assert_eq!(
            ring.verify(&text, now()),
            Err(TokenFault::Invalid),
            "{algorithm}"
        );
        let unsigned = format!("{}.", text.rsplit_once('.').unwrap().0);
        assert_eq!(ring.verify(&unsigned, now()), Err(TokenFault::Invalid));
    }
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let key = make().unwrap();
    let ring = ring(vec![key.clone()]);
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(key.id.clone());
    header.typ = Some("at+jwt".into());
    let x = URL_SAFE_NO_PAD.encode(&key.public);
    for secret in [key.public.as_slice(), x.as_bytes()] {
        let secret = EncodingKey::from_secret(secret);
        let text = jsonwebtoken::encode(&header, &good_claims(), &secret).unwrap();
        assert_eq!(ring.verify(&text, now()), Err(TokenFault::Invalid));
    }
}

#[test]
fn a_key_that_came_with_the_token_is_not_used() {
    let (ours, theirs) = (make().unwrap(), make().unwrap());
    let ring = ring(vec![ours.clone()]);
    let x = URL_SAFE_NO_PAD.encode(&theirs.public);
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
    let mut header = good_header(&ours);
    header["jwk"] = jwk;
    assert_eq!(
        ring.verify(&forge(&theirs, header, good_claims()), now()),
        Err(TokenFault::Invalid)
    );
}

#[test]
fn unknown_missing_and_borrowed_key_ids_are_refused() {
    let (ours, theirs) = (make().unwrap(), make().unwrap());
    let ring = ring(vec![ours.clone()]);
    let unknown = forge(&theirs, good_header(&theirs), good_claims());
    assert_eq!(ring.verify(&unknown, now()), Err(TokenFault::UnknownKey));
    let borrowed = forge(&theirs, good_header(&ours), good_claims());
    assert_eq!(ring.verify(&borrowed, now()), Err(TokenFault::Invalid));
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt" });
    let missing = forge(&ours, header, good_claims());
    assert_eq!(ring.verify(&missing, now()), Err(TokenFault::Invalid));
}

#[test]
fn wrong_or_missing_claims_and_types_are_refused() {
    let key = make().unwrap();
    let ring = ring(vec![key.clone()]);
    let refused = |header: Value, claims: Value| {
        let text = forge(&key, header, claims.clone());
        assert!(ring.verify(&text, now()).is_err(), "{claims}");
    };
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("sub", json!("somebody")),
        ("exp", json!("soon")),
        ("exp", json!(-1)),
        ("exp", json!(0)),
    ] {
        let mut claims = good_claims();
        claims[name] = value;
        refused(good_header(&key), claims);
    }
    for name in ["iss", "aud", "sub", "sid", "exp", "jti"] {
        let mut claims = good_claims();
        claims.as_object_mut().unwrap().remove(name);
        refused(good_header(&key), claims);
    }
    let with = |name: &str, value: Value| {
        let mut header = good_header(&key);
        header[name] = value;
        header
    };
    refused(with("typ", json!("JWT")), good_claims());
    refused(with("crit", json!(["exp"])), good_claims());
}

#[test]
fn a_changed_character_or_a_missing_part_is_refused() {
    let ring = ring(vec![make().unwrap()]);
    let text = token(&ring);
    for cut in 0..text.len() {
        assert!(ring.verify(&text[..cut], now()).is_err());
    }
    let (message, _) = text.rsplit_once('.').unwrap();
    let other = token(&ring);
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert!(
        ring.verify(&format!("{message}.{signature}"), now())
            .is_err()
    );
    for text in ["", ".", "..", "a.b.c", "\u{0}", "es_live_x"] {
        assert!(ring.verify(text, now()).is_err());
    }
}

#[test]
fn a_retired_key_verifies_until_its_last_tokens_are_gone() {
    let old = make().unwrap();
    let text = token(&ring(vec![old.clone()]));
    let retired = Key {
        private: vec![],
        retired_at: Some(now()),
        ..old
    };
    let new = make().unwrap();
    let rotated = ring(vec![new.clone(), retired.clone()]);
    assert!(rotated.verify(&text, now()).is_ok());
    let signed = token(&rotated);
    let header = jsonwebtoken::decode_header(&signed).unwrap();
    assert_eq!(header.kid.as_deref(), Some(new.id.as_str()));
    assert_eq!(rotated.jwks()["keys"].as_array().unwrap().len(), 2);

    let later = now() + RETIRED_KEYS_VERIFY;
    let forgotten = KeyRing::new(vec![new, retired], ISSUER, AUDIENCE, later);
    assert_eq!(forgotten.verify(&text, now()), Err(TokenFault::UnknownKey));
    assert_eq!(forgotten.jwks()["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn the_key_document_shows_no_private_part() {
    let key = make().unwrap();
    let document = ring(vec![key.clone()]).jwks();
    let shown = &document["keys"][0];
    assert_eq!(shown["kty"], "OKP");
    assert_eq!(shown["crv"], "Ed25519");
    assert_eq!(shown["kid"], key.id);
    let names: Vec<&String> = shown.as_object().unwrap().keys().collect();
    assert_eq!(names, ["kty", "crv", "alg", "use", "kid", "x"]);
}
