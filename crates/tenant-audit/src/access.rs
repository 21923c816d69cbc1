//! The columns that an audit reads. Where no login is unfiltered, the rollout grants them to the role that audits.

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_rls::{Access, Result};

use crate::table_count::TableCount;

/// What an audit of every tenant table reads, each table once.
///
/// # Errors
/// [`tenant_rls::Error::Name`] for a name in `tenancy.toml` that no column can have.
pub fn access(catalog: &Catalog, tenancy: &Tenancy) -> Result<Vec<Access>> {
    let tenant_key = Ident::new(&tenancy.tenant.key)?;
    let count = |table| TableCount::new(catalog, &tenant_key, table);
    Ok(access_of(&catalog.tables.iter().map(count).collect::<Result<Vec<_>>>()?))
}

/// What these counts read between them, each table once.
pub(crate) fn access_of<'a>(counts: impl IntoIterator<Item = &'a TableCount>) -> Vec<Access> {
    let mut columns: BTreeMap<&TableName, BTreeSet<&Ident>> = BTreeMap::new();
    for need in counts.into_iter().flat_map(|count| &count.access) {
        columns.entry(&need.table).or_default().extend(&need.read);
    }
    let access = |(table, read): (&TableName, BTreeSet<&Ident>)| Access {
        table: table.clone(),
        read: read.into_iter().cloned().collect(),
        write: None,
    };
    columns.into_iter().map(access).collect()
}
