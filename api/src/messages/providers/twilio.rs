//! Twilio, by its API of 2010-04-01: SMS.

use async_trait::async_trait;
use reqwest::Client;

use super::{Account, Capabilities, Outgoing, Provider, Receipt, Refused, http};

/// Codes that say something about the number: not a number, one that answered STOP, not one that gets SMS, a landline. (That
/// there is no way from our number to it, 21612, says as much about ours.)
const OF_NUMBER: [i64; 4] = [21211, 21610, 21614, 21635];

pub(super) struct Twilio {
    pub client: Client,
    pub base: String,
    pub account: Account,
}

#[async_trait]
impl Provider for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channel: "sms",
            rich: false,
            longest_text: 1600,
        }
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, Refused> {
        let url = format!(
            "{}/2010-04-01/Accounts/{}/Messages.json",
            self.base, self.account.name
        );
        let mut form = vec![
            ("To", message.to.as_str()),
            ("From", self.account.sender.as_str()),
            ("Body", message.text.as_str()),
        ];
        if let Some(url) = &self.account.reports_to {
            form.push(("StatusCallback", url));
        }
        let request = self
            .client
            .post(url)
            .basic_auth(&self.account.name, Some(&self.account.secret))
            .form(&form);
        let answer = http::send(request, |body| {
            let said = body["message"].as_str().unwrap_or("").to_owned();
            let code = body["code"].as_i64().unwrap_or(0);
            (said, OF_NUMBER.contains(&code))
        })
        .await?;
        Ok(Receipt {
            reference: answer.body["sid"].as_str().map(str::to_owned),
        })
    }
}
