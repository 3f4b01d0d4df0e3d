//! The table for people, and the line for programs.

use serde_json::json;

use super::{
    SCARCE, Turn, paid,
    storm::{After, Storm},
};
use crate::stats::{Spread, rounded};

pub use crate::graphql::say_ground;

/// Median, least and greatest, with so many digits.
pub fn told(spread: Spread, digits: usize) -> String {
    format!(
        "{:.digits$} ({:.digits$} to {:.digits$})",
        spread.median, spread.least, spread.most
    )
}

fn of(turns: &[Turn], figure: impl Fn(&Turn) -> f64) -> Spread {
    Spread::of(turns.iter().map(figure))
}

fn row(name: &str, turns: &[Turn], pick: impl Fn(&Turn) -> &Storm) {
    println!(
        "  {name:<22} {:>24} {:>24} {:>24} {:>24}",
        told(of(turns, |turn| pick(turn).stretch.per_second), 0),
        told(of(turns, |turn| pick(turn).stretch.p99), 1),
        told(of(turns, |turn| pick(turn).cpu()), 3),
        told(of(turns, |turn| pick(turn).server), 3),
    );
}

/// Median, least and greatest of the rotations; then one line of JSON.
pub fn tell(quick: bool, turns: &[Turn], paid: &paid::Told) {
    println!(
        "\n  {:<22} {:>24} {:>24} {:>24} {:>24}",
        "64 buyers", "sales/s", "p99 ms of a sale", "CPU ms", "of which server"
    );
    row("hot", turns, |turn| &turn.hot);
    row("hot, 1 ms a flush", turns, |turn| &turn.slow_hot);
    row("spread over 100", turns, |turn| &turn.spread);
    let after = |pick: fn(&Turn) -> &Storm, figure: fn(After) -> f64| {
        of(turns, |turn| figure(pick(turn).after))
    };
    println!(
        "  afterwards, until all events are on their way and all letters sent: {} s after hot, {} CPU ms a sale",
        told(after(|turn| &turn.hot, |after| after.seconds), 1),
        told(after(|turn| &turn.hot, |after| after.cpu), 3),
    );
    let ratio = of(turns, |turn| {
        turn.hot.stretch.per_second / turn.bare.per_second
    });
    let slow = of(turns, |turn| {
        turn.slow_hot.stretch.per_second / turn.slow_bare.per_second
    });
    for (name, pick) in [
        ("pgbench", (|turn| turn.bare) as fn(&Turn) -> _),
        ("pgbench, 1 ms a flush", |turn| turn.slow_bare),
    ] {
        let clients: Vec<usize> = turns.iter().map(|turn| pick(turn).clients).collect();
        println!(
            "  {name:<22} {:>24}   at its best, with {clients:?} clients",
            told(of(turns, |turn| pick(turn).per_second), 0),
        );
    }
    println!(
        "  hot over pgbench: {}, with 1 ms a flush: {}",
        told(ratio, 2),
        told(slow, 2)
    );
    let (quiet, beside) = (
        of(turns, |turn| turn.quiet.p99),
        of(turns, |turn| turn.beside.p99),
    );
    println!(
        "  somebody else's event page, p99 ms: {} quiet, {} beside the sale",
        told(quiet, 1),
        told(beside, 1)
    );
    let sold: Vec<usize> = turns.iter().map(|turn| turn.scarce).collect();
    println!("  sold of {SCARCE} places: {sold:?}\n");
    paid.print();
    let storm = |pick: &dyn Fn(&Turn) -> &Storm| {
        json!({
            "per_s": rounded(of(turns, |turn| pick(turn).stretch.per_second).median, 0),
            "p99_ms": rounded(of(turns, |turn| pick(turn).stretch.p99).median, 1),
            "cpu_ms": rounded(of(turns, |turn| pick(turn).cpu()).median, 3),
        })
    };
    let mut hot = storm(&|turn| &turn.hot);
    hot["after_s"] = rounded(after(|turn| &turn.hot, |after| after.seconds).median, 1).into();
    hot["after_cpu_ms"] = rounded(after(|turn| &turn.hot, |after| after.cpu).median, 3).into();
    hot["vs_pgbench"] = rounded(ratio.median, 2).into();
    hot["vs_pgbench_1ms_flush"] = rounded(slow.median, 2).into();
    let line = json!({
        "bench": "sale",
        "quick": quick,
        "oversold": turns.iter().map(|turn| turn.scarce.saturating_sub(SCARCE)).sum::<usize>(),
        "undersold": turns.iter().map(|turn| SCARCE.saturating_sub(turn.scarce)).sum::<usize>(),
        "hot": hot,
        "spread": storm(&|turn| &turn.spread),
        "paid": paid.json(),
        "beside": { "p99_ms_quiet": rounded(quiet.median, 1), "p99_ms_hot": rounded(beside.median, 1) },
    });
    println!("{line}");
}
