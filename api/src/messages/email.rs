//! A message as mail: RFC 5322 and MIME, made by lettre. The identifier is that of the message, the same at each attempt, so
//! that a server or a reader who gets it twice can tell.

use std::time::SystemTime;

use lettre::{
    Address, Message,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
};

use super::providers::Outgoing;

/// A header that lettre does not know.
macro_rules! text_header {
    ($name:ident, $written:literal) => {
        #[derive(Clone)]
        struct $name(String);

        impl Header for $name {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($written)
            }

            fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(text.to_owned()))
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), self.0.clone())
            }
        }
    };
}

text_header!(ListUnsubscribe, "List-Unsubscribe");
text_header!(ListUnsubscribePost, "List-Unsubscribe-Post");
text_header!(AutoSubmitted, "Auto-Submitted");

/// Its name in the world of mail.
pub fn message_id(message: &Outgoing) -> String {
    let domain = message
        .from_address
        .rsplit_once('@')
        .map_or("eventsphere.invalid", |(_, domain)| domain);
    format!("<{}@{domain}>", message.id)
}

/// The address with its domain as servers know it: letters beyond ASCII are written as IDNA says (`xn--`). What stands before
/// the `@` is its server's business and stays. None if the domain can be none.
pub fn ascii_domain(address: &str) -> Option<String> {
    let (user, domain) = address.rsplit_once('@')?;
    // Others than letters (an address literal in brackets, say) are left to whoever reads them next.
    let domain = match domain.is_ascii() {
        true => domain.to_owned(),
        false => idna::domain_to_ascii(domain).ok()?,
    };
    Some(format!("{user}@{domain}"))
}

fn address(text: &str) -> Result<Address, String> {
    ascii_domain(text)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| "this is no address that a mail can go to".to_owned())
}

/// The mail, or why there can be none.
pub fn of(message: &Outgoing) -> Result<Message, String> {
    let from = Mailbox::new(
        Some(message.from_name.clone()),
        address(&message.from_address)?,
    );
    let mut builder = Message::builder()
        .from(from)
        .to(Mailbox::new(None, address(&message.to)?))
        .subject(&message.subject)
        .date(SystemTime::from(message.written_at))
        .message_id(Some(message_id(message)))
        .header(AutoSubmitted("auto-generated".to_owned()));
    // Rather a mail that is not answered there than none.
    if let Some(reply_to) = message
        .reply_to
        .as_deref()
        .and_then(|text| address(text).ok())
    {
        builder = builder.reply_to(Mailbox::new(None, reply_to));
    }
    if let Some(url) = &message.unsubscribe_url {
        builder = builder
            .header(ListUnsubscribe(format!("<{url}>")))
            .header(ListUnsubscribePost("List-Unsubscribe=One-Click".to_owned()));
    }
    let words = match &message.html {
        Some(html) => MultiPart::alternative_plain_html(message.text.clone(), html.clone()),
        None => MultiPart::mixed().singlepart(SinglePart::plain(message.text.clone())),
    };
    let mail = match &message.calendar {
        Some(calendar) => builder.multipart(
            MultiPart::mixed()
                .multipart(words)
                .singlepart(attached(calendar)?),
        ),
        None => builder.multipart(words),
    };
    mail.map_err(|error| format!("it cannot be written as a mail: {error}"))
}

/// The method stands in the type too: readers that know calendars look for it there.
fn attached(calendar: &str) -> Result<SinglePart, String> {
    let method = match calendar.contains("METHOD:CANCEL") {
        true => "CANCEL",
        false => "PUBLISH",
    };
    let kind = format!("text/calendar; charset=utf-8; method={method}");
    let kind = ContentType::parse(&kind).map_err(|error| error.to_string())?;
    Ok(Attachment::new("event.ics".to_owned()).body(calendar.to_owned(), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_written_as_servers_know_them() {
        for (written, known) in [
            ("ada@example.org", Some("ada@example.org")),
            ("ada@bücher.example", Some("ada@xn--bcher-kva.example")),
            ("ada@例え.jp", Some("ada@xn--r8jz45g.jp")),
            (
                "jürgen@BÜCHER.example",
                Some("jürgen@xn--bcher-kva.example"),
            ),
            ("nobody", None),
        ] {
            assert_eq!(ascii_domain(written).as_deref(), known);
        }
        assert!(address("ada@[127.0.0.1]").is_ok());
        assert!(address("two words@example.org").is_err());
    }
}
