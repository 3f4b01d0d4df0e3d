//! Stripe: payment intents, refunds, disputes. Buyers pay on a page of ours with Stripe's own form in it, so card numbers
//! never come here. Requests are async-stripe's, and so is how they are sent; of answers and events we read the few fields that
//! we need, whatever else a version of the API adds or leaves out.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeError, StripeRequest};
use stripe_core::{
    payment_intent::{CreatePaymentIntent, RetrievePaymentIntent},
    refund::{CreateRefund, ListRefund},
};
use stripe_types::Currency;
use uuid::Uuid;

use super::{
    Account, Amounts, CallFailed, Capabilities, Credential, DisputeFact, DisputeWord, Fact, Forged,
    Heard, Mode, NewRefund, Opened, Order, Page, Paid, PaymentFact, PaymentWord, Proof, Provider,
    RefundFact, RefundWord,
    call::{self, text},
    page, signature,
};
use crate::state::App;

/// The provider, with a client for each key that was used lately: to make one reads all certificates anew. (Connections are not
/// kept: async-stripe wants it so.) Never printed.
pub(super) struct Stripe {
    clients: Cache<[u8; 32], Client>,
}

impl Default for Stripe {
    fn default() -> Self {
        Self {
            clients: Cache::builder()
                .max_capacity(1_000)
                .time_to_idle(Duration::from_secs(600))
                .build(),
        }
    }
}

/// The most refunds that a list gives at once.
const MOST: i64 = 100;

const CAPABILITIES: Capabilities = Capabilities {
    name: "stripe",
    means: "cards, wallets and what else is switched on in Stripe's dashboard",
    credentials: &[
        Credential::beginning(
            "secret_key",
            &["sk_test_", "sk_live_", "rk_test_", "rk_live_"],
            "the secret key, or a restricted one that may write payment intents, charges and refunds",
        ),
        Credential::beginning(
            "publishable_key",
            &["pk_test_", "pk_live_"],
            "the publishable key",
        ),
        Credential::beginning(
            "webhook_secret",
            &["whsec_"],
            "the signing secret of the webhook endpoint",
        )
        .later(),
    ],
    mode: Mode::ByKey("secret_key", &["sk_live_", "rk_live_"]),
    urls: ("https://api.stripe.com", "https://api.stripe.com"),
    // Stripe counts thousandths in tens, krónur in hundredths that are always 00, and ariary whole.
    amounts: Amounts {
        only: &[],
        never: &["UGX"],
        decimals: &[("ISK", 2), ("MGA", 0)],
        steps: &[
            ("ISK", 100),
            ("BHD", 10),
            ("JOD", 10),
            ("KWD", 10),
            ("OMR", 10),
            ("TND", 10),
        ],
    },
    partial_refunds: true,
    pending: true,
    tries_again: true,
    proof: Proof::Signature,
};

/// Starts Stripe's form. What goes wrong is said, and may be tried again.
const START: &str = r##"
const stripe = Stripe(settings.key);
const elements = stripe.elements({ clientSecret: settings.secret });
const form = elements.create("payment");
form.on("ready", () => { button.disabled = false; });
form.on("loaderror", (event) => { sorry(); if (event.error.message) said.textContent = event.error.message; });
form.mount(place);
document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  said.textContent = "";
  const { error } = await stripe.confirmPayment({ elements, confirmParams: { return_url: settings.back } });
  if (error) said.textContent = error.message;
  button.disabled = false;
});
"##;

impl Stripe {
    fn client(&self, app: &App, account: &Account) -> Result<Client, CallFailed> {
        let url = format!("{}/", call::base(app, &CAPABILITIES, account));
        let secret = account.credential("secret_key");
        let key: [u8; 32] = Sha256::digest(format!("{}\n{url}\n{secret}", account.id)).into();
        if let Some(client) = self.clients.get(&key) {
            return Ok(client);
        }
        let client = ClientBuilder::new(secret)
            .url(url)
            .timeout(app.payments.call_limit / 2)
            .request_strategy(RequestStrategy::Once)
            .build()
            // Of a key that no header can hold.
            .map_err(|_| CallFailed::Misconfigured("invalid_key".to_owned()))?;
        self.clients.insert(key, client.clone());
        Ok(client)
    }

