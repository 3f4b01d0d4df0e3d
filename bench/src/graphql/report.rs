//! The table for people, and the line for programs.

use serde_json::{Map, Value, json};

use super::{Found, Turn, Turns, contestants::Measured};
use crate::{
    Failure, cpu,
    ground::Ground,
    stats::{Spread, rounded},
};

/// Says what the figures stand on: settings of PostgreSQL, and how busy the machine is with other things.
pub async fn say_ground(ground: &Ground) -> Result<(), Failure> {
    let settings = [
        "server_version",
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "shared_buffers",
        "work_mem",
        "jit",
        "max_connections",
    ];
    let client = ground.admin().await?;
    let mut told = vec![];
    for name in settings {
        let value: String = client
            .query_one("select current_setting($1)", &[&name])
            .await?
            .get(0);
        told.push(format!("{name}={value}"));
    }
    eprintln!("PostgreSQL: {}", told.join(" "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    eprintln!(
        "machine: {cores} cores, load average {}",
        cpu::load_average()
    );
    Ok(())
}

/// Ours over another, turn by turn.
fn ratio(turns: &[Turn], figure: impl Fn(&Turn) -> (f64, f64)) -> Spread {
    Spread::of(turns.iter().map(|turn| {
        let (ours, other) = figure(turn);
        ours / other
    }))
}

/// What is said of a shape.
struct Verdict {
    rps: Spread,
    p99: Spread,
    cpu: Spread,
    peer_cpu: Spread,
    p50_alone: Spread,
}

impl Verdict {
    fn of(turns: &Turns) -> Self {
        Self {
            rps: ratio(&turns.busy, |turn| {
                (turn.ours.stretch.per_second, turn.peer.stretch.per_second)
            }),
            p99: ratio(&turns.busy, |turn| {
                (turn.ours.stretch.p99, turn.peer.stretch.p99)
            }),
            cpu: ratio(&turns.busy, |turn| (turn.ours.cpu(), turn.bare.cpu())),
            peer_cpu: ratio(&turns.busy, |turn| (turn.ours.cpu(), turn.peer.cpu())),
            p50_alone: Spread::of(
                turns
                    .alone
                    .iter()
                    .map(|turn| turn.ours.stretch.p50 - turn.bare.stretch.p50),
            ),
        }
    }
}

fn spread(spread: Spread, digits: usize) -> String {
    format!(
        "{:.digits$} ({:.digits$} to {:.digits$})",
        spread.median, spread.least, spread.most
    )
}

type Pick = fn(&Turn) -> &Measured;

const CONTESTANTS: [(&str, Pick); 3] = [
    ("eventsphere", |turn| &turn.ours),
    ("postgraphile", |turn| &turn.peer),
    ("bare statement", |turn| &turn.bare),
];

fn table(turns: &Turns) {
    println!("\n{}", turns.shape.name());
    println!(
        "  {:<15} {:>9} {:>9} {:>9} | {:>9} {:>9} {:>9} {:>9} | {:>9}",
        "32 connections",
        "req/s",
        "p50 ms",
        "p99 ms",
        "CPU ms",
        "server",
        "postgres",
        "generator",
        "p50 alone"
    );
    for (name, pick) in CONTESTANTS {
        let median = |turns: &[Turn], figure: &dyn Fn(&Measured) -> f64| {
            Spread::of(turns.iter().map(|turn| figure(pick(turn)))).median
        };
        let busy = |figure: &dyn Fn(&Measured) -> f64| median(&turns.busy, figure);
        println!(
            "  {:<15} {:>9.0} {:>9.2} {:>9.2} | {:>9.3} {:>9.3} {:>9.3} {:>9.3} | {:>9.3}",
            name,
            busy(&|measured| measured.stretch.per_second),
            busy(&|measured| measured.stretch.p50),
            busy(&|measured| measured.stretch.p99),
            busy(&Measured::cpu),
            busy(&|measured| measured.server),
            busy(&|measured| measured.postgres),
            busy(&|measured| measured.generator),
            median(&turns.alone, &|measured| measured.stretch.p50),
        );
    }
}

/// Prints the table and, last, the line of JSON.
pub fn tell(found: &Found) {
    let mut line = Map::new();
    line.insert("bench".to_owned(), json!("graphql"));
    line.insert("equal_answers".to_owned(), json!(found.equal));
    line.insert("rss_mb".to_owned(), json!(rounded(found.rss, 1)));
    for (turns, (ours, theirs)) in found.turns.iter().zip(&found.trips) {
        table(turns);
        let verdict = Verdict::of(turns);
        println!(
            "  requests/s, times PostGraphile's: {}",
            spread(verdict.rps, 2)
        );
        println!(
            "  p99, times PostGraphile's:        {}",
            spread(verdict.p99, 2)
        );
        println!(
            "  CPU, times the bare statement's:  {}",
            spread(verdict.cpu, 2)
        );
        println!(
            "  p50 alone, ms beyond the bare statement's: {}",
            spread(verdict.p50_alone, 3)
        );
        println!("  round trips: {ours} (PostGraphile: {theirs})");
        line.insert(turns.shape.name().to_owned(), of_shape(&verdict, *ours));
    }
    let growth = found.growth;
    println!("\nPostGraphile ran with {} process(es)", found.processes);
    println!("peak memory: {:.1} MB", found.rss);
    println!(
        "20 parents x first 5 of 10,000 against of 100: {} times the time ({:.2} ms)",
        spread(growth.ratio, 2),
        growth.small.median
    );
    println!(
        "a document never seen before: {} ms more",
        spread(growth.first_seen, 2)
    );
    if found.quick {
        println!("QUICK=1: a smoke test; these figures are not to be quoted");
    }
    line.insert("growth".to_owned(), json!(rounded(growth.ratio.median, 2)));
    line.insert(
        "first_seen_ms".to_owned(),
        json!(rounded(growth.first_seen.median, 2)),
    );
    line.insert("quick".to_owned(), json!(found.quick));
    println!("{}", Value::Object(line));
}

fn of_shape(verdict: &Verdict, round_trips: usize) -> Value {
    json!({
        "rps_vs_postgraphile": rounded(verdict.rps.median, 2),
        "p99_vs_postgraphile": rounded(verdict.p99.median, 2),
        "cpu_vs_bare_sql": rounded(verdict.cpu.median, 2),
        "round_trips": round_trips,
        "cpu_vs_postgraphile": rounded(verdict.peer_cpu.median, 2),
        "p50_alone_beyond_bare_ms": rounded(verdict.p50_alone.median, 3),
    })
}
