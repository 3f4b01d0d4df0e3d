//! Where buyers go when they have paid. Whoever starts a payment says so, and that may be anybody: were they sent anywhere,
//! a link to a page of ours would lead wherever its maker likes. So the account names the origins that are allowed, and pages
//! of ours are.

use reqwest::Url;

/// The longest address.
const MOST: usize = 2000;

/// An address as browsers understand it, and who is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Back {
    /// The whole of it.
    pub url: String,
    /// Scheme, host and port.
    pub origin: String,
}

/// Reads an address; `None` where it is none that a browser should be sent to. What is compared is what is followed: the
/// address is written anew from its parts, since browsers forgive what others take at its word.
pub(super) fn read(text: &str) -> Option<Back> {
    let url = Url::parse(text).ok()?;
    let written = url.as_str();
    let fine = matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none()
        && text.len() <= MOST
        && written.len() <= MOST;
    fine.then(|| Back {
        origin: url.origin().ascii_serialization(),
        url: written.to_owned(),
    })
}

/// The origin that an account may allow; `None` where it is none: there is something behind it, or it could be changed
/// on the way. On the machine itself it cannot.
pub(super) fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    };
    let is_bare =
        matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    // One origin each: nobody is to believe that a star stands for many.
    let is_one = url.host_str().is_some_and(|host| !host.contains('*'));
    let back = read(text)?;
    (is_safe && is_bare && is_one).then_some(back.origin)
}

/// Whether that origin is ours.
pub(super) fn is_home(origin: &str, public_url: &str) -> bool {
    read(public_url).is_some_and(|home| home.origin == origin)
}

/// The address, if buyers may still be sent there.
pub(super) fn allowed(text: &str, public_url: &str, origins: &[String]) -> Option<String> {
    let back = read(text)?;
    let may = origins.contains(&back.origin) || is_home(&back.origin, public_url);
    may.then_some(back.url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "http://127.0.0.1:8080";

    fn goes(text: &str) -> Option<String> {
        allowed(text, HOME, &["https://shop.example".to_owned()])
    }

    #[test]
    fn buyers_go_to_the_shop_and_home_and_nowhere_else() {
        for fine in [
            "https://shop.example/thanks?order=1#top",
            "https://SHOP.example:443/thanks",
            "http://127.0.0.1:8080/thanks",
        ] {
            assert!(goes(fine).is_some(), "{fine}");
        }
        for foul in [
            "https://shop.example.evil.example/",
            "https://evil.example/https://shop.example",
            "https://shop.example@evil.example/",
            "https://shop.example:8443/",
            "http://shop.example/",
            "https:shop.example",
            "//shop.example/",
            "/thanks",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://evil.example\\@shop.example/",
            "https://sh\u{0430}op.example/",
            "http://127.0.0.1:8081/",
            "",
        ] {
            let to = goes(foul);
            // What is forgiven leads to the shop all the same.
            let harmless = to.as_deref() == Some("https://shop.example/");
            assert!(to.is_none() || harmless, "{foul}: {to:?}");
        }
    }

    #[test]
    fn origins_are_bare_and_safe() {
        assert_eq!(
            origin("https://Shop.example/").as_deref(),
            Some("https://shop.example")
        );
        assert_eq!(
            origin("http://localhost:3000").as_deref(),
            Some("http://localhost:3000")
        );
        for none in [
            "http://shop.example",
            "https://shop.example/thanks",
            "https://shop.example?x",
            "https://somebody@shop.example",
            "https://*.shop.example",
            "https://*",
            "shop.example",
            "null",
        ] {
            assert_eq!(origin(none), None, "{none}");
        }
    }
}
