//! Who carries messages. A provider takes one message and says by which name it knows it, or why it does not take it; what
//! it can do is data. To add one: a file here, a line in [`of_account`], and its recorded answers in the contract test.

mod africas_talking;
mod http;
mod sendgrid;
mod smtp;
mod smtp_connections;
mod twilio;
mod whatsapp_cloud;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub(super) use http::client;
pub use smtp::Smtp;

use crate::config::ProviderUrls;

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

/// An organization's account at a provider; never printed.
#[derive(Clone)]
pub struct Account {
    /// Who carries its messages.
    pub provider: String,
    /// By which name the provider knows it.
    pub name: String,
    /// What messages come from.
    pub sender: String,
    /// Its key or token.
    pub secret: String,
    /// Where its provider can report later what became of a message, if it can call us.
    pub reports_to: Option<String>,
}

/// The provider of an account.
pub(super) fn of_account(
    account: Account,
    client: &reqwest::Client,
    urls: &ProviderUrls,
) -> Option<Box<dyn Provider>> {
    let client = client.clone();
    let base = |url: &str| url.to_owned();
    Some(match account.provider.as_str() {
        "sendgrid" => Box::new(sendgrid::SendGrid {
            client,
            base: base(&urls.sendgrid),
            account,
        }),
        "twilio" => Box::new(twilio::Twilio {
            client,
            base: base(&urls.twilio),
            account,
        }),
        "africas_talking" => Box::new(africas_talking::AfricasTalking {
            client,
            base: base(&urls.africas_talking),
            account,
        }),
        "whatsapp_cloud" => Box::new(whatsapp_cloud::WhatsappCloud {
            client,
            base: base(&urls.whatsapp),
            account,
        }),
        _ => return None,
    })
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
