//! SendGrid, by its API v3: mail.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Client;
use serde_json::{Value as Json, json};

use super::{Account, Capabilities, Outgoing, Provider, Receipt, Refused, http};
use crate::messages::email;

pub(super) struct SendGrid {
    pub client: Client,
    pub base: String,
    pub account: Account,
}

#[async_trait]
impl Provider for SendGrid {
    fn name(&self) -> &'static str {
        "sendgrid"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channel: "email",
            rich: true,
            longest_text: usize::MAX,
        }
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, Refused> {
        let request = self
            .client
            .post(format!("{}/v3/mail/send", self.base))
            .bearer_auth(&self.account.secret)
            .json(&self.body(message));
        let answer = http::send(request, |body| {
            let error = &body["errors"][0];
            let said = error["message"].as_str().unwrap_or("").to_owned();
            let field = error["field"].as_str().unwrap_or("");
            (
                said,
                field.starts_with("personalizations") && field.ends_with("email"),
            )
        })
        .await?;
        Ok(Receipt {
            reference: answer.message_id,
        })
    }
}

impl SendGrid {
    fn body(&self, message: &Outgoing) -> Json {
        let mut content = vec![json!({ "type": "text/plain", "value": message.text })];
        if let Some(html) = &message.html {
            content.push(json!({ "type": "text/html", "value": html }));
        }
        let to = email::ascii_domain(&message.to).unwrap_or_else(|| message.to.clone());
        let mut body = json!({
            "personalizations": [{ "to": [{ "email": to }], "custom_args": { "message_id": message.id } }],
            "from": { "email": self.account.sender, "name": message.from_name },
            "subject": message.subject,
            "content": content,
        });
        if let Some(reply_to) = &message.reply_to {
            body["reply_to"] = json!({ "email": reply_to });
        }
        if let Some(url) = &message.unsubscribe_url {
            body["headers"] = json!({
                "List-Unsubscribe": format!("<{url}>"), "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            });
        }
        if let Some(calendar) = &message.calendar {
            body["attachments"] = json!([{
                "content": STANDARD.encode(calendar), "type": "text/calendar", "filename": "event.ics",
                "disposition": "attachment",
            }]);
        }
        body
    }
}
