//! Tenants that a file names twice, once by their id and once by their slug.

use tenancy_config::Tenancy;
use tenant_rls::{Database, Registry};

use crate::error::Result;
use crate::list::CheckedList;
use crate::list::entry::Entry;
use crate::list::seen_names::SeenNames;
use crate::options::CHUNK;

/// Looks up every tenant of the file before any is written to, and checks that no two lines name the same one.
///
/// # Errors
/// [`Error::List`](crate::Error::List) for the second of two such lines.
pub(crate) async fn check(database: &Database, tenancy: &Tenancy, checked: &CheckedList) -> Result<()> {
    let (mut list, mut seen) = (checked.open()?, SeenNames::default());
    loop {
        let chunk = list.chunk(CHUNK)?;
        if chunk.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = chunk.iter().map(|entry: &Entry| entry.tenant.as_str()).collect();
        let mut tenants = Registry::open(database, tenancy).await?;
        let answers = tenants.find_all(&names).await?;
        tenants.close().await?;
        // A tenant that does not exist fails later, by itself.
        for (entry, tenant) in chunk.iter().zip(answers).filter_map(|(entry, answer)| Some((entry, answer.ok()?))) {
            if let Some(first) = seen.add(tenant.id.as_str(), entry.line) {
                let what = format!("`{}` is the tenant of line {first}, by its other name (id or slug)", entry.tenant);
                return Err(list.wrong(entry.line, Some(list.tenant_column()), what, None));
            }
        }
    }
}
