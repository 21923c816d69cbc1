//! What a seed did.

use serde::Serialize;
use tenancy_config::TableName;
use tenant_rls::TenantId;

use crate::failure::{SeedFailure, reason_and_cause};

/// Failures that a report lists; of more it has the number.
const MOST_FAILURES: usize = 1_000;

/// Tenants that a report for people lists one by one; of more it has the totals.
const FEW: usize = 20;

/// The report of a seed; its JSON is `seed/1`.
#[derive(Debug, Clone, Serialize)]
pub struct SeedReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Nothing was kept.
    pub dry_run: bool,
    /// How it ended.
    pub outcome: SeedOutcome,
    /// Tenants that were processed.
    pub tenants: u64,
    /// Tenants that did not exist and were made.
    pub tenants_made: u64,
    /// Tenants that got at least one row.
    pub created: u64,
    /// Tenants that had every row.
    pub already_there: u64,
    /// Tenants that got nothing, for a reason of their own.
    pub failed: u64,
    /// The same by table, failures aside.
    pub tables: Vec<SeededTable>,
    /// The failures, in the order in which they came, at most 1,000.
    pub failures: Vec<TenantLine>,
    /// How many more there were.
    pub failures_not_listed: u64,
    /// Every tenant, if there are few.
    #[serde(skip)]
    pub lines: Vec<TenantLine>,
    /// Time of the run, in seconds.
    pub seconds: f64,
    /// Tenants for each second of it.
    pub tenants_per_second: f64,
}

/// How a seed ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedOutcome {
    /// Every tenant was processed.
    Done,
    /// The operator stopped it; the same command continues it.
    Stopped,
}

/// What one table got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeededTable {
    /// The table.
    pub table: TableName,
    /// Rows that were inserted, one a tenant.
    pub created: u64,
    /// Tenants that had a row.
    pub already_there: u64,
}

/// The result of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantLine {
    /// Its line in the CSV file.
    pub line: Option<u64>,
    /// Its slug; as it was asked for, where no such tenant was found.
    pub tenant: String,
    /// Its id, where it was found.
    pub id: Option<TenantId>,
    /// How it ended.
    pub result: TenantResult,
    /// It did not exist and was made.
    pub made: bool,
    /// Tables in which it got a row.
    pub created: Vec<TableName>,
    /// Why it failed. JSON has the sentence in `reason`, and this in `cause`.
    #[serde(flatten, serialize_with = "reason_and_cause")]
    pub failure: Option<SeedFailure>,
}

impl TenantLine {
    /// Why it failed, in words.
    pub fn reason(&self) -> Option<String> {
        self.failure.as_ref().map(SeedFailure::to_string)
    }
}

/// How one tenant ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantResult {
    /// It got at least one row.
    Created,
    /// It had every row.
    AlreadyThere,
    /// It got nothing.
    Failed,
}

impl TenantResult {
    /// As JSON and CSV spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::AlreadyThere => "already_there",
            Self::Failed => "failed",
        }
    }
}

impl SeedReport {
    pub(crate) fn new(tables: &[TableName], dry_run: bool) -> Self {
        let tables =
            tables.iter().map(|table| SeededTable { table: table.clone(), created: 0, already_there: 0 }).collect();
        Self {
            schema: "seed/1",
            dry_run,
            outcome: SeedOutcome::Done,
            tenants: 0,
            tenants_made: 0,
            created: 0,
            already_there: 0,
            failed: 0,
            tables,
            failures: Vec::new(),
            failures_not_listed: 0,
            lines: Vec::new(),
            seconds: 0.0,
            tenants_per_second: 0.0,
        }
    }

    /// Counts one tenant.
    pub(crate) fn add(&mut self, line: &TenantLine) {
        self.tenants += 1;
        self.tenants_made += u64::from(line.made);
        match line.result {
            TenantResult::Created => self.created += 1,
            TenantResult::AlreadyThere => self.already_there += 1,
            TenantResult::Failed => self.failed += 1,
        }
        if line.result != TenantResult::Failed {
            for count in &mut self.tables {
                let created = line.created.contains(&count.table);
                *(if created { &mut count.created } else { &mut count.already_there }) += 1;
            }
        } else if self.failures.len() < MOST_FAILURES {
            self.failures.push(line.clone());
        } else {
            self.failures_not_listed += 1;
        }
        if self.tenants as usize <= FEW {
            self.lines.push(line.clone());
        } else {
            self.lines.clear();
        }
    }
}
