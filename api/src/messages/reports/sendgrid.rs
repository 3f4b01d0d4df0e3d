//! SendGrid's Signed Event Webhook: a list of events, signed with a key that SendGrid keeps (ECDSA over P-256 with SHA-256,
//! of the timestamp and the body) and whose other half an organization gave us.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value as Json;

use super::{About, Report, Verdict, reason};

const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";
/// What stands before the point of a public key of P-256 (SubjectPublicKeyInfo in DER).
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point.
const POINT: usize = 65;

/// The key that SendGrid shows as its verification key, if that is one.
pub fn verification_key(text: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(text.trim()).ok()?;
    let point = key.strip_prefix(&P256)?;
    (point.len() == POINT && point[0] == 4).then(|| point.to_vec())
}

pub(super) fn is_genuine(key: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let signature = header(SIGNATURE).and_then(|text| STANDARD.decode(text).ok());
    let (Some(key), Some(signature), Some(timestamp)) =
        (verification_key(key), signature, header(TIMESTAMP))
    else {
        return false;
    };
    let signed = [timestamp.as_bytes(), body].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
        .verify(&signed, &signature)
        .is_ok()
}

/// What says that something did not arrive, or was not wanted. A bounce of type `blocked` is one of today, others are for
/// good; `dropped` was not even tried.
pub(super) fn read(body: &[u8]) -> Vec<Report> {
    let events: Vec<Json> = serde_json::from_slice(body).unwrap_or_default();
    events.iter().filter_map(report).collect()
}

fn report(event: &Json) -> Option<Report> {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let verdict = match (text("event"), text("type")) {
        ("bounce", "blocked") | ("dropped", _) => Verdict::Failed,
        ("bounce", _) => Verdict::Bounced,
        ("spamreport", _) => Verdict::Complaint,
        _ => return None,
    };
    let said = [text("status"), text("reason")].join(" ");
    Some(Report {
        key: text("sg_event_id").to_owned(),
        about: About::Letter(text("message_id").parse().ok()?),
        verdict,
        reason: reason(said.trim()),
    })
    .filter(|report| (1..=100).contains(&report.key.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==";

    fn headers(signature: &'static str, timestamp: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(SIGNATURE, signature.parse().expect("a header"));
        headers.insert(TIMESTAMP, timestamp.parse().expect("a header"));
        headers
    }

    #[test]
    fn what_sendgrid_signed_is_genuine_and_nothing_else() {
        // The example that SendGrid's own libraries are tested with.
        const SIGNED: &str = "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=";
        let body =
            br#"{"category":"example_payload","event":"test_event","message_id":"message_id"}"#;
        let good = headers(SIGNED, "1588788367");
        assert!(is_genuine(KEY, &good, body));
        assert!(!is_genuine(KEY, &good, b"[]"));
        assert!(!is_genuine(KEY, &headers(SIGNED, "1588788368"), body));
        assert!(!is_genuine(KEY, &headers("MEUC", "1588788367"), body));
        assert!(!is_genuine(KEY, &HeaderMap::new(), body));
        assert!(!is_genuine("", &good, body));
        let other = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7GjUuFDb/R1NGe1OPzpA==";
        assert!(!is_genuine(other, &good, body));
        assert_eq!(verification_key("c2VjcmV0"), None);
    }

    #[test]
    fn what_did_not_arrive_is_read_and_the_rest_left() {
        let letter = "01890000-0000-7000-8000-000000000001";
        let event = |event: &str, kind: &str| {
            json!({
                "email": "ada@example.org", "timestamp": 1_513_299_569, "event": event, "type": kind,
                "sg_event_id": format!("{event} {kind}"), "sg_message_id": "14c5d75ce93.dfd.64b469", "status": "5.1.1",
                "reason": "550 unknown recipient", "message_id": letter,
            })
        };
        let mut foreign = event("bounce", "bounce");
        foreign["message_id"] = json!("of another program");
        let events = json!([
            event("processed", ""),
            event("delivered", ""),
            event("deferred", ""),
            event("open", ""),
            event("bounce", "bounce"),
            event("bounce", "blocked"),
            event("dropped", ""),
            event("spamreport", ""),
            foreign,
        ]);
        let reports = read(events.to_string().as_bytes());
        let verdicts: Vec<_> = reports.iter().map(|report| report.verdict).collect();
        assert_eq!(
            verdicts,
            [
                Verdict::Bounced,
                Verdict::Failed,
                Verdict::Failed,
                Verdict::Complaint
            ]
        );
        assert_eq!(reports[0].reason, "5.1.1 550 unknown recipient");
        assert_eq!(
            reports[0].about,
            About::Letter(letter.parse().expect("a key"))
        );
        assert_eq!(read(b"no JSON"), []);
    }
}
