//! The load: so many connections, each sending its next request when the answer to the last one is there.

use std::{
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::task::LocalSet;

use crate::{Failure, http::Connection, stats::percentile};

/// What a stretch of load gave.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// Answers a second.
    pub per_second: f64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Answers.
    pub answers: usize,
}

impl Stretch {
    /// Of latencies in microseconds within that time.
    pub fn of(mut latencies: Vec<u32>, elapsed: Duration) -> Self {
        latencies.sort_unstable();
        let millis = |share| f64::from(percentile(&latencies, share)) / 1000.0;
        Self {
            per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
            p50: millis(0.5),
            p99: millis(0.99),
            answers: latencies.len(),
        }
    }
}

/// Sends the requests round and round, each connection from a place of its own, for that time. An answer that is no
/// success ends the bench: failures are fast.
pub async fn run(
    address: SocketAddr,
    requests: &Rc<Vec<Vec<u8>>>,
    connections: usize,
    time: Duration,
) -> Result<Stretch, Failure> {
    let started = Instant::now();
    let end = started + time;
    let local = LocalSet::new();
    let tasks: Vec<_> = (0..connections)
        .map(|number| {
            let requests = Rc::clone(requests);
            local.spawn_local(async move {
                let first = number * requests.len() / connections;
                client(address, &requests, first, end).await
            })
        })
        .collect();
    let latencies = local
        .run_until(async {
            let mut all = vec![];
            for task in tasks {
                all.extend(task.await??);
            }
            Ok::<_, Failure>(all)
        })
        .await?;
    Ok(Stretch::of(latencies, started.elapsed()))
}

async fn client(
    address: SocketAddr,
    requests: &[Vec<u8>],
    first: usize,
    end: Instant,
) -> Result<Vec<u32>, Failure> {
    let mut connection = Connection::open(address).await?;
    let mut latencies = Vec::with_capacity(16 * 1024);
    for request in requests.iter().cycle().skip(first) {
        let sent = Instant::now();
        if sent >= end {
            break;
        }
        let answer = connection.ask(request).await?;
        let taken = sent.elapsed();
        let body = answer.body;
        // Errors stand before or behind the data, and are told in the first or last bytes.
        let near = body.len().min(200);
        let told = |part: &[u8]| part.windows(9).any(|window| window == b"\"errors\":");
        if answer.status != 200 || told(&body[..near]) || told(&body[body.len() - near..]) {
            let text = String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
            return Err(format!("status {}: {text}", answer.status).into());
        }
        latencies.push(u32::try_from(taken.as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}