    /// Sends a request, again where nobody knows: each reads, or carries a key by which it is done once however often it is
    /// sent. `None` when there is no such thing.
    async fn ask(
        &self,
        app: &App,
        account: &Account,
        request: &impl StripeRequest,
        key: Option<Uuid>,
    ) -> Result<Option<Json>, CallFailed> {
        let client = self.client(app, account)?;
        let strategy = match key.map(|key| IdempotencyKey::new(key.to_string())) {
            Some(Ok(key)) => RequestStrategy::Idempotent(key),
            _ => RequestStrategy::Once,
        };
        let mut tried = 0;
        loop {
            tried += 1;
            let asked = request
                .build()
                .customize::<miniserde::json::Value>()
                .request_strategy(strategy.clone());
            let failed = match asked.send(&client).await {
                Ok(answer) => {
                    let text = miniserde::json::to_string(&answer);
                    let read = serde_json::from_str(&text).map_err(|_| odd("answer"))?;
                    return Ok(Some(read));
                }
                Err(StripeError::Stripe(_, 404)) => return Ok(None),
                Err(error) => failure(&error),
            };
            if tried == call::TRIES || !matches!(failed, CallFailed::Unknown(_)) {
                return Err(failed);
            }
            call::pause(tried).await;
        }
    }

    /// Makes something under that key.
    async fn make(
        &self,
        app: &App,
        account: &Account,
        request: &impl StripeRequest,
        key: Uuid,
    ) -> Result<Json, CallFailed> {
        let made = self.ask(app, account, request, Some(key)).await?;
        made.ok_or_else(|| CallFailed::Refused("resource_missing".to_owned()))
    }

    async fn intent(
        &self,
        app: &App,
        account: &Account,
        reference: &str,
    ) -> Result<Option<Json>, CallFailed> {
        self.ask(app, account, &RetrievePaymentIntent::new(reference), None)
            .await
    }

    /// All refunds of a payment intent.
    async fn refunds_of(
        &self,
        app: &App,
        account: &Account,
        intent: &str,
    ) -> Result<Vec<RefundFact>, CallFailed> {
        let request = ListRefund::new().payment_intent(intent).limit(MOST);
        let listed = self.ask(app, account, &request, None).await?;
        let listed = listed.unwrap_or_default();
        let listed = listed["data"].as_array().ok_or_else(|| odd("list"))?;
        let facts: Result<Vec<_>, _> = listed.iter().map(refund).collect();
        Ok(facts?.into_iter().flatten().collect())
    }
}

/// What an error says of what was done.
fn failure(error: &StripeError) -> CallFailed {
    match error {
        StripeError::Stripe(told, status) => {
            let code = told.code.as_ref().map(|code| code.as_str());
            let word = code.unwrap_or(told.type_.as_str()).to_owned();
            match *status {
                // Not let in, or a restricted key without this permission.
                401 | 403 => CallFailed::Misconfigured(word),
                status if call::is_undecided(status) => {
                    CallFailed::Unknown(format!("Stripe answered with {status}"))
                }
                _ => CallFailed::Refused(word),
            }
        }
        StripeError::ConfigError(_) => CallFailed::Misconfigured("invalid_key".to_owned()),
        StripeError::Timeout | StripeError::ClientError(_) | StripeError::JSONDeserialize(_) => {
            tracing::warn!(%error, "Stripe gave no answer");
            CallFailed::Unknown("Stripe could not be asked".to_owned())
        }
    }
}

/// One of our keys, which Stripe carries.
fn ours(object: &Json, name: &str) -> Option<Uuid> {
    object["metadata"][name].as_str()?.parse().ok()
}

/// Minor units and currency of an object.
fn money(object: &Json, field: &str) -> Option<(i64, String)> {
    let currency = object["currency"].as_str()?.to_uppercase();
    let minor = CAPABILITIES
        .amounts
        .minor(object[field].as_i64()?, &currency)?;
    Some((minor, currency))
}

