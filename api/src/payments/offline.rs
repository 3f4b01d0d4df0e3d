//! Bank transfer, cash and what else no provider tells of. Buyers are told how to pay and until when; their places are kept
//! as long. Members say what came in (`markPaymentReceived`) and what they sent back (`markRefundSent`).

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, Days, Utc};

use super::{
    Absent, Account, CallFailed, Capabilities, Credential, Fact, Forged, Heard, Mode, NewRefund,
    Opened, Order, PaymentFact, PaymentWord, Proof, Provider, RefundFact, RefundWord, amounts,
};
use crate::state::App;

/// The provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offline;

const CAPABILITIES: Capabilities = Capabilities {
    name: "offline",
    means: "bank transfer or cash, which members mark as received",
    credentials: &[
        Credential {
            least: 1,
            most: 2000,
            ..Credential::needed(
                "instructions",
                "what buyers read, such as the bank account; `{reference}` stands for what they are to quote",
            )
        },
        Credential {
            least: 1,
            most: 2,
            accepts: |text| text.parse().is_ok_and(|days: u64| (1..=90).contains(&days)),
            absent: Absent::Empty,
            ..Credential::needed("due_days", "days that they have, 1 to 90; 7 when left out")
        },
    ],
    mode: Mode::Live,
    urls: ("", ""),
    amounts: amounts::ISO,
    partial_refunds: true,
    pending: true,
    tries_again: false,
    proof: Proof::Silent,
};

/// Days that buyers have when the account says nothing else.
const DAYS: u64 = 7;

#[async_trait]
impl Provider for Offline {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn create(
        &self,
        app: &App,
        account: &Account,
        order: &Order,
    ) -> Result<Opened, CallFailed> {
        let days = account.credential("due_days").parse().unwrap_or(DAYS);
        let said = account.credential("instructions");
        let instructions = match said.contains("{reference}") {
            true => said.replace("{reference}", &order.description),
            false => format!("{said}\n{}", order.description),
        };
        Ok(Opened {
            provider_reference: order.id.to_string(),
            checkout_url: None,
            instructions: Some(instructions),
            due_at: app
                .clock
                .now()
                .checked_add_days(Days::new(days.clamp(1, 90))),
        })
    }

    async fn verify(
        &self,
        _app: &App,
        _account: &Account,
        _headers: &HeaderMap,
        _body: &[u8],
        _now: DateTime<Utc>,
    ) -> Result<Heard, Forged> {
        Err(Forged::Disowned)
    }

    async fn read(
        &self,
        _app: &App,
        _account: &Account,
        _body: &[u8],
    ) -> Result<Vec<Fact>, CallFailed> {
        Err(CallFailed::Refused("nobody sends events".to_owned()))
    }

    async fn fetch(
        &self,
        _app: &App,
        _account: &Account,
        order: &Order,
    ) -> Result<Option<PaymentFact>, CallFailed> {
        let Some(reference) = &order.provider_reference else {
            return Ok(None);
        };
        Ok(Some(PaymentFact {
            payment_id: Some(order.id),
            provider_reference: reference.clone(),
            status: match order.received_minor {
                Some(_) => PaymentWord::Succeeded,
                None => PaymentWord::Pending,
            },
            captured_minor: order.received_minor,
            currency: Some(order.currency.clone()),
            failure: None,
            checkout_url: None,
            waits: None,
        }))
    }

    async fn refund(
        &self,
        _app: &App,
        _account: &Account,
        refund: &NewRefund,
    ) -> Result<RefundFact, CallFailed> {
        Ok(on_its_way(refund))
    }

    async fn fetch_refund(
        &self,
        _app: &App,
        _account: &Account,
        refund: &NewRefund,
    ) -> Result<Option<RefundFact>, CallFailed> {
        // What a member marked as sent has ended, and nobody asks about it.
        Ok(Some(on_its_way(refund)))
    }
}

fn on_its_way(refund: &NewRefund) -> RefundFact {
    RefundFact {
        refund_id: Some(refund.id),
        payment_reference: refund.payment_reference.clone(),
        provider_reference: None,
        status: RefundWord::InTransit,
        amount_minor: refund.amount_minor,
        currency: refund.currency.clone(),
        failure: None,
    }
}
