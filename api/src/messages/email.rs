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

/// The mail, or why there can be none.
pub fn of(message: &Outgoing) -> Result<Message, String> {
    let address = |text: &str| {
        text.parse::<Address>()
            .map_err(|_| "this is no address that a mail can go to".to_owned())
    };
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
