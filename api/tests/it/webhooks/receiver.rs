//! A receiver of webhooks as integrators run them: a server of its own on a free port, which answers as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::{net::TcpListener, sync::Notify};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether the package of Standard Webhooks takes it for genuine.
    pub fn is_genuine(&self, secret: &str) -> bool {
        // The package takes headers of the crate that axum has them from.
        let webhook = Webhook::new(secret).unwrap();
        webhook.verify(&self.body, &self.headers).is_ok()
    }
}

#[derive(Default)]
struct Desk {
    received: Mutex<Vec<Received>>,
    answers: Mutex<VecDeque<Answer>>,
    news: Notify,
}

/// How one request is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    Status(u16),
    Redirect(String),
    /// Not at all, for so long.
    Silence(Duration),
    /// Much more than anybody wants.
    Flood,
    /// The connection is closed instead.
    Cut,
}

/// The server.
pub struct Receiver {
    /// Where deliveries go.
    pub url: String,
    desk: Arc<Desk>,
}

impl Receiver {
    /// One that answers 204.
    pub async fn start() -> Self {
        Self::answering([]).await
    }

    /// One that answers like this, one after another, and 204 then.
    pub async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let desk = Arc::new(Desk::default());
        desk.answers.lock().unwrap().extend(answers);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/hooks?from=events",
            listener.local_addr().unwrap()
        );
        let router = Router::new().fallback(receive).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, desk }
    }

    /// What came so far.
    pub fn so_far(&self) -> Vec<Received> {
        self.desk.received.lock().unwrap().clone()
    }

    /// The requests, once there are so many.
    pub async fn received(&self, many: usize) -> Vec<Received> {
        let waiting = async {
            loop {
                let news = self.desk.news.notified();
                let received = self.so_far();
                if received.len() >= many {
                    return received;
                }
                news.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting)
            .await
            .unwrap_or_else(|_| {
                panic!(
                    "{} of {many} came: {:#?}",
                    self.so_far().len(),
                    self.so_far()
                )
            })
    }
}

async fn receive(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    desk.received
        .lock()
        .unwrap()
        .push(Received { headers, body });
    desk.news.notify_one();
    let answer = desk.answers.lock().unwrap().pop_front();
    match answer {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Answer::Status(status)) => {
            (StatusCode::from_u16(status).unwrap(), "as I was told").into_response()
        }
        Some(Answer::Redirect(to)) => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response()
        }
        Some(Answer::Silence(time)) => {
            tokio::time::sleep(time).await;
            StatusCode::NO_CONTENT.into_response()
        }
        // The server drops the connection of a handler that panics; nothing of it was answered.
        Some(Answer::Cut) => std::panic::resume_unwind(Box::new("cut")),
        Some(Answer::Flood) => "x".repeat(4_000_000).into_response(),
    }
}
