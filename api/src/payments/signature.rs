//! Signatures of the form `t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>" in hexadecimal>`. Several `v1` may stand
//! there, so that a key can be changed; one has to fit. Stripe signs so, and the sandbox.

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};

use super::Forged;
use crate::vault::{hex, hmac_sha256, same, unhex};

/// How old or how far ahead a signature may be, in seconds.
const WINDOW: i64 = 300;

fn tag(secret: &str, seconds: &str, body: &[u8]) -> [u8; 32] {
    hmac_sha256(secret.as_bytes(), &[seconds.as_bytes(), b".", body])
}

/// The header's value for these bytes.
pub(super) fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    let tag = tag(secret, &seconds.to_string(), body);
    format!("t={seconds},v1={}", hex(&tag))
}

/// Whether the header says who sent these bytes, and that it was just now.
pub(super) fn verify(
    header: &str,
    secret: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Forged> {
    let header = headers.get(header).and_then(|value| value.to_str().ok());
    let parts = || {
        let header = header.unwrap_or_default();
        header.split(',').filter_map(|part| part.split_once('='))
    };
    let seconds = parts()
        .find(|(name, _)| *name == "t")
        .map(|(_, value)| value);
    let (Some(seconds), false) = (seconds, secret.is_empty()) else {
        return Err(Forged::Unsigned);
    };
    let signed_at: i64 = seconds.parse().map_err(|_| Forged::Unsigned)?;
    let expected = tag(secret, seconds, body);
    let signed = parts()
        .filter(|(name, _)| *name == "v1")
        .filter_map(|(_, value)| unhex(value))
        .fold(false, |found, given| {
            found | same(&given, expected.as_ref())
        });
    if !signed {
        return Err(Forged::WrongSignature);
    }
    match now.timestamp().abs_diff(signed_at) <= WINDOW.unsigned_abs() {
        true => Ok(()),
        false => Err(Forged::OutOfTime),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of sixteen";
    const HEADER: &str = "stripe-signature";

    fn headers(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, text.parse().unwrap());
        headers
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn judged(secret: &str, headers: &HeaderMap, body: &[u8], now: i64) -> Result<(), Forged> {
        verify(HEADER, secret, headers, body, at(now))
    }

    #[test]
    fn a_signature_fits_its_bytes_its_key_and_its_time() {
        let body = br#"{"a":1}"#;
        let fine = headers(&sign(SECRET, 1000, body));
        assert_eq!(judged(SECRET, &fine, body, 1000), Ok(()));
        assert_eq!(judged(SECRET, &fine, body, 1300), Ok(()));
        assert_eq!(judged(SECRET, &fine, body, 1301), Err(Forged::OutOfTime));
        assert_eq!(judged(SECRET, &fine, body, 699), Err(Forged::OutOfTime));
        let wrong = Err(Forged::WrongSignature);
        assert_eq!(judged(SECRET, &fine, br#"{"a": 1}"#, 1000), wrong);
        assert_eq!(judged("another secret of it", &fine, body, 1000), wrong);
        for index in 0..body.len() {
            let mut changed = *body;
            changed[index] ^= 1;
            assert_eq!(judged(SECRET, &fine, &changed, 1000), wrong);
        }
    }

    #[test]
    fn one_of_several_signatures_is_enough_and_none_is_not() {
        let fine = sign(SECRET, 1000, b"x");
        let two = fine.replacen("v1=", "v1=00,v1=", 1);
        assert_eq!(judged(SECRET, &headers(&two), b"x", 1000), Ok(()));
        for text in ["", "t=1000", "v1=00", "t=,v1=00", "t=x,v1=00"] {
            assert!(
                judged(SECRET, &headers(text), b"x", 1000).is_err(),
                "{text}"
            );
        }
        let none = Err(Forged::Unsigned);
        assert_eq!(judged(SECRET, &HeaderMap::new(), b"x", 1000), none);
        let empty = headers(&sign("", 1000, b"x"));
        assert_eq!(judged("", &empty, b"x", 1000), none);
    }
}
