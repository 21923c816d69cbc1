//! Counts the rows without a tenant of many tables, each by itself, within limits of time and number.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use sqlx::Row;
use tenancy_config::{Ident, TableName, Tenancy, milliseconds};
use tenant_rls::row_count::{from_bigint, to_bigint};
use tenant_rls::{
    Access, Database, EachReader, EachTx, Error as RlsError, Limits, Obstacle, Sql, StatementFailure, Template,
    visibility,
};

/// The SQLSTATE of a statement that was cancelled: by its time limit, or by somebody.
const CANCELLED: &str = "57014";

/// How much may be spent on counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountLimits {
    /// The limits of each table's statement.
    pub each: Limits,
    /// How long the counts of all tables may take together. No count begins later.
    pub all: Duration,
    /// How far is counted; beyond that it is enough to know that there are more.
    pub rows: u64,
}

impl CountLimits {
    /// For a glance at a database that the application is using.
    pub const BRIEF: Self = Self {
        each: Limits { lock_timeout: Duration::from_millis(100), statement_timeout: Duration::from_millis(300) },
        all: Duration::from_secs(2),
        rows: 10_000,
    };
}

/// A table whose rows without a tenant are counted.
#[derive(Debug, Clone)]
pub(crate) struct Counted<'a> {
    pub(crate) table: &'a TableName,
    pub(crate) column: Ident,
    /// Its rows are those of its partitions.
    pub(crate) partitioned: bool,
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
    /// So many were counted, and then no further.
    AtLeast {
        /// The number.
        rows: u64,
    },
    /// No role of this login sees every row of the table.
    Unseen {
        /// What is in the way of each role.
        obstacles: Vec<Obstacle>,
    },
    /// Counting took longer than it may.
    TooLong {
        /// Which limit was reached.
        limit: TimeLimit,
        /// How long that is, in milliseconds.
        limit_ms: u64,
    },
    /// The count failed.
    Failed {
        /// Why.
        #[serde(flatten)]
        why: StatementFailure,
    },
}

/// A limit on the time for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeLimit {
    /// That of one table.
    Table,
    /// That of all tables together: it was used up before the turn of this one.
    AllTables,
}

impl RowsWithoutTenant {
    /// Whether it was counted that there are none.
    pub fn none(&self) -> bool {
        *self == Self::Counted { rows: 0 }
    }

    /// The rows that were counted.
    pub fn counted(&self) -> u64 {
        match self {
            Self::Counted { rows } | Self::AtLeast { rows } => *rows,
            Self::Unseen { .. } | Self::TooLong { .. } | Self::Failed { .. } => 0,
        }
    }

    fn of(error: RlsError, limits: Option<CountLimits>, took: Duration) -> Self {
        if let (Some(CANCELLED), Some(limits)) = (error.sqlstate(), limits)
            && took >= limits.each.statement_timeout
        {
            let limit_ms = milliseconds(limits.each.statement_timeout);
            return Self::TooLong { limit: TimeLimit::Table, limit_ms };
        }
        match error {
            RlsError::CannotSee(obstacles) => Self::Unseen { obstacles },
            error => Self::Failed { why: StatementFailure::from(&error) },
        }
    }
}

impl fmt::Display for RowsWithoutTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted { rows } => write!(f, "{rows}"),
            Self::AtLeast { rows } => write!(f, "at least {rows}"),
            Self::Unseen { obstacles } => {
                let nearest: Vec<String> = Obstacle::nearest(obstacles).iter().map(ToString::to_string).collect();
                write!(f, "unknown: no role of this login sees all rows of the table: {}", nearest.join("; "))
            }
            Self::TooLong { limit: TimeLimit::Table, limit_ms } => {
                write!(f, "unknown: they were not counted within {limit_ms} ms")
            }
            Self::TooLong { limit: TimeLimit::AllTables, limit_ms } => {
                write!(f, "unknown: counting other tables took the {limit_ms} ms that there are for all")
            }
            Self::Failed { why } => write!(f, "unknown: {why}"),
        }
    }
}

/// Counts the rows without a tenant of each table, in its order: within `limits`, or else to the end. All of it is one transaction, in which
/// no lock outlives the count of its table.
pub(crate) async fn count_each(
    database: &Database,
    tenancy: &Tenancy,
    tables: &[Counted<'_>],
    limits: Option<CountLimits>,
) -> Result<Vec<RowsWithoutTenant>, RlsError> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let access = |counted: &Counted<'_>| {
        vec![Access { table: counted.table.clone(), read: vec![counted.column.clone()], write: None }]
    };
    let wanted = tables.iter().map(access).collect();
    let readers = EachReader::of_each(database, wanted, &visibility::readers(database, tenancy)?).await?;
    let mut tx = match limits {
        Some(limits) => EachTx::begin(&database.limited(limits.each)).await?,
        None => EachTx::begin(database).await?,
    };
    let began = Instant::now();
    let mut found = Vec::with_capacity(tables.len());
    for (counted, reader) in tables.iter().zip(&readers) {
        if let Some(limits) = limits.filter(|limits| began.elapsed() >= limits.all) {
            found.push(RowsWithoutTenant::TooLong { limit: TimeLimit::AllTables, limit_ms: milliseconds(limits.all) });
            continue;
        }
        let started = Instant::now();
        let rows = count(&mut tx, reader, counted, limits.map(|limits| limits.rows)).await;
        found.push(match (rows, limits) {
            (Ok(rows), Some(limits)) if rows >= limits.rows => RowsWithoutTenant::AtLeast { rows },
            (Ok(rows), _) => RowsWithoutTenant::Counted { rows },
            (Err(error), limits) => RowsWithoutTenant::of(error, limits, started.elapsed()),
        });
    }
    // What was counted stands, even if the connection was lost since.
    let _ = tx.close().await;
    Ok(found)
}

async fn count(
    tx: &mut EachTx,
    reader: &EachReader,
    counted: &Counted<'_>,
    most: Option<u64>,
) -> Result<u64, RlsError> {
    let whole = Template::new(if counted.partitioned { ":\"table\"" } else { "ONLY :\"table\"" });
    let statement: Sql = Template::new(include_str!("../../../sql/backfill-engine/count_without_tenant.sql"))
        .fragment("whole", whole.table("table", counted.table).build())
        .ident("column", &counted.column)
        .literal("most", &to_bigint(most.unwrap_or(u64::MAX)).to_string())
        .build();
    let connection = tx.enter(reader).await?;
    let row = sqlx::raw_sql(statement)
        .fetch_one(connection)
        .await
        .map_err(RlsError::query(format!("counting the rows of {} without a tenant", counted.table)))?;
    Ok(from_bigint(row.get("rows")))
}