fn odd(what: &str) -> CallFailed {
    CallFailed::Unknown(format!("Stripe's {what} cannot be read"))
}

fn payment(intent: &Json) -> Result<PaymentFact, CallFailed> {
    let status = match intent["status"].as_str() {
        Some("succeeded") => PaymentWord::Succeeded,
        Some("canceled") => PaymentWord::Cancelled,
        Some(_) => PaymentWord::Pending,
        None => return Err(odd("payment intent")),
    };
    let succeeded = status == PaymentWord::Succeeded;
    // What was received is said beside what was asked for.
    let field = match intent["amount_received"].is_i64() {
        true => "amount_received",
        false => "amount",
    };
    let (captured, currency) = money(intent, field).ok_or_else(|| odd("amount"))?;
    let error = &intent["last_payment_error"];
    let failure = error["decline_code"].as_str().or(error["code"].as_str());
    Ok(PaymentFact {
        payment_id: ours(intent, "payment_id"),
        provider_reference: text(intent, "/id")?.to_owned(),
        status,
        captured_minor: succeeded.then_some(captured),
        currency: Some(currency),
        failure: failure.filter(|_| !succeeded).map(str::to_owned),
        checkout_url: None,
        waits: None,
    })
}

/// A refund; `None` when it is of a charge that no payment intent made.
fn refund(object: &Json) -> Result<Option<RefundFact>, CallFailed> {
    let Some(intent) = object["payment_intent"].as_str() else {
        return Ok(None);
    };
    let (amount_minor, currency) = money(object, "amount").ok_or_else(|| odd("refund"))?;
    Ok(Some(RefundFact {
        refund_id: ours(object, "refund_id"),
        payment_reference: intent.to_owned(),
        provider_reference: Some(text(object, "/id")?.to_owned()),
        status: match object["status"].as_str() {
            Some("succeeded") => RefundWord::Done,
            Some("failed" | "canceled") => RefundWord::Failed,
            _ => RefundWord::InTransit,
        },
        amount_minor,
        currency,
        failure: object["failure_reason"].as_str().map(str::to_owned),
    }))
}

fn dispute(object: &Json) -> Result<Option<DisputeFact>, CallFailed> {
    let Some(intent) = object["payment_intent"].as_str() else {
        return Ok(None);
    };
    let (amount_minor, currency) = money(object, "amount").ok_or_else(|| odd("dispute"))?;
    // What was taken, and given back: in the account's own currency, which may be another.
    let moved = object["balance_transactions"].as_array();
    let sum = |name: &str| -> Option<i64> {
        let amounts = moved?.iter().filter_map(|one| one[name].as_i64());
        Some(amounts.sum())
    };
    let same = moved.is_some_and(|moved| {
        let ours = |one: &Json| one["currency"].as_str() == object["currency"].as_str();
        moved.iter().all(ours)
    });
    let fee = sum("fee").filter(|fee| same && *fee > 0);
    Ok(Some(DisputeFact {
        payment_id: None,
        payment_reference: intent.to_owned(),
        provider_reference: text(object, "/id")?.to_owned(),
        status: match object["status"].as_str() {
            // An inquiry that ends takes no money.
            Some("won" | "warning_closed" | "prevented") => DisputeWord::Won,
            Some("lost") => DisputeWord::Lost,
            _ => DisputeWord::Open,
        },
        withdrawn: sum("amount").map(|amount| amount < 0),
        fee_minor: fee.and_then(|fee| CAPABILITIES.amounts.minor(fee, &currency)),
        amount_minor,
        currency,
        reason: object["reason"].as_str().map(str::to_owned),
    }))
}

