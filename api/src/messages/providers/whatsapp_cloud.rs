//! WhatsApp, by the Cloud API: texts. Outside of a conversation that the recipient began less than a day ago WhatsApp takes
//! texts that it has approved only; such are not supported yet, and it says so itself.

use async_trait::async_trait;
use reqwest::Client;
use serde_json::json;

use super::{Account, Capabilities, Outgoing, Provider, Receipt, Refused, http};

/// The version of the Graph API that is spoken.
const VERSION: &str = "v23.0";
/// The code that says something about the number: it cannot be delivered to. (131030, not on the list of an app in
/// development, and 133010, a number that is not registered, say something about our account.)
const OF_NUMBER: [i64; 1] = [131_026];
/// Too much of it, or WhatsApp is in trouble.
const PASSING: [i64; 7] = [2, 4, 80_007, 130_429, 131_016, 131_048, 131_056];

pub(super) struct WhatsappCloud {
    pub client: Client,
    pub base: String,
    pub account: Account,
}

#[async_trait]
impl Provider for WhatsappCloud {
    fn name(&self) -> &'static str {
        "whatsapp_cloud"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channel: "whatsapp",
            rich: false,
            longest_text: 4096,
        }
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, Refused> {
        let body = json!({
            "messaging_product": "whatsapp", "recipient_type": "individual",
            "to": message.to.trim_start_matches('+'), "type": "text",
            "text": { "preview_url": false, "body": message.text },
        });
        let request = self
            .client
            .post(format!(
                "{}/{VERSION}/{}/messages",
                self.base, self.account.name
            ))
            .bearer_auth(&self.account.secret)
            .json(&body);
        let code_of = |body: &serde_json::Value| body["error"]["code"].as_i64().unwrap_or(0);
        let passing = std::sync::atomic::AtomicBool::new(false);
        let answer = http::send(request, |body| {
            let code = code_of(body);
            passing.store(
                PASSING.contains(&code),
                std::sync::atomic::Ordering::Relaxed,
            );
            let said = body["error"]["message"].as_str().unwrap_or("").to_owned();
            (said, OF_NUMBER.contains(&code))
        })
        .await;
        match answer {
            Ok(answer) => Ok(Receipt {
                reference: answer.body["messages"][0]["id"].as_str().map(str::to_owned),
            }),
            Err(Refused::Rejected(said)) if passing.into_inner() => Err(Refused::Later(said, None)),
            Err(refused) => Err(refused),
        }
    }
}
