//! `bench jobs`: our worker and graphile-worker (npm) on one PostgreSQL, in turns. Each finds the same number of jobs that
//! do nothing, of a hundred organizations, and is timed from the first that runs until none is left.

mod contestant;

use serde_json::json;

use self::contestant::{Contestant, Ended};
use crate::{
    Failure, cpu,
    ground::Ground,
    stats::{Spread, rounded},
};

pub use crate::graphql::say_ground;

/// What one turn of a contestant came to.
struct Turn {
    per_second: f64,
    /// Of its process, in microseconds a job.
    cpu: f64,
    ended: Ended,
}

/// Runs the bench.
pub async fn run(quick: bool) -> Result<(), Failure> {
    let (rotations, jobs) = match quick {
        true => (2, 20_000),
        false => (5, 100_000),
    };
    let ground = Ground::fresh_with("jobs", "sql/jobs.sql", &["--no-worker"]).await?;
    say_ground(&ground).await?;
    let contestants = [Contestant::Ours, Contestant::Peer];
    contestant::install_peer(&ground).await?;
    let mut turns: [Vec<Turn>; 2] = [vec![], vec![]];
    for rotation in 0..rotations {
        for place in 0..2 {
            // Another one first each time.
            let which = (rotation + place) % 2;
            let turn = turn(&ground, contestants[which], jobs).await?;
            turns[which].push(turn);
        }
        eprintln!(
            "rotation {} of {rotations} done, load average {}",
            rotation + 1,
            cpu::load_average()
        );
    }
    ground.server.stop().await?;
    tell(quick, jobs, &turns);
    Ok(())
}

async fn turn(ground: &Ground, contestant: Contestant, jobs: usize) -> Result<Turn, Failure> {
    contestant.fill(ground, jobs).await?;
    let run = contestant.run(ground, jobs).await?;
    Ok(Turn {
        per_second: jobs as f64 / run.took.as_secs_f64(),
        cpu: run.cpu * 1000.0 / jobs as f64,
        ended: run.ended,
    })
}

fn tell(quick: bool, jobs: usize, turns: &[Vec<Turn>; 2]) {
    println!(
        "\n  {:<18} {:>26} {:>26}",
        format!("{jobs} jobs"),
        "jobs/s",
        "CPU µs a job, its process"
    );
    for (name, turns) in ["eventsphere", "graphile-worker"].iter().zip(turns) {
        let shown = |of: fn(&Turn) -> f64| {
            let spread = Spread::of(turns.iter().map(of));
            format!(
                "{:.0} ({:.0} to {:.0})",
                spread.median, spread.least, spread.most
            )
        };
        println!(
            "  {name:<18} {:>26} {:>26}",
            shown(|turn| turn.per_second),
            shown(|turn| turn.cpu)
        );
    }
    let pairs = turns[0].iter().zip(&turns[1]);
    let ratio = Spread::of(pairs.map(|(ours, peer)| ours.per_second / peer.per_second));
    println!(
        "  eventsphere over graphile-worker: {:.2} ({:.2} to {:.2})\n",
        ratio.median, ratio.least, ratio.most
    );
    let ours = &turns[0];
    let line = json!({
        "bench": "jobs",
        "quick": quick,
        "per_s": rounded(Spread::of(ours.iter().map(|turn| turn.per_second)).median, 0),
        "vs_graphile_worker": rounded(ratio.median, 2),
        "lost": ours.iter().map(|turn| turn.ended.lost).sum::<usize>(),
        "doubled": ours.iter().map(|turn| turn.ended.doubled).sum::<usize>(),
    });
    println!("{line}");
}