#[async_trait]
impl Provider for Stripe {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn create(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Opened, CallFailed> {
        let amount = CAPABILITIES
            .amounts
            .units(order.amount_minor, &order.currency)?;
        let currency: Currency = match order.currency.to_lowercase().parse() {
            Ok(currency) => currency,
            Err(never) => match never {},
        };
        let request = CreatePaymentIntent::new(amount, currency).metadata(HashMap::from([
            ("payment_id".to_owned(), order.id.to_string()),
            ("registration".to_owned(), order.description.clone()),
        ]));
        let made = self.make(app, account, &request, order.id).await?;
        Ok(Opened {
            provider_reference: text(&made, "/id")?.to_owned(),
            checkout_url: Some(page::pay_url(app, order.id)),
            ..Opened::default()
        })
    }

    async fn page(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Option<Page>, CallFailed> {
        let Some(reference) = &order.provider_reference else {
            return Ok(None);
        };
        let Some(intent) = self.intent(app, account, reference).await? else {
            return Ok(None);
        };
        let open = intent["status"]
            .as_str()
            .is_some_and(|status| status.starts_with("requires_"));
        Ok(open.then(|| Page {
            by: "Stripe",
            global: "Stripe",
            script: "https://js.stripe.com/v3/",
            hosts: "https://*.stripe.com https://*.js.stripe.com",
            start: START,
            settings: json!({
                "key": account.credential("publishable_key"), "secret": intent["client_secret"],
                "back": page::back_url(app, order.id),
            }),
        }))
    }

    async fn verify(
        &self,
        _app: &App,
        account: &Account,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Heard, Forged> {
        let secret = account.credential("webhook_secret");
        signature::verify("stripe-signature", secret, headers, body, now)?;
        let event: Json = serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?;
        let key = event["id"].as_str().ok_or(Forged::Unreadable)?;
        match (1..=200).contains(&key.len()) {
            true => Ok(Heard {
                event_key: Some(key.to_owned()),
            }),
            false => Err(Forged::Unreadable),
        }
    }

    async fn read(
        &self,
        app: &App,
        account: &Account,
        body: &[u8],
    ) -> Result<Vec<Fact>, CallFailed> {
        let event: Json =
            serde_json::from_slice(body).map_err(|error| CallFailed::Refused(error.to_string()))?;
        let kind = event["type"].as_str().unwrap_or_default();
        let object = &event["data"]["object"];
        let facts = match kind {
            // Of payment intents that somebody else made in the same account we keep nothing.
            "payment_intent.succeeded"
            | "payment_intent.payment_failed"
            | "payment_intent.processing"
            | "payment_intent.canceled"
                if ours(object, "payment_id").is_some() =>
            {
                vec![Fact::Payment(payment(object)?)]
            }
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
                refund(object)?.map(Fact::Refund).into_iter().collect()
            }
            // Endpoints of older versions are told of the charge only.
            "charge.refunded" => match object["payment_intent"].as_str() {
                Some(intent) => {
                    let refunds = self.refunds_of(app, account, intent).await?;
                    refunds.into_iter().map(Fact::Refund).collect()
                }
                None => vec![],
            },
            kind if kind.starts_with("charge.dispute.") => {
                dispute(object)?.map(Fact::Dispute).into_iter().collect()
            }
            _ => vec![],
        };
        Ok(Fact::or_nothing(facts, kind))
    }

    async fn fetch(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Option<PaymentFact>, CallFailed> {
        // Whose name nobody was told of, nobody can have paid.
        let Some(reference) = &order.provider_reference else {
            return Ok(None);
        };
        let found = self.intent(app, account, reference).await?;
        found.as_ref().map(payment).transpose()
    }

    async fn refund(
        &self,
        app: &App,
        account: &Account,
        new: &NewRefund,
    ) -> Result<RefundFact, CallFailed> {
        let amount = CAPABILITIES
            .amounts
            .units(new.amount_minor, &new.currency)?;
        let request = CreateRefund::new()
            .payment_intent(&new.payment_reference)
            .amount(amount)
            .metadata(HashMap::from([(
                "refund_id".to_owned(),
                new.id.to_string(),
            )]));
        let made = self.make(app, account, &request, new.id).await?;
        refund(&made)?.ok_or_else(|| odd("refund"))
    }

    async fn refunds(
        &self,
        app: &App,
        account: &Account,
        paid: Paid<'_>,
    ) -> Result<Option<Vec<RefundFact>>, CallFailed> {
        let found = self.refunds_of(app, account, paid.reference).await?;
        Ok(Some(found))
    }
}
