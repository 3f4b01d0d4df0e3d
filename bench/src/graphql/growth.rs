//! Two further questions, asked over one connection on a ground of their own: does a page cost more when its parents
//! have more children than it shows, and what does a document cost that was never seen before?

use std::{net::SocketAddr, rc::Rc, time::Duration, time::Instant};

use serde_json::json;

use crate::{
    Failure,
    ground::Ground,
    http::{self, Connection},
    load,
    stats::{Spread, percentile},
};

/// Documents that nobody asked before, in each rotation.
const UNSEEN: usize = 30;

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Growth {
    /// Time of 20 x 5 of 10,000 over that of 20 x 5 of 100.
    pub ratio: Spread,
    /// Milliseconds of the smaller page.
    pub small: Spread,
    /// Milliseconds that the first time of a document takes beyond the second.
    pub first_seen: Spread,
}

/// Measures on the data of `sql/growth.sql`.
pub async fn measure(rotations: usize) -> Result<Growth, Failure> {
    let ground = Ground::stand("growth", "sql/growth.sql").await?;
    let address = ground.server.address;
    let (mut ratios, mut smalls, mut unseen) = (vec![], vec![], vec![]);
    for rotation in 0..rotations {
        let mut p50 = [0.0; 2];
        for place in 0..2 {
            let large = (rotation + place) % 2;
            let requests = Rc::new(vec![page(2030 + large, "page")]);
            load::run(address, &requests, 1, Duration::from_millis(200)).await?;
            p50[large] = load::run(address, &requests, 1, Duration::from_millis(800))
                .await?
                .p50;
        }
        ratios.push(p50[1] / p50[0]);
        smalls.push(p50[0]);
        unseen.push(first_seen(address, rotation).await?);
    }
    ground.server.stop().await?;
    Ok(Growth {
        ratio: Spread::of(ratios),
        small: Spread::of(smalls),
        first_seen: Spread::of(unseen),
    })
}

/// Events of that year with their first five sessions. The alias makes text and SQL those of no other document.
fn page(year: usize, alias: &str) -> Vec<u8> {
    let query = format!(
        "query($from: DateTime!, $to: DateTime!) {{
           {alias}: events(first: 20, filter: {{ startsAt: {{ gte: $from, lt: $to }} }}) {{
             nodes {{ id {alias}: title sessions(first: 5) {{ nodes {{ id title startsAt }} }} }}
           }}
         }}"
    );
    let variables = json!({
        "from": format!("{year}-01-01T00:00:00Z"), "to": format!("{}-01-01T00:00:00Z", year + 1),
    });
    http::post(
        "/graphql",
        None,
        &json!({ "query": query, "variables": variables }).to_string(),
    )
}

/// Median of the first time less median of the second.
async fn first_seen(address: SocketAddr, rotation: usize) -> Result<f64, Failure> {
    let mut connection = Connection::open(address).await?;
    let mut times = [vec![], vec![]];
    for number in 0..UNSEEN {
        let request = page(2030, &format!("page{rotation}x{number}"));
        for times in &mut times {
            let asked = Instant::now();
            let status = connection.ask(&request).await?.status;
            if status != 200 {
                return Err(format!("a document that was never seen: status {status}").into());
            }
            times.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }
    let [first, second] = times.map(|mut times| {
        times.sort_unstable();
        f64::from(percentile(&times, 0.5)) / 1000.0
    });
    Ok(first - second)
}
