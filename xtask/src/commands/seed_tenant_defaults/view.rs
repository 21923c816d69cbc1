//! The report of a seed.

use std::time::Duration;

use seed_tenant_defaults::{SeedOutcome, SeedReport, TenantLine, TenantResult};

use crate::document::block::{Block, Cell, Document, List, Table, number, paragraph, text};
use crate::document::report::Report;
use crate::number_format::{count, counted, duration};

/// How many failures the table shows. The JSON has more of them, the CSV all.
const SHOWN: usize = 10;

impl Report for SeedReport {
    const NAME: &'static str = "seed-tenant-defaults";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let mut document = Document::new([paragraph(headline(self))]);
        if self.tenants == 0 {
            return document;
        }
        let few = !self.lines.is_empty();
        document.push(if few { each(self) } else { totals(self) });
        if !few && self.failed > 0 {
            document.push(failed(self));
        }
        document.extend(next(self).map(paragraph));
        document
    }
}

fn headline(report: &SeedReport) -> String {
    let dry = if report.dry_run { " (dry run: nothing was kept)" } else { "" };
    let how = match report.outcome {
        SeedOutcome::Stopped => "stopped",
        SeedOutcome::Done if report.tenants == 0 => return format!("no tenants: nothing to do{dry}"),
        SeedOutcome::Done if report.created == 0 && report.failed == 0 => "nothing was missing",
        SeedOutcome::Done => "done",
    };
    let time = duration(Duration::try_from_secs_f64(report.seconds).unwrap_or_default());
    // For a few tenants, the rate would measure connecting and reading the catalog.
    let rate = match report.lines.is_empty() {
        true => format!(", {} tenants/s", count(report.tenants_per_second as u64)),
        false => String::new(),
    };
    format!("{}: {how}{dry} in {time}{rate}", counted(report.tenants, "tenant", "tenants"))
}

/// The tenants one by one, if there are few.
fn each(report: &SeedReport) -> Block {
    let line = |line: &TenantLine| {
        let names: Vec<String> = line.created.iter().map(|table| table.name().to_string()).collect();
        let made = if line.made { "made, " } else { "" };
        let (result, what) = match line.result {
            TenantResult::Created => (format!("{made}created"), names.join(", ")),
            TenantResult::AlreadyThere => ("already there".to_owned(), String::new()),
            TenantResult::Failed => ("failed".to_owned(), line.reason().unwrap_or_default()),
        };
        vec![name(line), result, what]
    };
    Table::new(["tenant", "result", ""].map(text), report.lines.iter().map(line)).into()
}

fn name(line: &TenantLine) -> String {
    line.line.map_or_else(|| line.tenant.clone(), |at| format!("{} (line {})", line.tenant, count(at)))
}

fn totals(report: &SeedReport) -> Block {
    let row = |what: Cell, number: u64, meaning: &str| [what, count(number).into(), meaning.into()];
    let mut rows = vec![row("created".into(), report.created, "tenants that got what they lacked")];
    rows.extend(report.tables.iter().map(|table| row(Cell::nested(1, table.table.to_string()), table.created, "rows")));
    rows.push(row("already there".into(), report.already_there, "tenants that had everything"));
    rows.push(row("failed".into(), report.failed, "tenants that got nothing"));
    if report.tenants_made > 0 {
        rows.push(row("made".into(), report.tenants_made, "tenants that did not exist"));
    }
    Table::new([text("tenants"), number("number"), text("")], rows).into()
}

fn failed(report: &SeedReport) -> Block {
    let failures = report.failures.iter().take(SHOWN);
    let failures = failures.map(|line| format!("{}: {}", name(line), line.reason().unwrap_or_default()));
    let more = report.failed.saturating_sub(SHOWN as u64);
    let more = (more > 0).then(|| format!("and {} more; --format csv has them all", count(more)));
    List::new("Failed:", failures.chain(more)).into()
}

fn next(report: &SeedReport) -> Option<&'static str> {
    match report.outcome {
        SeedOutcome::Stopped => Some("Run the same command again to go on from here."),
        SeedOutcome::Done if report.failed > 0 => {
            Some("Next: mend what failed and run the same command again; it leaves the others as they are.")
        }
        SeedOutcome::Done if report.dry_run && report.created > 0 => Some("Next: the same without --dry-run."),
        SeedOutcome::Done => None,
    }
}
