//! Stand-ins for payment providers: each answers in the wire format that its provider documents, keeps books of what
//! moved, wants the right key, and can lose its answers after it did the work.

mod offline;
mod paypal;
mod paystack;
pub mod stripe;
pub mod toss;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::Stage;

pub use offline::Offline;
pub use paypal::PayPal;
pub use paystack::Paystack;
pub use stripe::Stripe;
pub use toss::Toss;

/// How a deal stands at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// The buyer has done nothing.
    Open,
    /// The buyer agreed; the merchant has to take the money.
    Agreed,
    /// The buyer is to pay into a bank account.
    Waiting,
    /// The money moved.
    Paid,
    /// It was declined.
    Declined,
}

/// A payment in the books of a provider.
#[derive(Clone, Debug)]
pub struct Deal {
    /// The provider's name of it.
    pub id: String,
    /// What we call it, as it was said.
    pub ours: String,
    /// In units of the provider.
    pub amount: i64,
    pub currency: String,
    pub stand: Stand,
    pub returned: Vec<Returned>,
}

/// Money that went back.
#[derive(Clone, Debug)]
pub struct Returned {
    pub id: String,
    /// What we called it, if we did.
    pub note: Option<String>,
    pub amount: i64,
}

/// What a provider remembers.
#[derive(Default)]
pub struct Inner {
    pub deals: Vec<Deal>,
    /// Answers by idempotency key.
    pub answers: HashMap<String, (u16, Value)>,
    counter: u64,
}

impl Inner {
    pub fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The newest deal of ours.
    pub fn deal(&mut self, ours: &str) -> Option<&mut Deal> {
        let mut deals = self.deals.iter_mut().rev();
        deals.find(|deal| deal.ours.starts_with(ours))
    }

    /// The deal that the provider calls so.
    pub fn named(&mut self, id: &str) -> Option<&mut Deal> {
        self.deals.iter_mut().find(|deal| deal.id == id)
    }
}

/// The books of a stand-in, and how many of its answers are to be lost.
#[derive(Clone, Default)]
pub struct Books {
    inner: Arc<Mutex<Inner>>,
    losing: Arc<AtomicUsize>,
    down: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Books {
    pub fn open(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// So many of the next answers never come, though the work is done.
    pub fn lose(&self, answers: usize) {
        self.losing.store(answers, Ordering::SeqCst);
    }

    /// Whether it answers nothing but that it cannot.
    pub fn down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// How often it was asked anything.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Does a thing once for each key.
    pub fn once(&self, key: &str, act: impl FnOnce(&mut Inner) -> (u16, Value)) -> (u16, Value) {
        let mut inner = self.open();
        if let Some(known) = inner.answers.get(key) {
            return known.clone();
        }
        let answer = act(&mut inner);
        inner.answers.insert(key.to_owned(), answer.clone());
        answer
    }

    /// What the merchant has, in units of the provider.
    pub fn held(&self) -> i64 {
        let inner = self.open();
        let paid = inner.deals.iter().filter(|deal| deal.stand == Stand::Paid);
        paid.map(|deal| deal.amount - deal.returned.iter().map(|back| back.amount).sum::<i64>())
            .sum()
    }
}

/// Answers to what changes something get lost, not those to questions.
async fn perhaps(State(books): State<Books>, request: Request, next: Next) -> Response {
    books.asked.fetch_add(1, Ordering::SeqCst);
    if books.down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let path = request.uri().path();
    let asks = request.method() == "GET" || path.contains("oauth2") || path.contains("verify-");
    let answer = next.run(request).await;
    if asks {
        return answer;
    }
    let lost = books
        .losing
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
    match lost {
        Ok(_) => std::future::pending().await,
        Err(_) => answer,
    }
}

/// Serves the routes; the address.
pub async fn serve(books: &Books, routes: Router<Books>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = routes
        .layer(middleware::from_fn_with_state(books.clone(), perhaps))
        .with_state(books.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// An answer of a stand-in.
pub fn answer((status, body): (u16, Value)) -> Response {
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

/// What a webhook tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Paid,
    Declined,
    Returned,
    Disputed,
}

/// A webhook as it is sent.
#[derive(Clone, Debug)]
pub struct Hook {
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// How a provider is tried.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    pub currency: &'static str,
    /// Of one place, in minor units.
    pub price: i64,
    /// Units of the provider in one minor unit.
    pub units: i64,
    /// What the merchant has to do after the buyer agreed is done when the buyer comes back, not before.
    pub needs_return: bool,
    /// Whether a call is made when a payment is started.
    pub hears: bool,
    /// Whether it sends webhooks.
    pub tells: bool,
    /// What becomes of our payment when the buyer is declined: it waits on, or has failed.
    pub declined: &'static str,
}

/// A provider in tests.
#[async_trait]
pub trait Peer: Send + Sync {
    fn kind(&self) -> Kind;

    fn books(&self) -> &Books;

    /// Where it listens; empty where nobody is called.
    async fn serve(&self) -> String;

    /// The account's keys; wrong ones for whoever asks.
    fn credentials(&self, wrong: bool) -> Value;

    /// The buyer pays on the page at that address, or is declined.
    async fn pay(&self, stage: &Stage, payment: &Value, key: &str, declined: bool);

    /// What the buyer's browser brings back.
    fn brings(&self, key: &str) -> String;

    /// The webhook of that payment. `forged` is what somebody else would send, or what was changed on the way.
    fn hook(&self, key: &str, told: Told, forged: bool) -> Hook;

    /// The merchant gives money back in the provider's own pages.
    fn give_back(&self, key: &str, amount: i64) {
        let mut inner = self.books().open();
        let number = inner.next();
        let deal = inner.deal(key).expect("a deal");
        deal.returned.push(Returned {
            id: format!("{number}"),
            note: None,
            amount,
        });
    }
}

/// Keys of an account as the API takes them.
pub fn keys(pairs: &[(&str, &str)]) -> Value {
    pairs
        .iter()
        .map(|(name, value)| json!({ "credential": name, "value": value }))
        .collect()
}

/// A page's settings for its scripts.
pub async fn settings(stage: &Stage, payment: &Value) -> Value {
    let url = payment["checkoutUrl"].as_str().expect("a page");
    let page = stage.app.http().get(url).send().await.expect("a page");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'nonce-"));
    let page = page.text().await.expect("text");
    let (_, rest) = page.split_once("id=\"settings\">").expect("settings");
    let (text, _) = rest.split_once("</script>").expect("an end");
    serde_json::from_str(text).expect("JSON")
}

/// Whether the request carries that key as its bearer.
pub fn bears(headers: &axum::http::HeaderMap, key: &str) -> bool {
    headers
        .get("authorization")
        .is_some_and(|value| value == format!("Bearer {key}").as_str())
}

pub fn header<'a>(headers: &'a axum::http::HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
