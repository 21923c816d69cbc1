//! Tables that a run over all tables has no plan for, with the rows in them that have no tenant. Without these, a run that found nothing to
//! do says nothing about the rows of the database.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::class::{Class, ClassifiedTable, Unhandled};
use tenant_inventory::{Catalog, TenantTable};
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Access, AuditTx, Database, Error as RlsError, Sql, Template, visibility};

use crate::error::Result;

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
    /// Its tenant column cannot be handled.
    Unhandled {
        /// The tenant column.
        column: String,
        /// Why not.
        why: Unhandled,
    },
}

/// The rows of a table that have no tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RowsWithoutTenant {
    /// So many, counted by a role that sees every row.
    Counted {
        /// The number.
        rows: u64,
    },
    /// They could not be counted.
    Unknown {
        /// What is in the way.
        error: String,
    },
}

impl RowsWithoutTenant {
    /// It was counted that there are none.
    pub fn none(&self) -> bool {
        *self == Self::Counted { rows: 0 }
    }

    /// The rows that were counted.
    pub fn counted(&self) -> u64 {
        match self {
            Self::Counted { rows } => *rows,
            Self::Unknown { .. } => 0,
        }
    }
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSource => f.write_str("tenancy.toml names no source"),
            Self::Unhandled { column, why } => Class::Unhandled { column: column.clone(), why: why.clone() }.fmt(f),
        }
    }
}

/// Counts the rows without a tenant in the tables of the inventory for which `ran` is false. Tables whose rows without a tenant are declared
/// to be the platform's are left out.
///
/// # Errors
/// For a name that no column can have. What fails for one table is a part of its value.
pub async fn count_not_run(
    database: &Database,
    tenancy: &Tenancy,
    (catalog, classes): (&Catalog, &[ClassifiedTable]),
    ran: impl Fn(&TableName) -> bool,
) -> Result<Vec<TableNotRun>, RlsError> {
    let known: BTreeMap<&TableName, &TenantTable> = catalog.tables.iter().map(|table| (&table.name, table)).collect();
    let mut not_run = Vec::new();
    for ClassifiedTable { table, class, .. } in classes.iter().filter(|classified| !ran(&classified.table)) {
        let (column, why) = match class {
            Class::Tenant { column } => (column, NotRun::NoSource),
            Class::Unhandled { column, why } => {
                (column, NotRun::Unhandled { column: column.clone(), why: why.clone() })
            }
            _ => continue,
        };
        let rows = match known.get(table) {
            Some(known) if known.column.never_null => RowsWithoutTenant::Counted { rows: 0 },
            known => {
                let partitioned = known.is_some_and(|known| known.partitioned);
                match count(database, tenancy, table, &Ident::new(column)?, partitioned).await {
                    Ok(rows) => RowsWithoutTenant::Counted { rows },
                    Err(error) => RowsWithoutTenant::Unknown { error: error.to_string() },
                }
            }
        };
        not_run.push(TableNotRun { table: table.clone(), why, rows });
    }
    Ok(not_run)
}

async fn count(
    database: &Database,
    tenancy: &Tenancy,
    table: &TableName,
    column: &Ident,
    partitioned: bool,
) -> Result<u64> {
    let access = [Access { table: table.clone(), read: vec![column.clone()], write: None }];
    let mut audit = AuditTx::begin(database, &access, &visibility::readers(database, tenancy)?, None).await?;
    let whole = Template::new(if partitioned { ":\"table\"" } else { "ONLY :\"table\"" }).table("table", table).build();
    let statement: Sql = Template::new(include_str!("../../../sql/backfill-engine/count_null.sql"))
        .fragment("whole", whole)
        .fragment("open", Template::new("t.:\"column\" IS NULL").ident("column", column).build())
        .build();
    let rows: i64 = sqlx::query_scalar(&statement)
        .fetch_one(audit.connection())
        .await
        .map_err(RlsError::query(format!("counting the rows of {table} without a tenant")))?;
    audit.close().await?;
    Ok(from_bigint(rows))
}
