//! Figures about jobs, for `/metrics`.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde_json::Value as Json;

use crate::{metrics::Histogram, state::App};

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Done,
    Failed,
    Dead,
}

const OUTCOMES: [&str; 3] = ["done", "failed", "dead"];

/// What was counted of a kind in this process.
#[derive(Debug, Default)]
pub(super) struct KindFigures {
    ended: [AtomicU64; OUTCOMES.len()],
    took: Histogram,
}

impl KindFigures {
    pub fn ended(&self, outcome: Outcome, took: Duration) {
        self.ended[outcome as usize].fetch_add(1, Ordering::Relaxed);
        self.took.observe(took);
    }
}

/// Adds them to the page: what this process did, and what waits in the database.
pub async fn write(app: &App, out: &mut String) {
    ran(app, out);
    match super::figures(app).await {
        Ok(waiting) => waits(&waiting, out),
        Err(error) => tracing::warn!(%error, "the figures of jobs could not be read"),
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn ran(app: &App, out: &mut String) {
    let kinds = app.jobs.registry.kinds();
    let name = "eventsphere_job_attempts_total";
    head(
        out,
        name,
        "counter",
        "Attempts at jobs in this process, by kind and how they ended.",
    );
    for kind in &kinds {
        for (label, count) in OUTCOMES.iter().zip(&kind.figures.ended) {
            let count = count.load(Ordering::Relaxed);
            let _ = writeln!(
                out,
                "{name}{{kind=\"{}\",outcome=\"{label}\"}} {count}",
                kind.name
            );
        }
    }
    let name = "eventsphere_job_duration_seconds";
    head(out, name, "histogram", "How long attempts took, by kind.");
    for kind in &kinds {
        let label = format!("kind=\"{}\"", kind.name);
        kind.figures.took.write_labelled(name, &label, out);
    }
}

fn waits(figures: &Json, out: &mut String) {
    let number = |value: &Json| value.as_f64().unwrap_or(0.0);
    let none = vec![];
    let queues = figures["queues"].as_array().unwrap_or(&none);
    let name = "eventsphere_jobs";
    head(
        out,
        name,
        "gauge",
        "Jobs in the database, by queue and state.",
    );
    for queue in queues {
        let label = queue["queue"].as_str().unwrap_or_default();
        for state in ["ready", "scheduled", "running", "dead"] {
            let count = number(&queue[state]);
            let _ = writeln!(out, "{name}{{queue=\"{label}\",state=\"{state}\"}} {count}");
        }
    }
    let name = "eventsphere_jobs_oldest_seconds";
    head(
        out,
        name,
        "gauge",
        "How long the oldest job that is ready has waited, by queue.",
    );
    for queue in queues {
        let label = queue["queue"].as_str().unwrap_or_default();
        let _ = writeln!(
            out,
            "{name}{{queue=\"{label}\"}} {}",
            number(&queue["oldest_seconds"])
        );
    }
    for (name, help, value) in [
        (
            "eventsphere_outbox_unsent",
            "Events that were not relayed yet.",
            &figures["outbox"]["unsent"],
        ),
        (
            "eventsphere_outbox_oldest_seconds",
            "How long the oldest of them has waited.",
            &figures["outbox"]["oldest_seconds"],
        ),
        (
            "eventsphere_job_workers",
            "Processes that run jobs.",
            &figures["workers"],
        ),
    ] {
        head(out, name, "gauge", help);
        let _ = writeln!(out, "{name} {}", number(value));
    }
}
