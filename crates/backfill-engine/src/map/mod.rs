//! Values that stand in the place of a tenant's key: which there are, and what they are to become.

mod file;
pub(crate) mod report;

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{Catalog, StrayValues, TenantTable, stray_access, tenants_called};
use tenant_rls::{AuditTx, Database, Error as RlsError, KeyFamily, Registry, TenantColumnType, visibility};

use crate::error::{Error, Result};
use crate::map::report::{MapReport, TableMap, UnreadTable};
use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::plan::source::Mapping;
use crate::statements::Statements;
use crate::survey;

pub use file::pairs_of;

/// The most values that one mapping has: each is a number in the book-keeping of every range.
pub(crate) const MOST_VALUES: usize = 1_000;

/// The most values of a table that are listed.
const LISTED: u32 = 1_000;

/// A value, and the tenant that it means, by id or slug; none for NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapPair {
    /// The value, which may be empty.
    pub from: String,
    /// The tenant.
    pub to: Option<String>,
}

impl Mapping {
    /// Looks up the tenants of these pairs.
    ///
    /// # Errors
    /// [`RlsError::UnknownTenant`], [`RlsError::AmbiguousTenant`] or [`RlsError::TenantId`] for a tenant that cannot be found;
    /// [`Error::IsTenant`] if a value is a tenant's key; [`RlsError::CannotSee`] if tenants are hidden.
    pub async fn of(database: &Database, tenancy: &Tenancy, pairs: &[MapPair]) -> Result<Self> {
        let mut registry = Registry::open(database, tenancy).await?;
        let froms: Vec<&str> = pairs.iter().map(|pair| pair.from.as_str()).collect();
        for (value, answer) in froms.iter().zip(registry.find_all(&froms).await?) {
            match answer {
                Ok(tenant) if tenant.id.as_str() == *value => {
                    return Err(Error::IsTenant { value: (*value).to_owned() });
                }
                // It is one tenant's key and another's slug.
                Err(RlsError::AmbiguousTenant { name }) => return Err(Error::IsTenant { value: name }),
                _ => {}
            }
        }
        let mut found = BTreeMap::new();
        for name in pairs.iter().filter_map(|pair| pair.to.as_deref()).collect::<BTreeSet<_>>() {
            found.insert(name, registry.find(name).await?.id);
        }
        registry.close().await?;
        let tenant = |pair: &MapPair| pair.to.as_deref().map(|name| found[name].clone());
        Ok(Self::new(pairs.iter().map(|pair| (pair.from.clone(), tenant(pair))).collect()))
    }
}

impl BackfillPlan {
    /// Counts the rows that the plan is about, by a role that is proven to see every row.
    ///
    /// # Errors
    /// [`RlsError::CannotSee`] if no role sees every row; [`RlsError::Query`] if they cannot be read.
    pub async fn count(&self, database: &Database, tenancy: &Tenancy) -> Result<u64> {
        let mut audit = survey::open(database, tenancy, self).await?;
        let rows = survey::count_null(&mut audit, &Statements::new(self, OnConflict::Report)?).await?;
        audit.close().await?;
        Ok(rows)
    }
}

/// Whether the tenant column of a table can hold other texts than keys.
pub fn holds_strays(table: &TenantTable) -> bool {
    TenantColumnType::of(&table.column.type_name).map(TenantColumnType::family) == Some(KeyFamily::Text)
}

/// Lists the values of these tables that are no tenant's key, with the tenant that is called so.
///
/// # Errors
/// [`RlsError::NoTable`] if there is no such tenant table. What fails for one table is a part of the report.
pub async fn stray_values(
    database: &Database,
    tenancy: &Tenancy,
    catalog: &Catalog,
    tables: &[TableName],
) -> Result<MapReport> {
    let mut report = MapReport::default();
    for name in tables {
        let table = catalog.table(name)?;
        match read(database, tenancy, catalog, table).await {
            Ok(stray) => report.tables.push(TableMap { table: name.clone(), stray }),
            Err(error) => report.unread.push(UnreadTable { table: name.clone(), error: error.to_string() }),
        }
    }
    let values = report.tables.iter().flat_map(|table| table.stray.values.iter().map(|stray| stray.value.clone()));
    let values: BTreeSet<String> = values.collect();
    let called = tenants_called(database, tenancy, &values.iter().map(String::as_str).collect()).await;
    if let Ok(called) = called {
        report.tables.iter_mut().for_each(|table| table.stray.propose(&called));
    }
    report.tables.retain(|table| table.stray.rows > 0);
    Ok(report)
}

async fn read(database: &Database, tenancy: &Tenancy, catalog: &Catalog, table: &TenantTable) -> Result<StrayValues> {
    let access = stray_access(catalog, tenancy, table)?;
    let mut audit = AuditTx::begin(database, &access, &visibility::readers(database, tenancy)?, None).await?;
    let stray = StrayValues::read(&mut audit, (catalog, tenancy), table, LISTED).await?;
    audit.close().await?;
    Ok(stray)
}
