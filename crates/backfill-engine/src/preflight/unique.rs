//! Unique keys that the assignment would break. The check uses the same sources, tie-breakers and decision as the
//! batches, which leave these rows out.

use std::fmt;

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, Tenancy};
use tenant_rls::{AuditTx, CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, Obstacle, OwnerTx, visibility};

use crate::error::{Error, Result};
use crate::format::listed;
use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::preflight::unique_index::{UniqueIndex, statement};
use crate::unseen::{sentence, why_and_obstacles};
use tenant_rls::row_count::from_bigint;

/// The most rows that batches leave out, as their statement names each of them.
const MOST: usize = 10_000;

/// The number of rows that a sentence names.
const SHOWN: usize = 3;

/// The rows that would break one unique index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UniqueViolations {
    /// The index.
    pub index: String,
    /// The expressions that it compares.
    pub compares: Vec<String>,
    /// The rows. Every row of a group of duplicates is included, as nobody knows which of them is right.
    pub rows: Vec<UniqueViolation>,
}

/// A row that would break a unique index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UniqueViolation {
    /// Its key.
    pub key: String,
    /// The values that the index would hold, in the order of `compares`.
    pub values: Vec<Option<String>>,
}

/// A unique index that could not be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UncheckedIndex {
    /// The index.
    pub index: String,
    /// What is in the way of each role.
    #[serde(flatten, serialize_with = "why_and_obstacles")]
    pub obstacles: Vec<Obstacle>,
}

impl fmt::Display for UniqueViolations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.rows.iter().take(SHOWN).map(|row| {
            let values = row.values.iter().map(|value| value.as_deref().unwrap_or("NULL"));
            format!("{} ({})", row.key, listed(values))
        });
        let more = if self.rows.len() > SHOWN { " …" } else { "" };
        write!(
            f,
            "{} rows would break the unique key {} on {} with the tenant that they are to get, and are left out: {}{more}",
            self.rows.len(),
            self.index,
            self.compares.join(", "),
            listed(shown)
        )
    }
}

impl fmt::Display for UncheckedIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "whether rows would break the unique key {} cannot be told: {}",
            self.index,
            sentence(&self.obstacles)
        )
    }
}

pub(super) async fn find(
    database: &Database,
    tenancy: &Tenancy,
    plan: &BackfillPlan,
    on_conflict: OnConflict,
) -> Result<(Vec<UniqueViolations>, Vec<UncheckedIndex>)> {
    let (mut broken, mut unchecked) = (Vec::new(), Vec::new());
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let indexes = unique_indexes(tx.connection(), plan).await?;
    tx.rollback().await?;
    for index in indexes {
        match breaks(&index, database, tenancy, plan, on_conflict).await {
            Ok(breaks) => broken.extend(breaks),
            Err(Error::Database(RlsError::CannotSee(obstacles))) => {
                unchecked.push(UncheckedIndex { index: index.name, obstacles });
            }
            Err(error) => return Err(error),
        }
    }
    Ok((broken, unchecked))
}

async fn unique_indexes(connection: &mut PgConnection, plan: &BackfillPlan) -> Result<Vec<UniqueIndex>> {
    let doing = || RlsError::query(format!("looking for unique keys of {}", plan.table));
    let rows = sqlx::query(include_str!("../../../../sql/backfill-engine/preflight_unique.sql"))
        .bind(plan.table.schema().as_str())
        .bind(plan.table.name().as_str())
        .bind(plan.column.as_str())
        .fetch_all(connection)
        .await
        .map_err(doing())?;
    let index = |row: &sqlx::postgres::PgRow| {
        let columns = row.get::<Vec<String>, _>("columns").into_iter().map(Ident::new);
        Ok(UniqueIndex {
            name: row.get("name"),
            compares: row.get("compares"),
            predicate: row.get("predicate"),
            columns: columns.collect::<Result<_, _>>()?,
            nulls_equal: row.get("nulls_equal"),
        })
    };
    rows.iter().map(index).collect()
}

async fn breaks(
    index: &UniqueIndex,
    database: &Database,
    tenancy: &Tenancy,
    plan: &BackfillPlan,
    on_conflict: OnConflict,
) -> Result<Option<UniqueViolations>> {
    let mut access = plan.read_access();
    // The first entry is the table itself.
    access[0].read.extend(index.columns.iter().cloned());
    let mut audit = AuditTx::begin(database, &access, &visibility::readers(database, tenancy)?, None).await?;
    let rows = sqlx::query(statement(plan, index, on_conflict)?)
        .bind(i64::try_from(MOST).unwrap_or(i64::MAX))
        // The server prints the expressions of an index without the schema pg_catalog. They run under a pinned path, as
        // autovacuum runs them.
        .fetch_all(audit.pinned().await?)
        .await
        .map_err(RlsError::query(format!("looking for rows that would break {}", index.name)))?;
    audit.close().await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let total = from_bigint(first.get("total"));
    if total > rows.len() as u64 {
        let (table, index) = (plan.table.clone(), index.name.clone());
        return Err(Error::TooManyUniqueBreaks { table, index, rows: total });
    }
    let rows =
        rows.iter().map(|row| UniqueViolation { key: row.get("row_key"), values: row.get("key_values") }).collect();
    Ok(Some(UniqueViolations { index: index.name.clone(), compares: index.compares.clone(), rows }))
}
