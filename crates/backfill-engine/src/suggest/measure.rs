//! Queries over rows: which columns hold keys of other tables, and what sources would answer.

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_rls::row_count::from_bigint;
use tenant_rls::{AuditTx, Error as RlsError, Sql, Template};

use crate::error::Result;
use crate::fragments::list;
use crate::plan::BackfillPlan;
use crate::plan::cast::Cast;
use crate::statements::resolution::Resolution;

/// The most rows that are examined, of those without a tenant and of the others.
const ROWS: i64 = 10_000;

/// The most rows whose values are compared with keys.
const VALUES: i64 = 1_000;

/// The timeout of one query.
pub(super) const TIMEOUT: &str = "60s";

/// A table that a column may point to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyedTable {
    pub(super) table: TableName,
    pub(super) key: Ident,
    /// How the column is compared with the key.
    pub(super) cast: Cast,
    /// The column or the key is a whole number, and small ones are keys of any table.
    pub(super) is_number: bool,
}

/// A column that is no known source.
#[derive(Debug)]
pub(super) struct OpenColumn {
    pub(super) column: Ident,
    /// Of a polymorphic pair: the column that says of which table this one is a key.
    pub(super) kind: Option<Ident>,
    /// The tables that it may point to.
    pub(super) tables: Vec<KeyedTable>,
}

/// The most kinds of a polymorphic pair that are looked at.
const KINDS: i64 = 50;

/// What the sources of a plan would answer, in the order of the sources.
#[derive(Debug)]
pub(super) struct SourceMeasurements {
    pub(super) rows_without: u64,
    pub(super) rows_with: u64,
    pub(super) resolves: Vec<u64>,
    pub(super) compared: Vec<u64>,
    pub(super) agrees: Vec<u64>,
}

/// Sets the timeout of queries.
pub(super) async fn limit(audit: &mut AuditTx, timeout: &str) -> Result<()> {
    sqlx::query("SELECT pg_catalog.set_config('statement_timeout', $1, true)")
        .bind(timeout)
        .execute(audit.connection())
        .await
        .map_err(RlsError::query("limiting the time of a question"))?;
    Ok(())
}

/// The values of the column that says of which table another one is a key, as text.
pub(super) async fn kinds(audit: &mut AuditTx, table: &TableName, kind: &Ident) -> Result<Vec<String>, RlsError> {
    let sql = Template::new(include_str!("../../../../sql/backfill-engine/kinds.sql"))
        .table("target", table)
        .ident("kind", kind)
        .build();
    sqlx::query_scalar(&sql)
        .bind(KINDS)
        .fetch_all(audit.connection())
        .await
        .map_err(RlsError::query(format!("reading the values of {kind} of {table}")))
}

/// Counts the distinct values of a column, and how many of them are keys of each table; of a polymorphic pair, in rows of one kind.
pub(super) async fn key_matches(
    audit: &mut AuditTx,
    table: &TableName,
    (column, kind): (&Ident, Option<(&Ident, &str)>),
    others: &[&KeyedTable],
) -> Result<(u64, Vec<u64>), RlsError> {
    let wanted = kind.map_or(Sql::from_static("true"), |(kind, value)| {
        let equal = Template::new("t.:\"kind\"::pg_catalog.text OPERATOR(pg_catalog.=) :'value'");
        equal.ident("kind", kind).literal("value", value).build()
    });
    let matches = others.iter().map(|other| {
        Template::new(include_str!("../../../../sql/backfill-engine/fragments/key_match.sql"))
            .table("other", &other.table)
            .ident("key", &other.key)
            .fragment("value", other.cast.of(Sql::from_static("few.value")))
            .build()
    });
    let sql = Template::new(include_str!("../../../../sql/backfill-engine/key_matches.sql"))
        .table("target", table)
        .ident("column", column)
        .fragment("wanted", wanted)
        .fragment("matches", Sql::join(matches, ", "))
        .build();
    let row = sqlx::query(&sql)
        .bind(VALUES)
        .fetch_one(audit.connection())
        .await
        .map_err(RlsError::query(format!("comparing {column} of {table} with keys")))?;
    Ok((count(row.get("different_values")), counts(row.get("key_matches"))))
}

/// Measures the sources of a plan on a sample of its rows.
pub(super) async fn sources(
    audit: &mut AuditTx,
    plan: &BackfillPlan,
    estimated_rows: f32,
) -> Result<SourceMeasurements> {
    let resolution = Resolution::of(plan)?;
    let alone = resolution.alone();
    let each = |text: &'static str, compares: bool| {
        let of = |alone: &Sql| {
            let one = Template::new(text).fragment("alone", alone.clone());
            if compares { one.fragment("cast", plan.cast_to_compare()) } else { one }.build()
        };
        Sql::join(alone.iter().map(of), ", ")
    };
    let sql = Template::new(include_str!("../../../../sql/backfill-engine/suggest.sql"))
        .fragment("whole", plan.whole())
        .ident("column", &plan.column)
        .fragment("vias", list(&resolution.vias))
        .fragment("said", list(&resolution.tenants))
        .fragment("joins", Sql::join(resolution.joins.iter().cloned(), "\n"))
        .fragment("resolves", each("pg_catalog.count(*) FILTER (WHERE own IS NULL AND (:alone) IS NOT NULL)", false))
        .fragment(
            "compared",
            each("pg_catalog.count(*) FILTER (WHERE own IS NOT NULL AND (:alone) IS NOT NULL)", false),
        )
        .fragment("agrees", each("pg_catalog.count(*) FILTER (WHERE own OPERATOR(pg_catalog.=) (:alone):cast)", true))
        .fragment("cast", plan.cast_to_compare())
        .build();
    let row = sqlx::query(&sql)
        .bind(ROWS)
        .bind(percent_of_pages(estimated_rows))
        .fetch_one(audit.connection())
        .await
        .map_err(RlsError::query(format!("asking what the sources of {} say", plan.table)))?;
    Ok(SourceMeasurements {
        rows_without: count(row.get("rows_without")),
        rows_with: count(row.get("rows_with")),
        resolves: counts(row.get("resolves")),
        compared: counts(row.get("compared")),
        agrees: counts(row.get("agrees")),
    })
}

/// The share of pages with about twice the wanted rows, as pages differ; all pages of a small table, or of one that was
/// never analyzed.
fn percent_of_pages(estimated_rows: f32) -> f32 {
    if estimated_rows <= 0.0 { 100.0 } else { (200.0 * ROWS as f32 / estimated_rows).min(100.0) }
}

fn count(rows: i64) -> u64 {
    from_bigint(rows)
}

fn counts(rows: Vec<i64>) -> Vec<u64> {
    rows.into_iter().map(count).collect()
}
