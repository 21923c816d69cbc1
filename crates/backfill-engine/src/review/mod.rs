//! The review: a CSV file with the rows that people must decide. It is streamed, and takes its place when it is
//! complete.

pub(crate) mod apply;
pub(crate) mod cells;
pub(crate) mod columns;
pub(crate) mod file;
pub(crate) mod refusal;
pub(crate) mod refused;
pub(crate) mod whole_file;

#[cfg(test)]
mod tests;

use crate::error::Result;
use crate::plan::BackfillPlan;
use crate::statements::Statements;

use std::path::Path;

use futures_util::TryStreamExt as _;
use sqlx::Row;
use sqlx::postgres::PgRow;
use tenancy_config::FileError;
use tenancy_config::csv::CsvWriter;
use tenancy_config::files::{NewFile, Readers};
use tenant_rls::{AuditTx, Error as RlsError};

/// Writes the columns `table`, `id` and `reason`; for each source the tenant that it names and the key of the row where
/// it found it; an empty `decision` for people to fill in; and the fingerprint of all this.
///
/// # Errors
/// [`Error::File`](crate::Error::File) if the file cannot be written; an existing file of that name is then untouched.
/// [`Error::Database`](crate::Error::Database) if the rows cannot be read.
pub(crate) async fn write(
    audit: &mut AuditTx,
    plan: &BackfillPlan,
    statements: &Statements,
    path: &Path,
) -> Result<()> {
    let mut csv = CsvWriter::new(NewFile::create(path, Readers::Owner)?);
    let cannot = |source| FileError::io(path, source);
    csv.record(columns::of(plan)).map_err(cannot)?;
    let table = plan.table.to_string();
    let mut rows = sqlx::query(&statements.review).fetch(audit.connection());
    while let Some(row) = rows.try_next().await.map_err(RlsError::query("reading the rows that people must decide"))? {
        csv.record(record(plan, &table, &row)).map_err(cannot)?;
    }
    Ok(csv.into_inner().map_err(cannot)?.finish()?)
}

fn record(plan: &BackfillPlan, table: &str, row: &PgRow) -> Vec<String> {
    let (tenants, ghosts): (Vec<Option<String>>, Vec<Option<String>>) = (row.get("tenants"), row.get("ghosts"));
    let pointers: Vec<Option<String>> = row.get("pointers");
    let reason = if row.get::<bool, _>("conflict") { "conflict" } else { "unresolved" };
    let mut record = vec![table.to_owned(), row.get("row_key"), reason.to_owned()];
    let said = tenants.into_iter().zip(ghosts).map(|(tenant, ghost)| match (tenant, ghost) {
        (Some(tenant), _) => tenant,
        (None, Some(ghost)) => format!("(no such tenant: {ghost:?})"),
        (None, None) => String::new(),
    });
    for ((source, said), pointer) in plan.sources.iter().zip(said).zip(pointers) {
        record.push(said);
        record.extend(source.pointer().map(|_| pointer.unwrap_or_default()));
    }
    record.extend([String::new(), row.get("fingerprint")]);
    record
}
