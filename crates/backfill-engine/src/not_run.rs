//! Tables that a run over all tables has no plan for, with the rows in them that have no tenant. Without these, a run that found nothing to
//! do says nothing about the rows of the database.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::class::{Class, ClassifiedTable, Unhandled};
use tenant_inventory::{Catalog, TenantTable};
use tenant_rls::{Database, Error as RlsError};

use crate::error::Error;
use crate::finding::AbsentSource;
use crate::plan::source::all_absent;
use crate::without_tenant::{CountLimits, Counted, RowsWithoutTenant, count_each};

/// A table with a tenant column that was not backfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableNotRun {
    /// The table.
    pub table: TableName,
    /// Why not.
    #[serde(flatten)]
    pub why: NotRun,
    /// Its rows without a tenant.
    pub rows: RowsWithoutTenant,
}

/// Why a table was not backfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NotRun {
    /// `tenancy.toml` names no source for it.
    NoSource,
    /// This database lacks the tables of all of its sources.
    SourcesAbsent {
        /// The sources.
        absent: Vec<AbsentSource>,
    },
    /// Its tenant column cannot be handled.
    Unhandled {
        /// The tenant column.
        column: String,
        /// Why not.
        why: Unhandled,
    },
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSource => f.write_str("tenancy.toml names no source"),
            Self::SourcesAbsent { absent } => {
                f.write_str(&absent.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
            Self::Unhandled { column, why } => Class::Unhandled { column: column.clone(), why: why.clone() }.fmt(f),
        }
    }
}

/// Counts the rows without a tenant in the tables of the inventory for which `ran` is false, within `limits`, or else to the end. Tables whose
/// rows without a tenant are declared to be the platform's are left out.
///
/// # Errors
/// For a name that no column can have, and where no role can be asked what it sees. What fails for one table is a part of its value.
pub async fn count_not_run(
    database: &Database,
    tenancy: &Tenancy,
    (catalog, classes): (&Catalog, &[ClassifiedTable]),
    limits: Option<CountLimits>,
    ran: impl Fn(&TableName) -> bool,
) -> Result<Vec<TableNotRun>, RlsError> {
    let known: BTreeMap<&TableName, &TenantTable> = catalog.tables.iter().map(|table| (&table.name, table)).collect();
    let (mut not_run, mut counted) = (Vec::new(), Vec::new());
    for ClassifiedTable { table, class, .. } in classes.iter().filter(|classified| !ran(&classified.table)) {
        let (column, why) = match class {
            Class::Tenant { column } => (column, without_source(catalog, tenancy, table)?),
            Class::Unhandled { column, why } => {
                (column, NotRun::Unhandled { column: column.clone(), why: why.clone() })
            }
            _ => continue,
        };
        let known = known.get(table);
        if !known.is_some_and(|known| known.column.never_null) {
            let partitioned = known.is_some_and(|known| known.partitioned);
            counted.push(Counted { table, column: Ident::new(column)?, partitioned });
        }
        not_run.push(TableNotRun { table: table.clone(), why, rows: RowsWithoutTenant::Counted { rows: 0 } });
    }
    let rows = count_each(database, tenancy, &counted, limits).await?;
    let of_tables: BTreeMap<&TableName, RowsWithoutTenant> =
        counted.iter().map(|counted| counted.table).zip(rows).collect();
    for table in &mut not_run {
        if let Some(rows) = of_tables.get(&table.table) {
            table.rows = rows.clone();
        }
    }
    Ok(not_run)
}

/// Why a table has no plan although its tenant column can be handled.
fn without_source(catalog: &Catalog, tenancy: &Tenancy, table: &TableName) -> Result<NotRun, RlsError> {
    let absent = match tenancy.rules(table).map(|rules| all_absent(catalog, tenancy, rules)).transpose() {
        Ok(absent) => absent.flatten(),
        Err(Error::Database(error)) => return Err(error),
        Err(_) => None,
    };
    Ok(absent.map_or(NotRun::NoSource, |absent| NotRun::SourcesAbsent { absent }))
}
