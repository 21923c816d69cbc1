//! What the maintenance role and the auditor must be allowed to read, for backfills and audits under forced policies.

use std::collections::{BTreeMap, BTreeSet};

use backfill_engine::BackfillPlan;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_rls::Access;

use crate::error::Result;

/// Columns that a role reads, by table.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoleGrants {
    /// Those of the role that fills tenant columns.
    pub(crate) maintenance: BTreeMap<TableName, BTreeSet<Ident>>,
    /// Those of the role that counts rows.
    pub(crate) auditor: BTreeMap<TableName, BTreeSet<Ident>>,
}

impl RoleGrants {
    /// What the two roles must be allowed to read, so that audits and backfills go on.
    pub(crate) fn of(catalog: &Catalog, tenancy: &Tenancy) -> Result<Self> {
        let mut rights = Self::default();
        for access in tenant_audit::access(catalog, tenancy)? {
            rights.auditor.entry(access.table).or_default().extend(access.read);
        }
        // `verify` finds the rows to try with by their keys, also for a login that may act as the auditor only.
        for table in catalog.rolled_out() {
            let columns = table.key.iter().chain([&table.column.name]).map(Ident::new);
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            rights.auditor.entry(table.name.clone()).or_default().extend(columns);
        }
        for (parent, column) in parent_keys(catalog, tenancy)? {
            rights.auditor.entry(parent).or_default().insert(column);
        }
        // Who looks for tenants reads their keys and whether they are in use, also where no table needs a look-up.
        if catalog.registry.can_be_referenced() {
            let status =
                tenancy.tenant.status.iter().filter(|status| catalog.column(&catalog.tenants, status).is_some());
            let columns = std::iter::once(&tenancy.tenant.key).chain(status).map(Ident::new);
            let columns = columns.collect::<Result<BTreeSet<_>, _>>()?;
            rights.maintenance.entry(catalog.tenants.clone()).or_default().insert(Ident::new(&tenancy.tenant.key)?);
            rights.auditor.entry(catalog.tenants.clone()).or_default().extend(columns);
        }
        let ctid = Ident::new("ctid")?;
        for table in catalog.tables.iter().filter(|table| !table.null_rows_are_meant()) {
            let mut read = vec![ctid.clone(), Ident::new(&table.column.name)?];
            for key in &table.key {
                read.push(Ident::new(key)?);
            }
            let own = Access { table: table.name.clone(), read, write: None };
            // A table without sources cannot be backfilled; the backfill reports what is wrong with sources.
            let plan = BackfillPlan::new(catalog, tenancy, &table.name.to_string())
                .map(|plan| plan.access())
                .unwrap_or_default();
            for access in plan.into_iter().chain([own]) {
                rights.maintenance.entry(access.table).or_default().extend(access.read);
            }
        }
        Ok(rights)
    }
}

/// What rows of tables that depend on others reference there. It need not be the primary key, and the look-up for such a row reads it.
fn parent_keys(catalog: &Catalog, tenancy: &Tenancy) -> Result<Vec<(TableName, Ident)>> {
    let mut keys = Vec::new();
    for table in &catalog.through {
        let Some(rule) = tenancy.rules(&table.name).and_then(|rules| rules.through.as_ref()) else { continue };
        let parent = TableName::parse(&rule.table, &tenancy.database.schema)?;
        for key in table.foreign_keys.iter().filter(|key| key.columns == [rule.column.as_str()]) {
            if let Some(column) = key.references.first()
                && key.target()? == parent
            {
                keys.push((parent.clone(), Ident::new(column)?));
            }
        }
    }
    Ok(keys)
}
