//! The report of `bench rls`.

use bench::{LoadReport, RlsBenchReport};

use super::figures::machine;
use crate::document::block::{Block, Document, Table, lines, number, text};
use crate::document::report::Report;
use crate::number_format::{count, counted};

impl Report for RlsBenchReport {
    const NAME: &'static str = "bench rls";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let milliseconds = |time: f64| format!("{time:.1} ms");
        let rows = self.stages.iter().map(|stage| {
            vec![
                format!("{} the rollout", stage.stage),
                count(stage.statements),
                failed(stage),
                milliseconds(stage.took.p50_ms),
                milliseconds(stage.took.p99_ms),
                milliseconds(stage.took.longest_ms),
            ]
        });
        let numbers = ["statements", "failed", "p50", "p99", "longest"].map(number);
        let table = Table::new([text("load")].into_iter().chain(numbers), rows);
        Document::new([table.into(), outcome(self), circumstances(self)])
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let line = |stage: &LoadReport| {
            vec![
                stage.stage.to_owned(),
                stage.statements.to_string(),
                stage.failed.values().sum::<u64>().to_string(),
                format!("{:.3}", stage.took.p50_ms),
                format!("{:.3}", stage.took.p99_ms),
                format!("{:.3}", stage.took.longest_ms),
            ]
        };
        let header = vec!["stage", "statements", "failed", "p50_ms", "p99_ms", "longest_ms"];
        Some((header, self.stages.iter().map(line).collect()))
    }
}

fn failed(stage: &LoadReport) -> String {
    if stage.failed.is_empty() {
        return "0".to_owned();
    }
    let codes: Vec<String> = stage.failed.iter().map(|(code, times)| format!("{} × {code}", count(*times))).collect();
    codes.join(", ")
}

fn outcome(report: &RlsBenchReport) -> Block {
    let way = if report.complete { "All tables went the whole way" } else { "Not every table went the whole way" };
    let many = &report.many;
    let rest = if many.complete { "" } else { ", and not all of them went the whole way" };
    lines([
        format!(
            "{way} in {:.1} s; {} for a lock in vain, {} of these behind an autovacuum.",
            report.seconds,
            counted(report.waits, "wait", "waits"),
            count(report.autovacuum_waits),
        ),
        format!("The limit for a stall is {:.0} ms.", report.limit_ms),
        format!(
            "{} tables: status {:.0} ms, plan {:.0} ms, rollout of {} {:.0} ms each{rest}.",
            count(many.tables),
            many.status_ms,
            many.plan_ms,
            count(many.rolled_out),
            many.rollout_ms_per_table,
        ),
    ])
}

/// What the figures depend on.
fn circumstances(report: &RlsBenchReport) -> Block {
    let (bookings, tenants) = (count(report.bookings), count(report.tenants));
    let data = format!("{bookings} bookings of {tenants} tenants, {} connections; ", report.connections);
    lines(machine(data, report.build, report.cores, &report.server))
}
