//! What is told of paid sales.

use serde_json::{Value, json};

use super::{Storm, Turn};
use crate::{
    sale::report::told,
    stats::{Spread, rounded},
};

/// Medians of the rotations with their spread.
pub struct Told {
    rows: [(&'static str, Row); 2],
}

struct Row {
    per_second: Spread,
    ticket_p50: Spread,
    ticket_p99: Spread,
    sale_p99: Spread,
    cpu: Spread,
    server: Spread,
    after_seconds: Spread,
    after_cpu: Spread,
}

impl Row {
    fn of(turns: &[Turn], pick: fn(&Turn) -> &Storm) -> Self {
        let of =
            |figure: fn(&Storm) -> f64| Spread::of(turns.iter().map(|turn| figure(pick(turn))));
        Self {
            per_second: of(|storm| storm.sales.per_second),
            ticket_p50: of(|storm| storm.tickets.p50),
            ticket_p99: of(|storm| storm.tickets.p99),
            sale_p99: of(|storm| storm.sales.p99),
            cpu: of(|storm| storm.server + storm.postgres),
            server: of(|storm| storm.server),
            after_seconds: of(|storm| storm.after.seconds),
            after_cpu: of(|storm| storm.after.cpu),
        }
    }

    fn json(&self) -> Value {
        json!({
            "per_s": rounded(self.per_second.median, 0),
            "p99_ms": rounded(self.ticket_p99.median, 1),
            "p50_ms": rounded(self.ticket_p50.median, 1),
            "sale_p99_ms": rounded(self.sale_p99.median, 1),
            "cpu_ms": rounded(self.cpu.median, 3),
            "after_s": rounded(self.after_seconds.median, 1),
            "after_cpu_ms": rounded(self.after_cpu.median, 3),
        })
    }
}

impl Told {
    pub(super) fn of(turns: &[Turn]) -> Self {
        Self {
            rows: [
                ("one organization", Row::of(turns, |turn| &turn.one)),
                ("ten organizations", Row::of(turns, |turn| &turn.ten)),
            ],
        }
    }

    /// The table for people.
    pub fn print(&self) {
        println!(
            "  {:<18} {:>20} {:>28} {:>26} {:>22} {:>22}",
            "64 buyers who pay",
            "sales/s",
            "webhook to ticket p99 ms",
            "sale p99 ms",
            "CPU ms",
            "of which server"
        );
        for (name, row) in &self.rows {
            println!(
                "  {name:<18} {:>20} {:>28} {:>26} {:>22} {:>22}",
                told(row.per_second, 0),
                told(row.ticket_p99, 1),
                told(row.sale_p99, 1),
                told(row.cpu, 3),
                told(row.server, 3),
            );
        }
        let one = &self.rows[0].1;
        println!(
            "  afterwards: {} s after one organization, {} CPU ms a sale; webhook to ticket p50 {} ms\n",
            told(one.after_seconds, 1),
            told(one.after_cpu, 3),
            told(one.ticket_p50, 1),
        );
    }

    /// The part of the line for programs.
    pub fn json(&self) -> Value {
        let mut line = self.rows[0].1.json();
        line["ten_organizations"] = self.rows[1].1.json();
        line
    }
}
