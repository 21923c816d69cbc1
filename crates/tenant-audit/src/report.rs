//! What an audit found, in a documented and versioned shape.

use std::fmt;

use serde::Serialize;
use tenancy_config::{Hint, TableName};
use tenant_inventory::Absence;
use tenant_inventory::StrayValues;
use tenant_inventory::coverage::Coverage;
use tenant_rls::ActingRole;

use crate::uncounted::UncountedTable;

/// Name and version of the report's JSON shape.
pub const SCHEMA: &str = "tenant-audit/2";

/// What an audit found.
#[derive(Debug, Clone, Serialize)]
pub struct AuditReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The database's name.
    pub database: String,
    /// The role that was proven to see every row of all tables; `None` (JSON `null`) where there was no table to read, or none sees all of
    /// them: each table has its own.
    pub role: Option<ActingRole>,
    /// The tenant table.
    pub tenants: TableName,
    /// Whether the tenant table and its key are there; without them there are no ghosts to look for.
    pub tenants_found: bool,
    /// The tenant tables that were counted, by name.
    pub tables: Vec<TableReport>,
    /// Those that could not be counted, by name. Each is a finding.
    pub uncounted: Vec<UncountedTable>,
    /// Tables that `tenancy.toml` names and that are not there, or have no tenant column.
    pub missing: Vec<Absence>,
    /// What `tenancy.toml` declares of the tables that were counted, and is no finding for that reason.
    pub declared: Vec<Declaration>,
    /// Of which tables of the database the report speaks.
    pub coverage: Coverage,
    /// Sums over all tables.
    pub totals: AuditTotals,
    /// What to do next, a sentence each, most useful first.
    pub next: Vec<Hint>,
}

impl AuditReport {
    /// The number of findings: rows at fault, each counted once for each fault, missing pieces, and tables that could not be counted.
    pub fn findings(&self) -> u64 {
        self.totals.findings
    }
}

/// What `tenancy.toml` declares of a table, with the rows that this is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Declaration {
    /// The table.
    pub table: TableName,
    /// What is declared.
    #[serde(flatten)]
    pub declared: Declared,
    /// Rows that would be findings without it.
    pub rows: u64,
}

/// What `tenancy.toml` can declare of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "declared", rename_all = "snake_case")]
pub enum Declared {
    /// Rows without a tenant belong to the whole platform.
    PlatformRows,
    /// Rows may reference rows of other tenants.
    CrossTenantReferences {
        /// Why, as it says there.
        why: String,
    },
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, rows, .. } = self;
        match &self.declared {
            Declared::PlatformRows => write!(f, "{table}: {rows} without a tenant, platform_rows"),
            Declared::CrossTenantReferences { why } => {
                write!(f, "{table}: {rows} that reference another tenant's row, cross_tenant_references: {why}")
            }
        }
    }
}

/// What an audit found in one table.
#[derive(Debug, Clone, Serialize)]
pub struct TableReport {
    /// The table.
    pub table: TableName,
    /// The role that was proven to see all of its rows.
    pub role: ActingRole,
    /// Its tenant column.
    pub column: String,
    /// The tenant column's type, as `format_type` prints it.
    pub column_type: String,
    /// Rows, of every kind.
    pub rows: u64,
    /// Rows whose tenant is NULL.
    pub null_rows: u64,
    /// A validated NOT NULL proves that there are none: they were not looked for.
    pub null_proven: bool,
    /// Rows whose tenant is NULL belong to the whole platform and are no finding.
    pub platform_rows: bool,
    /// Rows whose tenant is NULL are for every tenant and are no finding.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared_rows: bool,
    /// Rows whose tenant is the empty string.
    pub empty_rows: u64,
    /// Rows whose tenant does not exist, empty strings aside; `None` (JSON `null`) where there is no tenant table.
    pub ghost_rows: Option<u64>,
    /// What stands there instead of a tenant's key, empty strings included: the most frequent values.
    pub stray: StrayValues,
    /// Foreign keys to other tenant tables, by constraint name, also those without a fault.
    pub cross_references: Vec<CrossReference>,
    /// Why rows may reference other tenants' rows, if `tenancy.toml` declares it. Such rows are no finding.
    pub cross_references_allowed: Option<String>,
    /// What the table lacks.
    pub missing: Vec<MissingPiece>,
}

