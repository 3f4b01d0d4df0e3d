//! Who carries messages. A provider takes one message and says by which name it knows it, or why it does not take it; what
//! it can do is data. To add one: a file here, a line in [`of_account`], and its recorded answers in the contract test.

mod smtp;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use smtp::Smtp;

/// One message as it goes out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its key; the same at each attempt, so that whoever gets it twice can tell.
    pub id: Uuid,
    /// Which way: `email`, `sms`, `whatsapp`.
    pub channel: String,
    /// Whose name it comes under.
    pub from_name: String,
    /// The address that mails come from.
    pub from_address: String,
    /// Where answers go, if elsewhere.
    pub reply_to: Option<String>,
    /// Address or phone number.
    pub to: String,
    /// One line; empty where there is none.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// With its looks.
    pub html: Option<String>,
    /// A calendar file that goes with it.
    pub calendar: Option<String>,
    /// Where one click ends further messages of this sort.
    pub unsubscribe_url: Option<String>,
    /// When it was written.
    pub written_at: DateTime<Utc>,
}

/// What a provider can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Which way its messages go: `email`, `sms`, `whatsapp`.
    pub channel: &'static str,
    /// Whether looks and files go along; else the plain text alone.
    pub rich: bool,
    /// Characters that a text may have.
    pub longest_text: usize,
}

/// It was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// By which name the provider knows it.
    pub reference: Option<String>,
}

/// It was not. Reasons are shown to members: no secrets in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is nobody at that address, now and later.
    NoSuchRecipient(String),
    /// It will not be taken as it is.
    Rejected(String),
    /// It may be taken later, after so many seconds where the provider said so.
    Later(String, Option<u64>),
}

/// Somebody who carries messages.
#[async_trait]
pub trait Provider: Send + Sync {
    /// As the log names it.
    fn name(&self) -> &'static str;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Hands the message over. Ends within the configured time.
    async fn send(&self, message: &Outgoing) -> Result<Receipt, Refused>;
}

/// A reason cut to what a log needs, on one line.
pub(super) fn reason(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(300)
        .collect();
    line.trim().to_owned()
}
