//! Suggests sources for each table: foreign keys, existing rules, and columns whose values are keys.

mod beside_keys;
mod guess;
mod keys;
mod measure;
mod notes;
mod pointing;
mod rank;
mod reader;
mod report;
mod table;
mod ways;

use std::collections::BTreeMap;

use tenancy_config::Tenancy;
use tenant_inventory::{Catalog, Column, TenantTable, read_all_tables};
use tenant_rls::Database;

use crate::error::{Error, Result};
use crate::plan::BackfillPlan;
use crate::suggest::reader::TableReader;

pub use beside_keys::{SourcesBesideKeys, sources_beside_keys};
pub use keys::{short_name, sources_from_keys};
pub use notes::SuggestNote;
pub use report::{Basis, SourceSuggestion, SuggestReport, TableSuggestion, UnsuitableTable};

/// Examines every tenant table whose rows could lack a tenant. It reads a bounded sample of each, by a role that is proven to
/// see every row; where there is none for a table, that is said, and its sources are not compared with rows.
///
/// # Errors
/// [`tenant_rls::Error::CannotSee`] if there is no such role for any table; [`Error::Unsuitable`] if a rule of
/// `tenancy.toml` cannot work; [`Error::Database`] if the database cannot be read.
pub async fn suggest(database: &Database, tenancy: &Tenancy) -> Result<SuggestReport> {
    let catalog = Catalog::load(database, tenancy).await?;
    let mut columns = BTreeMap::new();
    for table in &catalog.tables {
        columns.insert(table.name.clone(), Column::all(database, &table.name).await?);
    }
    let facts = read_all_tables(database, tenancy).await?;
    let facts = facts.iter().map(|table| (&table.name, table)).collect();
    let reader = TableReader { database, tenancy, catalog: &catalog, columns, facts };
    let mut report = SuggestReport { schema: "backfill-suggest/1", tables: Vec::new(), unsuitable: Vec::new() };
    let wants_tenants = |table: &&TenantTable| !table.null_rows_are_meant() && !table.column.never_null;
    for table in catalog.tables.iter().filter(wants_tenants) {
        match BackfillPlan::bare(&catalog, tenancy, &table.name.to_string()) {
            Ok(plan) => report.tables.push(reader.table(table, plan).await?),
            Err(Error::Unsuitable { table, why }) => report.unsuitable.push(UnsuitableTable { table, cause: *why }),
            Err(error) => return Err(error),
        }
    }
    let hidden = |table: &TableSuggestion| table.notes.iter().any(|note| matches!(note, SuggestNote::Hidden { .. }));
    if let Some(table) = report.tables.first().filter(|_| report.tables.iter().all(hidden)) {
        let plan = BackfillPlan::bare(&catalog, tenancy, &table.table.to_string())?;
        crate::survey::open(database, tenancy, &plan).await?.close().await?;
    }
    Ok(report)
}
