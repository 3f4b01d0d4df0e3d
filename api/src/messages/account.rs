//! saveMessageAccount and deleteMessageAccount: an organization's own account at a provider. Its secret is sealed before it
//! leaves the process, for this organization and channel, and is never told again.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::reports;
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    vault::{Purpose, Vault, hex, unhex},
    verbs::{Call, Done, Handle},
};

/// The verb that makes or replaces.
pub(super) struct SaveMessageAccount;

/// What it takes.
#[derive(Debug, Deserialize)]
pub(super) struct Save {
    provider: String,
    name: String,
    sender: String,
    secret: String,
    #[serde(rename = "webhookKey")]
    webhook_key: Option<String>,
}

/// What goes through the provider.
fn channel(provider: &str) -> &'static str {
    match provider {
        "sendgrid" => "email",
        "whatsapp_cloud" => "whatsapp",
        _ => "sms",
    }
}

fn context(org_id: Uuid, channel: &str) -> String {
    format!("message account {org_id} {channel}")
}

/// The secret of an account, from what the database keeps (hexadecimal digits).
pub(super) fn open(
    vault: &Vault,
    org_id: Uuid,
    channel: &str,
    sealed: &str,
) -> Result<String, Fault> {
    let sealed =
        unhex(sealed).ok_or_else(|| Fault::Internal("a sealed secret that is none".to_owned()))?;
    let plain = vault
        .open(Purpose::ProviderKeys, &context(org_id, channel), &sealed)
        .map_err(Fault::internal)?;
    String::from_utf8(plain).map_err(Fault::internal)
}

/// The first field that cannot be meant: these stand in addresses and headers.
fn unfit(input: &Save) -> Option<Outcome> {
    let invalid = |message: &str, field: &str| Some(Outcome::refused("INVALID", message, &[field]));
    let odd = |text: &str, most: usize| {
        text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control)
    };
    let plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    if odd(&input.name, 200) || !plain(&input.name) {
        return invalid(
            "The account's name has 1 to 200 letters, digits and ._-",
            "name",
        );
    }
    if odd(&input.sender, 254)
        || (channel(&input.provider) == "email" && !input.sender.contains('@'))
    {
        return invalid("This is no sender: mail needs an address.", "sender");
    }
    if odd(&input.secret, 1000) || !input.secret.is_ascii() {
        return invalid("A secret has 1 to 1000 characters of ASCII.", "secret");
    }
    let key = input.webhook_key.as_deref();
    if key
        .is_some_and(|key| input.provider != "sendgrid" || reports::verification_key(key).is_none())
    {
        return invalid(
            "This is no verification key of SendGrid's Signed Event Webhook.",
            "webhookKey",
        );
    }
    None
}

#[async_trait]
impl Handle for SaveMessageAccount {
    type Input = Save;

    fn describe() -> Verb {
        let text = || InputType::Scalar(Scalar::String);
        Verb::new(
            "saveMessageAccount",
            "Makes or replaces the organization's own account at somebody who carries messages; one for each channel. Its \
             secret is kept encrypted and never shown. Nothing is sent: try it with `sendTestMessage`.",
        )
        .scope("organization:write")
        .takes(
            "provider",
            InputType::Scalar(Scalar::Enum("MessageProvider".to_owned())),
            "Who carries them.",
        )
        .takes(
            "name",
            text(),
            "By which name the provider knows the account: Twilio's account SID, the user of Africa's Talking, the id of a \
             phone number at WhatsApp; any for SendGrid. Up to 200 letters, digits and ._-",
        )
        .takes(
            "sender",
            text(),
            "What messages come from: an address that the provider has verified, a phone number, a sender's name.",
        )
        .takes("secret", text(), "The API key, the auth token, the access token.")
        .may_take(
            "webhookKey",
            text(),
            "The verification key of SendGrid's Signed Event Webhook, if that is to post to `webhookUrl`: then bounces and \
             complaints that come later move the log, and stop what would be sent to the address.",
        )
        .gives(
            "messageAccount",
            PayloadType::Entity("MessageAccount".to_owned()),
            "The account as it is now.",
        )
        .gives(
            "webhookUrl",
            PayloadType::Scalar(Scalar::String),
            "Where SendGrid's Event Webhook is to post to. Twilio is told with each message; null for others.",
        )
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Save) -> Result<Done, Fault> {
        if let Some(unfit) = unfit(&input) {
            return Ok(unfit.into());
        }
        let org_id = outcome::own_org(call)?;
        let channel = channel(&input.provider);
        let context = context(org_id, channel);
        let sealed = call
            .app
            .vault
            .seal(Purpose::ProviderKeys, &context, input.secret.as_bytes())
            .map_err(Fault::internal)?;
        let request = json!({
            "channel": channel, "provider": input.provider, "name": input.name, "sender": input.sender,
            "sealed": hex(&sealed), "webhook_key": input.webhook_key.as_deref().map(str::trim),
        });
        let answer = outcome::decide_own(call, "save_message_account", &request).await?;
        let account_id = outcome::key(&answer, "account_id")?;
        let public_url = &call.app.posture.public_url;
        let webhook_url = (input.provider == "sendgrid")
            .then(|| reports::url(public_url, "sendgrid", account_id));
        Ok(Outcome::new()
            .entity("messageAccount", account_id)
            .value("webhookUrl", webhook_url)
            .into())
    }
}

/// The verb that removes.
pub(super) struct DeleteMessageAccount;

/// What it takes.
#[derive(Debug, Deserialize)]
pub(super) struct Delete {
    id: Uuid,
}

const REFUSALS: Refusals = &[(
    "not_found",
    "NOT_FOUND",
    "there is no such account",
    &["id"],
)];

#[async_trait]
impl Handle for DeleteMessageAccount {
    type Input = Delete;

    fn describe() -> Verb {
        Verb::new(
            "deleteMessageAccount",
            "Removes an account with its secret. Mail goes through the mail server of the installation again; nothing goes \
             out by SMS and WhatsApp.",
        )
        .scope("organization:write")
        .takes(
            "id",
            InputType::Scalar(Scalar::Id("MessageAccount".to_owned())),
            "The account.",
        )
        .gives(
            "deletedId",
            PayloadType::Scalar(Scalar::Id("MessageAccount".to_owned())),
            "Its id.",
        )
        .fails("NOT_FOUND", "There is no such account.")
    }

    async fn run(call: Call<'_>, input: Delete) -> Result<Done, Fault> {
        let request = json!({ "account_id": input.id });
        let answer = outcome::decide_own(call, "delete_message_account", &request).await?;
        Ok(match outcome::word(&answer) {
            "deleted" => Outcome::new().value("deletedId", input.id.to_string()),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
