//! The report of an applied review.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use tenancy_config::TableName;

/// The most refused lines that the report names.
const NAMED: usize = 1_000;

/// The report. The JSON shape is `backfill-apply/1`.
#[derive(Debug, Clone, Serialize)]
pub struct ApplyReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The run in `tenant_ops.run`; none for a dry run, or where nothing was written.
    pub run: Option<i64>,
    /// The table; none where nothing was decided.
    pub table: Option<TableName>,
    /// The role that wrote.
    pub role: Option<String>,
    /// Nothing was kept.
    pub dry_run: bool,
    /// The operator stopped it; the same command goes on.
    pub stopped: bool,
    /// Lines that were read, without the header and empty ones.
    pub lines: u64,
    /// Rows that got the tenant which people decided.
    pub applied: u64,
    /// Rows that had got this tenant in an earlier run, by the same decision.
    pub already_applied: u64,
    /// Lines whose decision is empty.
    pub undecided: u64,
    /// Lines that were not applied.
    pub refused: u64,
    /// Refused lines by kind.
    pub refused_by_kind: BTreeMap<RefusalKind, u64>,
    /// The first 1,000 refused lines; the file of `--refused` has all of them.
    pub refusals: Vec<Refusal>,
    /// The file with the refused lines, if one was asked for and written.
    pub refused_file: Option<PathBuf>,
}

/// A line that was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The line of the file in which it begins, from 1.
    pub line: u64,
    /// The row's key; none where the line cannot be read.
    pub id: Option<String>,
    /// The kind of the reason.
    pub kind: RefusalKind,
    /// The reason.
    pub reason: String,
}

/// Why a line was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The line cannot be read.
    Malformed,
    /// The line is about another table than the first decision of the file.
    OtherTable,
    /// Another line decides the same row.
    Duplicate,
    /// There is no such tenant, or the name is ambiguous.
    UnknownTenant,
    /// There is no such row.
    Gone,
    /// The row has a tenant now.
    Assigned,
    /// The row, or a row that it points to, has changed.
    Changed,
    /// Another transaction holds the row.
    Held,
    /// The table refused the row, by a unique key or a trigger.
    Table,
}

impl ApplyReport {
    pub(crate) fn new(dry_run: bool) -> Self {
        Self {
            schema: "backfill-apply/1",
            run: None,
            table: None,
            role: None,
            dry_run,
            stopped: false,
            lines: 0,
            applied: 0,
            already_applied: 0,
            undecided: 0,
            refused: 0,
            refused_by_kind: BTreeMap::new(),
            refusals: Vec::new(),
            refused_file: None,
        }
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.refused += 1;
        *self.refused_by_kind.entry(refusal.kind).or_default() += 1;
        if self.refusals.len() < NAMED {
            self.refusals.push(refusal);
        }
    }
}
