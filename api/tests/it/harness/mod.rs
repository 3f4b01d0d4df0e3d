//! What tests stand on: a server over a fresh database, callers with and without tokens, and the mailbox.

mod copies;
mod database;
#[path = "../../common/dropped.rs"]
mod dropped;
mod people;
mod redis;
mod wire;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use eventsphere::{
    app::Context,
    assemble,
    clock::Clock,
    config::{Config, Settings},
    state::{App, Parts},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use database::Database;
pub use people::{EventSetup, Organizer, PASSWORD};
pub use redis::Redis;
pub use wire::{Asked, Wire};

/// A running server with its database.
pub struct TestApp {
    /// `http://127.0.0.1:port`
    pub url: String,
    /// The program inside.
    pub app: App,
    /// Its database.
    pub database: Database,
    client: reqwest::Client,
    stopping: CancellationToken,
}

impl TestApp {
    /// A server over a fresh database.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same, with further settings (as environment variables).
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let database = Database::fresh().await;
        Self::over(database, settings).await
    }

    /// A server over this database.
    pub async fn over(database: Database, settings: &[(&str, &str)]) -> Self {
        Self::over_changed(database, settings, |_| {}).await
    }

    /// The same, with a part of the program exchanged before it serves.
    pub async fn over_changed(
        database: Database,
        settings: &[(&str, &str)],
        change: impl FnOnce(&mut Parts),
    ) -> Self {
        install_crypto();
        log_to_test();
        let mut values = vec![
            ("DATABASE_URL".to_owned(), database.app_url.clone()),
            ("DATABASE_POOL_SIZE".to_owned(), "8".to_owned()),
            ("SECRET_KEY".to_owned(), "07".repeat(32)),
        ];
        values.extend(
            settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let settings: Settings = values.into_iter().collect();
        let config = Config::read(&settings, false).expect("configuration");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stopping = CancellationToken::new();
        let context = Context {
            secret: config.secret.load().expect("a secret"),
            public_url: config
                .http
                .public_url
                .clone()
                .unwrap_or_else(|| url.clone()),
            app: database.app_address(),
            admin: None,
            ready: CancellationToken::new(),
            stopping: stopping.clone(),
            drained: CancellationToken::new(),
            last_tasks: TaskTracker::new(),
            workers: TaskTracker::new(),
            config,
        };
        let app = assemble::app(&context, Clock::default())
            .await
            .expect("the program");
        let app = app.with(|parts| {
            parts.posture.development = true;
            change(parts);
        });
        let router =
            assemble::routes(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let stop = stopping.clone();
        tokio::spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(stop.cancelled_owned())
                .await
        });
        Self {
            url,
            app,
            database,
            client: client(),
            stopping,
        }
    }

    /// A server over this database on a thread of its own, for many tests: the runtime of a test ends with it. Each test
    /// takes it [`Self::again`].
    pub async fn apart(database: Database, settings: Vec<(&'static str, &'static str)>) -> Self {
        let (send, made) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let app = Self::over(database, &settings).await;
                let stopping = app.stopping.clone();
                drop(send.send(app));
                stopping.cancelled().await;
            });
        });
        made.await.expect("a server")
    }

    /// The same server for a further test, which does not end it.
    pub fn again(&self) -> Self {
        Self {
            url: self.url.clone(),
            app: self.app.clone(),
            database: self.database.again(),
            client: client(),
            stopping: CancellationToken::new(),
        }
    }

    /// The bare HTTP client, for requests that are no ordinary GraphQL.
    pub fn http(&self) -> &reqwest::Client {
        &self.client
    }

    /// Nobody in particular.
    pub fn visitor(&self) -> Caller {
        Caller {
            url: self.url.clone(),
            client: self.client.clone(),
            token: None,
            guest: None,
        }
    }

    /// Whoever holds this token.
    pub fn with_token(&self, token: &str) -> Caller {
        Caller {
            token: Some(token.to_owned()),
            ..self.visitor()
        }
    }

    /// The newest code mailed to that address.
    pub async fn mailed_code(&self, to: &str) -> String {
        let url = format!("{}/dev/mailbox.json?to={to}", self.url);
        let answer: Value = self
            .client
            .get(url)
            .send()
            .await
            .expect("the mailbox")
            .json()
            .await
            .expect("JSON");
        let body = answer["messages"][0]["body"].as_str().expect("a letter");
        body.lines()
            .map(str::trim)
            .find(|line| line.starts_with("es") && line.contains('_') && !line.contains(' '))
            .expect("a code on a line of its own")
            .to_owned()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

/// Connections of a client end with the runtime of its test.
fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(60))
        .build()
        .expect("a client")
}

/// What the program logs is shown beside a test that fails.
fn log_to_test() {
    let _ = tracing_subscriber::fmt()
        .with_env_filter("warn")
        .with_test_writer()
        .try_init();
}

fn install_crypto() {
    // The second of two threads finds it installed; that is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Somebody who sends GraphQL.
#[derive(Clone)]
pub struct Caller {
    url: String,
    client: reqwest::Client,
    token: Option<String>,
    guest: Option<String>,
}

impl Caller {
    /// The same, with a guest secret.
    pub fn with_guest(&self, secret: &str) -> Self {
        Self {
            guest: Some(secret.to_owned()),
            ..self.clone()
        }
    }

    /// A request to that address, as this caller.
    pub fn posts_to(&self, url: &str) -> reqwest::RequestBuilder {
        let mut request = self.client.post(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(guest) = &self.guest {
            request = request.header("x-guest-secret", guest);
        }
        request
    }

    /// Sends an operation; the whole response, whatever it says.
    pub async fn send(&self, query: &str, variables: Value) -> Value {
        let request = self
            .posts_to(&format!("{}/graphql", self.url))
            .header("accept", "application/graphql-response+json")
            .json(&json!({ "query": query, "variables": variables }));
        let response = request.send().await.expect("an answer");
        response.json().await.expect("JSON")
    }

    /// Sends an operation that must not fail; its data.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.send(query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}\n{answer:#}");
        answer["data"].take()
    }

    /// Sends one mutation whose payload must have no user errors; the payload.
    pub async fn does(&self, mutation: &str, selection: &str, input: Value) -> Value {
        let payload = self.tries(mutation, selection, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload:#}");
        payload
    }

    /// Sends one mutation; the payload with its user errors.
    pub async fn tries(&self, mutation: &str, selection: &str, input: Value) -> Value {
        let mut input_type = mutation.to_owned();
        input_type[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {input_type}Input!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code message field }} }} }}"
        );
        let mut data = self.ask(&query, json!({ "input": input })).await;
        data[mutation].take()
    }

    /// The code of the only top-level error.
    pub async fn fails(&self, query: &str, variables: Value) -> String {
        let answer = self.send(query, variables).await;
        answer["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no error: {answer:#}"))
            .to_owned()
    }
}

/// A key that no other test uses.
pub fn key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Several things at once.
pub async fn at_once<T, F>(many: usize, each: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(tokio::sync::Barrier::new(many));
    let tasks: Vec<_> = (0..many)
        .map(|index| {
            let (barrier, one) = (barrier.clone(), each(index));
            tokio::spawn(async move {
                barrier.wait().await;
                one.await
            })
        })
        .collect();
    let mut out = vec![];
    for task in tasks {
        out.push(task.await.expect("a task"));
    }
    out
}
