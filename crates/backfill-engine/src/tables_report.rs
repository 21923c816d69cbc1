//! The report of a backfill of several tables.

use std::collections::BTreeSet;

use serde::Serialize;
use tenancy_config::{Hint, TableName, Tenancy, UserError};
use tenant_inventory::class::{Class, classify};
use tenant_inventory::coverage::Coverage;
use tenant_inventory::{Absence, Catalog, read_all_tables};
use tenant_rls::Database;

use crate::error::{Error, Result};
use crate::not_run::{RowsWithoutTenant, TableNotRun, count_not_run};
use crate::run::report::BackfillReport;

/// What a backfill of several tables did, and what is left in all of them. The JSON shape is `backfill-tables/2`.
#[derive(Debug, Clone, Serialize)]
pub struct TablesReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The tables that were backfilled, in that order.
    pub tables: Vec<BackfillReport>,
    /// The tables whose backfill failed. The others went on.
    pub failed: Vec<FailedTable>,
    /// After a run over all tables: those without a plan, with their rows without a tenant.
    pub not_run: Vec<TableNotRun>,
    /// After a run over all tables: those that `tenancy.toml` names and that cannot be backfilled, as they are not there or
    /// have no tenant column.
    pub missing: Vec<Absence>,
    /// After a dry run: what tables draw on that would have got tenants before them, so that they may get more.
    pub draws_on: Vec<DrawsOn>,
    /// Of which tables of the database the report speaks.
    pub coverage: Coverage,
}

/// A table of a dry run that takes tenants from rows of another one, which the dry run left without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrawsOn {
    /// The table.
    pub table: TableName,
    /// The table that it takes tenants from.
    pub on: TableName,
    /// Rows of that one that would have got a tenant.
    pub rows: u64,
}

/// A table whose backfill failed. What it had committed stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedTable {
    /// The table.
    pub table: TableName,
    /// What went wrong.
    pub error: String,
    /// What to do about it.
    pub hint: Option<Hint>,
}

impl FailedTable {
    /// The failure of one of several tables.
    ///
    /// # Errors
    /// The error, if it is not about this table alone, so that the others must not go on.
    pub fn of(table: &TableName, error: Error) -> Result<Self> {
        if !error.is_of_one_table() {
            return Err(error);
        }
        Ok(Self { table: table.clone(), hint: error.hint(), error: error.to_string() })
    }
}

impl TablesReport {
    /// Adds what the database has besides the tables that were backfilled; with `all`, also their rows without a tenant.
    ///
    /// # Errors
    /// [`Error::Database`] if the catalog cannot be read.
    pub async fn of(
        database: &Database,
        tenancy: &Tenancy,
        catalog: &Catalog,
        (tables, failed): (Vec<BackfillReport>, Vec<FailedTable>),
        all: bool,
    ) -> Result<Self> {
        let classes = classify(&read_all_tables(database, tenancy).await?, tenancy)?;
        let ran = |name: &TableName| tables.iter().any(|report| report.table == *name);
        let tried = |name: &TableName| ran(name) || failed.iter().any(|failed| failed.table == *name);
        let not_run = match all {
            true => count_not_run(database, tenancy, (catalog, &classes), tried).await?,
            false => Vec::new(),
        };
        let counted = |name: &TableName| {
            not_run.iter().any(|table| table.table == *name && matches!(table.rows, RowsWithoutTenant::Counted { .. }))
        };
        // Rows without a tenant are declared there.
        let platform = |name: &TableName| {
            all && classes.iter().any(|one| one.table == *name && matches!(one.class, Class::Platform { .. }))
        };
        let coverage = Coverage::of(&classes, |name| ran(name) || counted(name) || platform(name));
        let missing = if all { catalog.missing.clone() } else { Vec::new() };
        let draws_on = draws_on(tenancy, &tables);
        Ok(Self { schema: "backfill-tables/2", tables, failed, not_run, missing, draws_on, coverage })
    }

    /// Rows that are left without a tenant, as far as they were counted.
    pub fn remaining(&self) -> u64 {
        let ran: u64 = self.tables.iter().map(|report| report.remaining).sum();
        ran + self.not_run.iter().map(|table| table.rows.counted()).sum::<u64>()
    }

    /// Whether no table failed, and no row of the tables that the report is about is left without a tenant.
    pub fn is_complete(&self) -> bool {
        let counted = self.not_run.iter().all(|table| table.rows.none());
        self.failed.is_empty() && counted && self.tables.iter().all(BackfillReport::is_complete)
    }
}

/// What a dry run did not show: rows of a table would have got tenants that others take from them.
fn draws_on(tenancy: &Tenancy, tables: &[BackfillReport]) -> Vec<DrawsOn> {
    let schema = &tenancy.database.schema;
    let sources = |table: &TableName| -> BTreeSet<TableName> {
        let rules = tenancy.rules(table).map(|rules| rules.sources.as_slice()).unwrap_or_default();
        rules.iter().filter_map(|source| TableName::parse(&source.table, schema).ok()).collect()
    };
    let filled: Vec<&BackfillReport> = tables.iter().filter(|report| report.dry_run && report.assigned > 0).collect();
    let open = tables.iter().filter(|report| report.remaining > 0);
    let of_table = |report: &BackfillReport| {
        let (table, sources) = (report.table.clone(), sources(&report.table));
        let drawn = filled.iter().filter(move |other| other.table != table && sources.contains(&other.table));
        let table = report.table.clone();
        drawn
            .map(move |other| DrawsOn { table: table.clone(), on: other.table.clone(), rows: other.assigned })
            .collect::<Vec<_>>()
    };
    open.flat_map(of_table).collect()
}
