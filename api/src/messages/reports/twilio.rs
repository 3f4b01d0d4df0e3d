//! Twilio's status callbacks: a form for each status of a message, signed with the account's auth token (HMAC-SHA1 over the
//! address that was called, followed by names and values in the order of names).

use aws_lc_rs::hmac;
use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Url;

use super::{About, Report, Verdict, reason};

const SIGNATURE: &str = "x-twilio-signature";
/// A number that is unknown, a landline, one that answered STOP.
const OF_NUMBER: [&str; 3] = ["30005", "30006", "21610"];

/// Names and values of a form.
pub(super) fn fields(body: &[u8]) -> Vec<(String, String)> {
    let (Ok(mut url), Ok(form)) = (Url::parse("form:/"), std::str::from_utf8(body)) else {
        return vec![];
    };
    url.set_query(Some(form));
    let pairs = url.query_pairs();
    let mut fields: Vec<_> = pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    fields.sort();
    fields
}

pub(super) fn is_genuine(
    token: &str,
    called: &str,
    headers: &HeaderMap,
    fields: &[(String, String)],
) -> bool {
    let signature = headers.get(SIGNATURE).and_then(|text| text.to_str().ok());
    let Some(signature) = signature.and_then(|text| STANDARD.decode(text).ok()) else {
        return false;
    };
    let mut signed = called.to_owned();
    for (name, value) in fields {
        signed.push_str(name);
        signed.push_str(value);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
}

/// What says that a message did not arrive.
pub(super) fn read(fields: &[(String, String)]) -> Vec<Report> {
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let (sid, status, code) = (
        field("MessageSid"),
        field("MessageStatus"),
        field("ErrorCode"),
    );
    if !matches!(status, "undelivered" | "failed") || !(1..=64).contains(&sid.len()) {
        return vec![];
    }
    let verdict = match OF_NUMBER.contains(&code) {
        true => Verdict::Bounced,
        false => Verdict::Failed,
    };
    vec![Report {
        key: format!("{sid} {status}"),
        about: About::Reference(sid.to_owned()),
        verdict,
        reason: reason(&format!("{status} {code}")),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_twilio_signed_is_genuine_and_nothing_else() {
        // The example of Twilio's documentation.
        let form = b"Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE";
        let called = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let mut headers = HeaderMap::new();
        let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        headers.insert(SIGNATURE, signature.parse().expect("a header"));
        assert!(is_genuine("12345", called, &headers, &fields(form)));
        assert!(!is_genuine("12346", called, &headers, &fields(form)));
        assert!(!is_genuine(
            "12345",
            "https://mycompany.com/",
            &headers,
            &fields(form)
        ));
        assert!(!is_genuine("12345", called, &headers, &fields(b"Digits=1")));
        assert!(!is_genuine(
            "12345",
            called,
            &HeaderMap::new(),
            &fields(form)
        ));
    }

    #[test]
    fn what_did_not_arrive_is_read_and_the_rest_left() {
        let of = |status: &str, code: &str| {
            let form = format!(
                "MessageSid=SM1&MessageStatus={status}&ErrorCode={code}&To=%2B254711000001&AccountSid=AC1"
            );
            read(&fields(form.as_bytes()))
                .first()
                .map(|report| report.verdict)
        };
        assert_eq!(of("undelivered", "30005"), Some(Verdict::Bounced));
        assert_eq!(of("undelivered", "30003"), Some(Verdict::Failed));
        assert_eq!(of("failed", "30007"), Some(Verdict::Failed));
        assert_eq!(of("delivered", ""), None);
        assert_eq!(read(&fields(b"MessageStatus=failed")), []);
    }
}
