//! How long things took, counted in fixed steps.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Upper ends of the steps in microseconds, and as Prometheus is told of them.
const STEPS: [(u64, &str); 12] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (1_000_000, "1"),
    (5_000_000, "5"),
    (30_000_000, "30"),
];

/// Counts of durations; the last step has no end.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; STEPS.len() + 1],
    sum_micros: AtomicU64,
}

impl Histogram {
    /// Something took so long.
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let step = STEPS.iter().position(|(end, _)| micros <= *end);
        self.counts[step.unwrap_or(STEPS.len())].fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// As Prometheus reads it.
    pub fn write(&self, name: &str, out: &mut String) {
        self.write_labelled(name, "", out);
    }

    /// The same with labels, such as `kind="x"`.
    pub fn write_labelled(&self, name: &str, labels: &str, out: &mut String) {
        let (comma, braced) = match labels {
            "" => ("", String::new()),
            labels => (",", format!("{{{labels}}}")),
        };
        let mut total = 0;
        let ends = STEPS.iter().map(|(_, end)| *end).chain(["+Inf"]);
        for (count, end) in self.counts.iter().zip(ends) {
            total += count.load(Ordering::Relaxed);
            let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{end}\"}} {total}");
        }
        let seconds = self.sum_micros.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "{name}_sum{braced} {seconds}");
        let _ = writeln!(out, "{name}_count{braced} {total}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_add_up() {
        let histogram = Histogram::default();
        for millis in [1, 4, 400, 60_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let mut text = String::new();
        histogram.write("took", &mut text);
        for line in [
            "took_bucket{le=\"0.0005\"} 0",
            "took_bucket{le=\"0.001\"} 1",
            "took_bucket{le=\"0.005\"} 2",
            "took_bucket{le=\"1\"} 3",
            "took_bucket{le=\"30\"} 3",
            "took_bucket{le=\"+Inf\"} 4",
            "took_sum 60.405",
            "took_count 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
