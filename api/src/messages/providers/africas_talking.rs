//! Africa's Talking, by its API version 1: SMS. It answers with success whatever becomes of the message; what counts is
//! the status of the recipient.

use async_trait::async_trait;
use reqwest::{Client, header::ACCEPT};

use super::{Account, Capabilities, Outgoing, Provider, Receipt, Refused, http, reason};

/// Processed, sent, queued.
const TAKEN: [i64; 3] = [100, 101, 102];
/// Not a number; a number that is not supported; on a list of those who want nothing, the country's or the account's.
const OF_NUMBER: [i64; 4] = [403, 404, 406, 409];
/// The gateway is in trouble.
const PASSING: [i64; 3] = [500, 501, 502];

pub(super) struct AfricasTalking {
    pub client: Client,
    pub base: String,
    pub account: Account,
}

#[async_trait]
impl Provider for AfricasTalking {
    fn name(&self) -> &'static str {
        "africas_talking"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channel: "sms",
            rich: false,
            longest_text: 1530,
        }
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, Refused> {
        let form = [
            ("username", self.account.name.as_str()),
            ("to", message.to.as_str()),
            ("from", self.account.sender.as_str()),
            ("message", message.text.as_str()),
        ];
        let request = self
            .client
            .post(format!("{}/version1/messaging", self.base))
            .header("apiKey", &self.account.secret)
            .header(ACCEPT, "application/json")
            .form(&form);
        let answer = http::send(request, |_| ("refused".to_owned(), false)).await?;
        if answer.body.is_null() {
            // Whatever it was, it was not what this provider answers.
            let reason = "the provider's answer could not be read".to_owned();
            return Err(Refused::Later(reason, None));
        }
        let data = &answer.body["SMSMessageData"];
        let recipient = &data["Recipients"][0];
        let code = recipient["statusCode"].as_i64().unwrap_or(0);
        let said = recipient["status"].as_str().or(data["Message"].as_str());
        let said = reason(&format!("{code} {}", said.unwrap_or("no recipient")));
        match code {
            code if TAKEN.contains(&code) => Ok(Receipt {
                reference: recipient["messageId"].as_str().map(str::to_owned),
            }),
            code if OF_NUMBER.contains(&code) => Err(Refused::NoSuchRecipient(said)),
            code if PASSING.contains(&code) => Err(Refused::Later(said, None)),
            _ => Err(Refused::Rejected(said)),
        }
    }
}
