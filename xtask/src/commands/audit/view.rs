//! The report of an audit.

use tenancy_config::Hint;
use tenant_audit::{AuditReport, TableReport};
use tenant_inventory::{Absence, MissingPart, StrayValue};

use crate::commands::backfill::shown;
use crate::document::block::{Block, Document, List, Table, lines, number, text};
use crate::document::coverage::by_class;
use crate::document::report::Report;
use crate::number_format::{count, counted};

/// How many stray values of a table are shown. The JSON has more of them.
const SHOWN: usize = 8;

impl Report for AuditReport {
    const NAME: &'static str = "audit";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let mut document = Document::default();
        if !self.tables.is_empty() {
            document.extend(counts(self));
        }
        document.extend(crossings(self));
        document.extend(strays(self));
        let missing = self.missing.iter().map(|missing| format!("{}: {}", missing.table, lacks(missing)));
        let uncounted = self.uncounted.iter().map(|one| format!("{} was not counted: {}", one.table, one.why));
        let declared = self.declared.iter().filter(|declared| declared.rows > 0);
        let declared = declared.map(|declared| format!("declared in tenancy.toml: {declared}"));
        let said = missing.chain(uncounted).chain(declared).chain([conclusion(self)]).map(Hint::from);
        document.push(lines(said.chain([by_class(&self.coverage)])));
        document.extend(List::steps("Next:", self.next.clone()).unless_empty());
        document
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let header = vec![
            "table",
            "column",
            "column_type",
            "rows",
            "null_rows",
            "null_proven",
            "platform_rows",
            "empty_rows",
            "ghost_rows",
            "cross_rows",
            "missing",
        ];
        let tables = self.tables.iter().map(|table| {
            let missing: Vec<String> = table.missing.iter().map(ToString::to_string).collect();
            vec![
                table.table.to_string(),
                table.column.clone(),
                table.column_type.clone(),
                table.rows.to_string(),
                table.null_rows.to_string(),
                table.null_proven.to_string(),
                table.platform_rows.to_string(),
                table.empty_rows.to_string(),
                table.ghost_rows.map_or_else(String::new, |rows| rows.to_string()),
                table.cross_rows().to_string(),
                missing.join("; "),
            ]
        });
        let missing = self.missing.iter().map(|missing| {
            let mut line = vec![String::new(); 11];
            line[0] = missing.table.to_string();
            line[10] = lacks(missing).to_owned();
            line
        });
        Some((header, tables.chain(missing).collect()))
    }
}

/// The values that stand in the place of a tenant's key.
fn strays(report: &AuditReport) -> Option<Block> {
    let line = |table: &TableReport| {
        let value = |stray: &StrayValue| {
            let proposal =
                stray.proposal.as_ref().map_or_else(String::new, |called| format!(", maybe {}", called.tenant));
            format!("{} ({}{proposal})", shown(&stray.value), count(stray.rows))
        };
        let values: Vec<String> = table.stray.values.iter().take(SHOWN).map(value).collect();
        let more = table.stray.more_values + table.stray.values.len().saturating_sub(SHOWN) as u64;
        let more = if more > 0 { format!(" and {} more", count(more)) } else { String::new() };
        format!("{}: {}{more}", table.table, values.join(", "))
    };
    let lines: Vec<String> = report.tables.iter().filter(|table| table.stray.rows > 0).map(line).collect();
    List::new("Values that are no tenant's key, with their rows:", lines).unless_empty()
}

/// The findings for annotations: a table and what is wrong with it.
pub(super) fn findings(report: &AuditReport) -> Vec<(String, String)> {
    let mut findings = Vec::new();
    if !report.tenants_found {
        findings.push((report.tenants.to_string(), "there is no such table of tenants".to_owned()));
    }
    for table in report.tables.iter().filter(|table| table.findings() > 0) {
        findings.push((table.table.to_string(), faults(table).join(", ")));
    }
    let uncounted = report.uncounted.iter();
    findings.extend(uncounted.map(|table| (table.table.to_string(), format!("not counted: {}", table.why))));
    findings.extend(report.missing.iter().map(|missing| (missing.table.to_string(), lacks(missing).to_owned())));
    findings
}

fn faults(table: &TableReport) -> Vec<String> {
    let rows = |number: u64, what: &str| (number > 0).then(|| format!("{} {what}", counted(number, "row", "rows")));
    let kinds = [
        rows(table.null_findings(), "without a tenant"),
        rows(table.empty_rows, "with an empty tenant"),
        rows(table.ghost_rows.unwrap_or(0), "of a tenant that does not exist"),
        rows(table.cross_findings(), "that reference another tenant's row"),
        (!table.missing.is_empty()).then(|| format!("lacks: {}", missing_pieces(table))),
    ];
    kinds.into_iter().flatten().collect()
}

fn counts(report: &AuditReport) -> Option<Block> {
    let columns = [
        text("table"),
        number("rows"),
        number("NULL"),
        number("empty"),
        number("ghost"),
        number("across"),
        text("lacks"),
    ];
    (!report.tables.is_empty()).then(|| Table::new(columns, rows(report)).into())
}

fn rows(report: &AuditReport) -> Vec<Vec<String>> {
    let row = |table: &TableReport| {
        let null = match (table.null_proven, table.platform_rows) {
            (true, _) => "proven 0".to_owned(),
            (false, true) => format!("platform {}", count(table.null_rows)),
            (false, false) => count(table.null_rows),
        };
        vec![
            table.table.to_string(),
            count(table.rows),
            null,
            count(table.empty_rows),
            table.ghost_rows.map_or_else(|| "?".to_owned(), count),
            count(table.cross_rows()),
            missing_pieces(table),
        ]
    };
    let totals = &report.totals;
    let sum = vec![
        "total".to_owned(),
        count(totals.rows),
        count(totals.null_rows),
        count(totals.empty_rows),
        count(totals.ghost_rows),
        count(totals.cross_rows),
        String::new(),
    ];
    report.tables.iter().map(row).chain([sum]).collect()
}

fn missing_pieces(table: &TableReport) -> String {
    table.missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

pub(crate) fn lacks(missing: &Absence) -> &'static str {
    match missing.what {
        MissingPart::Table => "there is no such table",
        MissingPart::TenantColumn => "it has no tenant column",
        MissingPart::TrustedOwner => "it belongs to a role that is not trusted, and was not read",
    }
}

/// The foreign keys by which rows reference rows of other tenants.
fn crossings(report: &AuditReport) -> Option<Block> {
    let rows = report.tables.iter().flat_map(|table| {
        let crossing = table.cross_references.iter().filter(|reference| reference.rows > 0);
        crossing.map(|reference| {
            vec![
                table.table.to_string(),
                reference.columns.join(", "),
                reference.references.to_string(),
                count(reference.rows),
            ]
        })
    });
    let rows: Vec<_> = rows.collect();
    let columns = [text("across tenants from"), text("by"), text("to"), number("rows")];
    (!rows.is_empty()).then(|| Table::new(columns, rows).into())
}

fn conclusion(report: &AuditReport) -> String {
    let as_role = report.role.as_ref().map_or_else(String::new, |role| format!(", read as {role}"));
    let tables = counted(report.totals.tables, "table", "tables");
    let findings = counted(report.findings(), "finding", "findings");
    format!("{tables} of database {}{as_role}: {findings}.", report.database)
}
