//! Somebody else's visitors: a few people who look at the page of another organization's event, now and then, from an
//! address of their own.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::{task::LocalSet, time::sleep_until};

use crate::{Failure, http::Connection, load::Stretch};

/// Visitors, each with a connection.
const VISITORS: u64 = 8;
/// Each asks so often: 160 pages a second together.
const EVERY: Duration = Duration::from_millis(50);
/// Limits are by address; those who buy come from 127.0.0.1.
const FROM: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Visitors under way. They have a thread to themselves, so that what the buyers keep the generator busy with is not
/// counted as the server's.
pub struct Visitors(JoinHandle<Result<Stretch, String>>);

impl Visitors {
    /// Sends them out for that time.
    pub fn send(address: SocketAddr, page: Vec<u8>, time: Duration) -> Self {
        Self(thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            runtime
                .block_on(look(address, page, time))
                .map_err(|error| error.to_string())
        }))
    }

    /// What they found, once all are back.
    pub fn back(self) -> Result<Stretch, Failure> {
        match self.0.join() {
            Ok(found) => Ok(found?),
            Err(_) => Err("the visitors' thread panicked".into()),
        }
    }
}

async fn look(address: SocketAddr, page: Vec<u8>, time: Duration) -> Result<Stretch, Failure> {
    let started = Instant::now();
    let local = LocalSet::new();
    let tasks: Vec<_> = (0..VISITORS)
        .map(|number| {
            let page = page.clone();
            local.spawn_local(async move {
                let mut connection = Connection::open_from(FROM, address).await?;
                let mut latencies = vec![];
                let mut next = started + EVERY * u32::try_from(number)? / u32::try_from(VISITORS)?;
                while next < started + time {
                    sleep_until(next.into()).await;
                    // From when it was due: a visitor who is late because of us has waited too.
                    let answer = connection.ask(&page).await?;
                    if answer.status != 200 || answer.body.len() < 500 {
                        let text = String::from_utf8_lossy(answer.body).into_owned();
                        return Err(format!("status {}: {text}", answer.status).into());
                    }
                    latencies.push(u32::try_from(next.elapsed().as_micros()).unwrap_or(u32::MAX));
                    next += EVERY;
                }
                Ok::<_, Failure>(latencies)
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
