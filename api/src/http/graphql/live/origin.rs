//! Which pages may open a connection. A WebSocket knows no CORS: a page of any origin could open one from the browser of
//! whoever looks at it. We have no cookies that it would borrow, but it need not find out what answers here either.

use axum::http::{HeaderMap, header};

use crate::http::Posture;

/// Whether a request of these headers comes from no page, from one of ours, or from one of a listed origin.
pub(super) fn may_connect(headers: &HeaderMap, posture: &Posture) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let own = origin
        .split_once("://")
        .is_some_and(|(scheme, rest)| ["http", "https"].contains(&scheme) && Some(rest) == host);
    own || origin_of(&posture.public_url) == origin
        || posture.cors_origins.iter().any(|listed| listed == origin)
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let end = url[after..].find('/').map_or(url.len(), |at| after + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn pages_of_others_may_not() {
        let posture = Posture {
            demo_sign_ins: vec![],
            development: false,
            cors_origins: vec!["https://app.example.org".to_owned()],
            public_url: "https://events.example.org/api".to_owned(),
            trusted_proxies: vec![],
            request_timeout: Duration::from_secs(1),
            public_max_age: Duration::ZERO,
        };
        let may = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            may_connect(&headers, &posture)
        };
        assert!(may(None));
        assert!(may(Some("http://127.0.0.1:8080")));
        assert!(may(Some("https://events.example.org")));
        assert!(may(Some("https://app.example.org")));
        for other in [
            "null",
            "https://app.example.org.evil.example",
            "https://evil.example",
            "http://127.0.0.1:8081",
            "file://127.0.0.1:8080",
        ] {
            assert!(!may(Some(other)), "{other}");
        }
    }
}
