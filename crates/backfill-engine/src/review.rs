//! The rows that people must decide, as CSV: streamed, and put in place only when it is whole.

use std::io;
use std::path::Path;

use futures_util::TryStreamExt as _;
use sqlx::Row;
use tenant_rls::{AuditTx, Error as RlsError};

use crate::statements::Statements;
use crate::{Error, Plan, Result};

/// Writes `table, id, reason`, one column for each source, and an empty `decision` for people to fill in.
///
/// # Errors
/// [`Error::Review`] where the file cannot be written; a file of that name is untouched then.
pub(crate) async fn write(audit: &mut AuditTx, plan: &Plan, statements: &Statements, path: &Path) -> Result<()> {
    let cannot = |source: io::Error| Error::Review { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    let mut csv = csv::Writer::from_writer(file);
    csv.write_record(header(plan)).map_err(|error| cannot(error.into()))?;
    let table = plan.table.to_string();
    let mut rows = sqlx::query(&statements.review).fetch(audit.connection());
    while let Some(row) = rows.try_next().await.map_err(RlsError::query("reading the rows that people must decide"))? {
        let (tenants, ghosts): (Vec<Option<String>>, Vec<Option<String>>) = (row.get(2), row.get(3));
        let reason = if row.get::<bool, _>(1) { "conflict" } else { "unresolved" };
        let mut record = vec![table.clone(), row.get(0), reason.to_owned()];
        record.extend(tenants.into_iter().zip(ghosts).map(|(tenant, ghost)| match (tenant, ghost) {
            (Some(tenant), _) => tenant,
            (None, Some(ghost)) => format!("(no such tenant: {ghost:?})"),
            (None, None) => String::new(),
        }));
        record.push(String::new());
        csv.write_record(record).map_err(|error| cannot(error.into()))?;
    }
    let file = csv.into_inner().map_err(|error| cannot(error.into_error()))?;
    file.as_file().sync_all().map_err(cannot)?;
    file.persist(path).map_err(|error| cannot(error.error))?;
    Ok(())
}

fn header(plan: &Plan) -> Vec<String> {
    let mut columns: Vec<String> = ["table", "id", "reason"].map(String::from).to_vec();
    columns.extend(plan.sources.iter().map(|source| source.name.clone()));
    columns.push("decision".to_owned());
    columns
}
