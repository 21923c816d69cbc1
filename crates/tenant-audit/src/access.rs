//! The columns that an audit reads. Where no login is unfiltered, the rollout grants them to the role that audits.

use tenancy_config::{Ident, Tenancy};
use tenant_inventory::Catalog;
use tenant_rls::{Access, Result};

use crate::table_count::TableCount;

/// What an audit of every tenant table reads; a table may occur several times.
///
/// # Errors
/// [`tenant_rls::Error::Name`] for a name in `tenancy.toml` that no column can have.
pub fn access(catalog: &Catalog, tenancy: &Tenancy) -> Result<Vec<Access>> {
    let tenant_key = Ident::new(&tenancy.tenant.key)?;
    let mut access = Vec::new();
    for table in &catalog.tables {
        access.extend(TableCount::new(catalog, &tenant_key, table)?.access);
    }
    Ok(access)
}
