//! The yardstick: pgbench sells the same thing by the functions that serve one buyer, one sale a transaction, with as
//! many clients as suit it best.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{
    Failure,
    graphql::pgbench,
    ground::{DATABASE, Ground, LOGIN},
    places,
};

/// Clients that are tried.
const CLIENTS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// The best of pgbench.
#[derive(Clone, Copy, Debug, Default)]
pub struct Best {
    /// Sales a second.
    pub per_second: f64,
    /// With so many clients.
    pub clients: usize,
    /// Sales in all tries together.
    pub sales: usize,
}

/// Tries every number of clients for that time each.
pub async fn best(ground: &Ground, time: Duration) -> Result<Best, Failure> {
    let mut best = Best::default();
    for clients in CLIENTS {
        let (per_second, sales) = sell(ground, clients, time).await?;
        best.sales += sales;
        if per_second > best.per_second {
            best.per_second = per_second;
            best.clients = clients;
        }
    }
    Ok(best)
}

async fn sell(ground: &Ground, clients: usize, time: Duration) -> Result<(f64, usize), Failure> {
    let script = Path::new(places::BENCH).join("sale/one.sql");
    let output = Command::new(pgbench::program()?)
        .args(["--no-vacuum", "--protocol=prepared"])
        .arg(format!("--file={}", script.display()))
        .arg(format!("--client={clients}"))
        .arg(format!("--time={}", time.as_secs().max(1)))
        .args([
            "-h",
            &ground.socket,
            "-p",
            &ground.port.to_string(),
            "-U",
            LOGIN,
            DATABASE,
        ])
        .env("PGOPTIONS", pgbench::OPTIONS)
        .stdin(Stdio::null())
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Err(format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let number = |before: &str| {
        text.lines().find_map(|line| {
            let rest = line.strip_prefix(before)?;
            rest.split([' ', '/']).next()?.parse::<f64>().ok()
        })
    };
    match (
        number("tps = "),
        number("number of transactions actually processed: "),
    ) {
        (Some(per_second), Some(sales)) => Ok((per_second, sales as usize)),
        _ => Err(format!("pgbench says: {text}").into()),
    }
}
