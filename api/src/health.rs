//! `/healthz`: the process is alive. `/readyz`: the database answers. For load balancers and orchestrators, which ask
//! often, so that one answer serves everybody for a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::sync::Mutex;
use tokio_postgres::Client;

use crate::database::DatabaseAddress;

const PATIENCE: Duration = Duration::from_secs(2);
const VALID_FOR: Duration = Duration::from_secs(1);

pub fn routes(app: DatabaseAddress) -> Router {
    let probe = Probe {
        app,
        state: Arc::default(),
    };
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(probe)
}

#[derive(Clone)]
struct Probe {
    app: DatabaseAddress,
    state: Arc<Mutex<ProbeState>>,
}

#[derive(Default)]
struct ProbeState {
    client: Option<Client>,
    last: Option<(Instant, bool)>,
}

async fn ready(State(probe): State<Probe>) -> (StatusCode, &'static str) {
    if probe.answers().await {
        (StatusCode::OK, "ready\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        )
    }
}

impl Probe {
    async fn answers(&self) -> bool {
        let mut state = self.state.lock().await;
        if let Some((at, answer)) = state.last
            && at.elapsed() < VALID_FOR
        {
            return answer;
        }
        let client = state.client.take();
        let asked = tokio::time::timeout(PATIENCE, self.ask(client)).await;
        state.client = asked.ok().flatten();
        let answer = state.client.is_some();
        state.last = Some((Instant::now(), answer));
        answer
    }

    /// The connection that answered, to be asked again.
    async fn ask(&self, client: Option<Client>) -> Option<Client> {
        let client = match client.filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.app.connect().await.ok()?,
        };
        client.simple_query("select 1").await.ok()?;
        Some(client)
    }
}
