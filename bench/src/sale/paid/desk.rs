//! The requests of somebody who pays: `createPayment`, and the button on the sandbox's page.

use std::{cell::Cell, net::SocketAddr};

use serde_json::{Value, json};

use crate::{Failure, graphql::member, http, places};

/// Makes requests with keys that were never used.
pub struct Desk {
    document: String,
    run: u128,
    payments: Cell<u64>,
}

/// A payment that waits for its buyer.
pub struct Started {
    /// Its global id.
    pub payment: String,
    /// Path of the page on which it is paid.
    pub page: String,
}

impl Desk {
    pub fn new() -> Result<Self, Failure> {
        Ok(Self {
            document: places::read("sale/pay.graphql")?,
            run: std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)?
                .as_nanos(),
            payments: Cell::new(0),
        })
    }

    /// Starts to pay what a registration costs.
    pub fn start(&self, registration: &str, secret: &str) -> Vec<u8> {
        let number = self.payments.get();
        self.payments.set(number + 1);
        let input = json!({
            "registrationId": registration,
            "idempotencyKey": format!("{}-pay-{number}", self.run),
        });
        let body = json!({ "query": self.document, "variables": { "input": input } }).to_string();
        http::post_as_guest("/graphql", secret, &body)
    }
}

/// An account at the sandbox, for the organization of that token.
pub async fn open_account(address: SocketAddr, token: &str) -> Result<(), Failure> {
    let input = json!({ "provider": "sandbox", "name": "Test money" });
    member::does(address, Some(token), "createPaymentAccount", "", input).await?;
    Ok(())
}

/// Whether confirming left nothing but to pay.
pub fn waits_for_money(status: u16, body: &[u8]) -> Result<(), Failure> {
    let answer: Value = serde_json::from_slice(body)?;
    match answer["data"]["confirmRegistration"]["registration"]["status"].as_str() {
        Some("PENDING_PAYMENT") => Ok(()),
        _ => Err(format!("confirmRegistration: status {status}: {answer}").into()),
    }
}

/// What the answer to [`Desk::start`] says.
pub fn started(status: u16, body: &[u8]) -> Result<Started, Failure> {
    let answer: Value = serde_json::from_slice(body)?;
    let payment = &answer["data"]["createPayment"]["payment"];
    let page = payment["checkoutUrl"]
        .as_str()
        .and_then(|url| url.splitn(4, '/').nth(3));
    match (payment["id"].as_str(), page, payment["status"].as_str()) {
        (Some(id), Some(page), Some("PENDING")) => Ok(Started {
            payment: id.to_owned(),
            page: format!("/{page}"),
        }),
        _ => Err(format!("createPayment: status {status}: {answer}").into()),
    }
}

/// The button "Pay" of that page.
pub fn pay(page: &str) -> Vec<u8> {
    let body = "outcome=succeed";
    format!(
        "POST {page} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Whether the page says that it is paid.
pub fn paid(status: u16, body: &[u8]) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(body);
    match status == 200 && text.contains("data-status=\"succeeded\"") {
        true => Ok(()),
        false => Err(format!("the sandbox's page: status {status}: {text}").into()),
    }
}
