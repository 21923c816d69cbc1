//! The rows that people must decide, as CSV: streamed, and put in place only when it is whole.

mod cells;
mod columns;
mod file;
mod refused;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use futures_util::TryStreamExt as _;
use sqlx::Row;
use sqlx::postgres::PgRow;
use tempfile::NamedTempFile;
use tenant_rls::{AuditTx, Error as RlsError};

use crate::statements::Statements;
use crate::{Error, Plan, Result};

pub(crate) use cells::guard;
pub use file::CheckedReview;
pub(crate) use file::{Asked, Content, Line, ReviewFile};
pub(crate) use refused::Refused;

/// Writes `table, id, reason`, for each source the tenant that it names and the key of the row which it has that from, an empty
/// `decision` for people to fill in, and the fingerprint of all this.
///
/// # Errors
/// [`Error::Review`] where the file cannot be written; a file of that name is untouched then.
pub(crate) async fn write(audit: &mut AuditTx, plan: &Plan, statements: &Statements, path: &Path) -> Result<()> {
    let cannot = |source: io::Error| Error::Review { path: path.to_owned(), source };
    let mut csv = csv::Writer::from_writer(beside(path).map_err(cannot)?);
    csv.write_record(columns::of(plan)).map_err(|error| cannot(error.into()))?;
    let table = plan.table.to_string();
    let mut rows = sqlx::query(&statements.review).fetch(audit.connection());
    while let Some(row) = rows.try_next().await.map_err(RlsError::query("reading the rows that people must decide"))? {
        let record = record(plan, &table, &row);
        csv.write_record(record.iter().map(|cell| guard(cell).into_owned())).map_err(|error| cannot(error.into()))?;
    }
    put_in_place(csv, path).map_err(cannot)
}

fn record(plan: &Plan, table: &str, row: &PgRow) -> Vec<String> {
    let (tenants, ghosts): (Vec<Option<String>>, Vec<Option<String>>) = (row.get(2), row.get(3));
    let pointers: Vec<Option<String>> = row.get(4);
    let reason = if row.get::<bool, _>(1) { "conflict" } else { "unresolved" };
    let mut record = vec![table.to_owned(), row.get(0), reason.to_owned()];
    let said = tenants.into_iter().zip(ghosts).map(|(tenant, ghost)| match (tenant, ghost) {
        (Some(tenant), _) => tenant,
        (None, Some(ghost)) => format!("(no such tenant: {ghost:?})"),
        (None, None) => String::new(),
    });
    for ((source, said), pointer) in plan.sources.iter().zip(said).zip(pointers) {
        record.push(said);
        record.extend(source.pointer().map(|_| pointer.unwrap_or_default()));
    }
    record.extend([String::new(), row.get(5)]);
    record
}

/// A file that takes the place of `path` when it is whole.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    NamedTempFile::new_in(folder)
}

fn put_in_place(csv: csv::Writer<NamedTempFile>, path: &Path) -> io::Result<()> {
    let file = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
