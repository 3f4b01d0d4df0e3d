//! Webhooks of the sandbox: signed, and sent over HTTP to the address of the account's webhooks, until they are taken.
//!
//! `Sandbox-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>" in hexadecimal>`, where the key is the
//! account's `webhook_secret`. Several `v1` may stand there, so that a key can be changed; one has to fit.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Event, Forged};
use crate::{
    fault::Fault,
    jobs::{Backoff, Failed, Handler, Policy, Priority, Running},
    payments::accounts,
    vault::{hex, hmac_sha256, same, unhex},
};

const HEADER: &str = "sandbox-signature";

/// How old or how far ahead a signature may be, in seconds.
const WINDOW: i64 = 300;

fn sign(secret: &str, seconds: &str, body: &[u8]) -> [u8; 32] {
    hmac_sha256(secret.as_bytes(), &[seconds.as_bytes(), b".", body])
}

/// Whether the header says who sent these bytes, and that it was just now.
pub(super) fn verify(
    secret: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Forged> {
    let header = headers.get(HEADER).and_then(|value| value.to_str().ok());
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
    let expected = sign(secret, seconds, body);
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

/// Sends one event.
pub(crate) struct Deliver;

/// Which one, and to whom.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Payload {
    account_id: Uuid,
    event: Event,
}

#[async_trait]
impl Handler for Deliver {
    type Payload = Payload;

    const KIND: &'static str = "sandbox.deliver";

    fn policy() -> Policy {
        Policy::new()
            .queue("payments")
            .priority(Priority::Urgent)
            .backoff(Backoff::new(
                Duration::from_secs(1),
                Duration::from_secs(600),
            ))
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let app = &job.app;
        let (account, _) = accounts::of_ours(app, payload.account_id).await?;
        let body = serde_json::to_vec(&payload.event).map_err(Fault::internal)?;
        let seconds = app.clock.now().timestamp().to_string();
        let tag = sign(account.credential("webhook_secret"), &seconds, &body);
        let url = format!("{}/webhooks/sandbox/{}", app.posture.public_url, account.id);
        let sent = app
            .payments
            .http
            .post(url)
            .header(HEADER, format!("t={seconds},v1={}", hex(tag.as_ref())))
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await;
        match sent {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(Failed::later(format!("answered with {}", answer.status()))),
            Err(error) => {
                tracing::warn!(%error, "a webhook of the sandbox was not delivered");
                Err(Failed::later("nobody answered"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of sixteen";

    fn headers(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, text.parse().unwrap());
        headers
    }

    fn signed(secret: &str, seconds: i64, body: &[u8]) -> HeaderMap {
        let tag = sign(secret, &seconds.to_string(), body);
        headers(&format!("t={seconds},v1={}", hex(tag.as_ref())))
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_signature_fits_its_bytes_its_key_and_its_time() {
        let body = br#"{"a":1}"#;
        let fine = signed(SECRET, 1000, body);
        assert_eq!(verify(SECRET, &fine, body, at(1000)), Ok(()));
        assert_eq!(verify(SECRET, &fine, body, at(1300)), Ok(()));
        assert_eq!(
            verify(SECRET, &fine, body, at(1301)),
            Err(Forged::OutOfTime)
        );
        assert_eq!(verify(SECRET, &fine, body, at(699)), Err(Forged::OutOfTime));
        let wrong = Err(Forged::WrongSignature);
        assert_eq!(verify(SECRET, &fine, br#"{"a": 1}"#, at(1000)), wrong);
        assert_eq!(verify("another secret of it", &fine, body, at(1000)), wrong);
        for index in 0..body.len() {
            let mut changed = *body;
            changed[index] ^= 1;
            assert_eq!(verify(SECRET, &fine, &changed, at(1000)), wrong);
        }
    }

    #[test]
    fn one_of_several_signatures_is_enough_and_none_is_not() {
        let tag = hex(sign(SECRET, "1000", b"x").as_ref());
        let two = headers(&format!("t=1000,v1=00,v1={tag}"));
        assert_eq!(verify(SECRET, &two, b"x", at(1000)), Ok(()));
        for text in ["", "t=1000", "v1=00", "t=,v1=00", "t=x,v1=00"] {
            assert!(
                verify(SECRET, &headers(text), b"x", at(1000)).is_err(),
                "{text}"
            );
        }
        let none = Err(Forged::Unsigned);
        assert_eq!(verify(SECRET, &HeaderMap::new(), b"x", at(1000)), none);
        let empty = signed("", 1000, b"x");
        assert_eq!(verify("", &empty, b"x", at(1000)), none);
    }
}