impl TableReport {
    /// Rows without a tenant that should have one.
    pub fn null_findings(&self) -> u64 {
        if self.platform_rows || self.shared_rows { 0 } else { self.null_rows }
    }

    /// Rows that reference another tenant's row, once for each foreign key.
    pub fn cross_rows(&self) -> u64 {
        self.cross_references.iter().map(|reference| reference.rows).sum()
    }

    /// The same without what `tenancy.toml` declares.
    pub fn cross_findings(&self) -> u64 {
        if self.cross_references_allowed.is_some() { 0 } else { self.cross_rows() }
    }

    /// The number of findings in this table.
    pub fn findings(&self) -> u64 {
        let rows = self.null_findings() + self.empty_rows + self.ghost_rows.unwrap_or(0) + self.cross_findings();
        rows + self.missing.len() as u64
    }

    /// What is declared of its rows.
    pub(crate) fn declared(&self) -> Vec<Declaration> {
        let of = |declared, rows| Declaration { table: self.table.clone(), declared, rows };
        let platform = self.platform_rows.then(|| of(Declared::PlatformRows, self.null_rows));
        let why = self.cross_references_allowed.clone();
        let crossing = why.map(|why| of(Declared::CrossTenantReferences { why }, self.cross_rows()));
        platform.into_iter().chain(crossing).collect()
    }
}

/// A foreign key between two tenant tables, and the rows that cross tenants by it.
#[derive(Debug, Clone, Serialize)]
pub struct CrossReference {
    /// The constraint.
    pub constraint: String,
    /// Its columns here.
    pub columns: Vec<String>,
    /// The table it references.
    pub references: TableName,
    /// Rows of one tenant that reference a row of another.
    pub rows: u64,
}

/// What a tenant table lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingPiece {
    /// A valid, complete index that leads with the tenant column.
    Index,
    /// NOT NULL on the tenant column.
    NotNull,
    /// The validation of the NOT NULL on the tenant column, which is there but NOT VALID.
    NotNullValidation,
    /// A foreign key from the tenant column to the tenant table.
    ForeignKey,
    /// The validation of that foreign key, which is there but NOT VALID.
    ForeignKeyValidation,
}

impl fmt::Display for MissingPiece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Index => "index",
            Self::NotNull => "NOT NULL",
            Self::NotNullValidation => "NOT NULL is not validated",
            Self::ForeignKey => "foreign key",
            Self::ForeignKeyValidation => "foreign key is not validated",
        })
    }
}

/// Sums over all tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditTotals {
    /// Tables that were counted.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
    /// Rows whose tenant is NULL and should not be.
    pub null_rows: u64,
    /// Rows whose tenant is NULL because they belong to the whole platform: no finding.
    pub platform_rows: u64,
    /// Rows whose tenant is the empty string.
    pub empty_rows: u64,
    /// Rows whose tenant does not exist.
    pub ghost_rows: u64,
    /// Rows that reference another tenant's row, once for each foreign key.
    pub cross_rows: u64,
    /// Those of them that `tenancy.toml` allows: no finding.
    pub allowed_cross_rows: u64,
    /// Missing tables, columns, indexes and constraints.
    pub missing: u64,
    /// Tables that could not be counted.
    pub uncounted: u64,
    /// All findings: the rows at fault, what is missing, and the tables that could not be counted.
    pub findings: u64,
}

impl AuditTotals {
    pub(crate) fn of(
        tables: &[TableReport],
        uncounted: &[UncountedTable],
        missing: &[Absence],
        tenants_found: bool,
    ) -> Self {
        let sum = |count: fn(&TableReport) -> u64| tables.iter().map(count).sum::<u64>();
        let uncounted = uncounted.len() as u64;
        let elsewhere = missing.len() as u64 + u64::from(!tenants_found);
        Self {
            tables: tables.len() as u64,
            rows: sum(|table| table.rows),
            null_rows: sum(TableReport::null_findings),
            platform_rows: sum(|table| table.null_rows - table.null_findings()),
            empty_rows: sum(|table| table.empty_rows),
            ghost_rows: sum(|table| table.ghost_rows.unwrap_or(0)),
            cross_rows: sum(TableReport::cross_rows),
            allowed_cross_rows: sum(|table| table.cross_rows() - table.cross_findings()),
            uncounted,
            missing: sum(|table| table.missing.len() as u64) + elsewhere,
            findings: sum(TableReport::findings) + elsewhere + uncounted,
        }
    }
}
