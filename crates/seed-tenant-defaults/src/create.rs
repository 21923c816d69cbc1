//! `--create`: makes the tenants that are missing, many in one statement. It runs outside of every tenant's scope, as there is no tenant yet.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sqlx::types::Json;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::Column;
use tenant_rls::{BatchOptions, BatchTx, Database, Error as RlsError, Fault, Sql, Template, fault_of};

use crate::error::Result;
use crate::list::entry::Entry;

/// The statement that makes tenants.
pub(crate) struct TenantCreator {
    statement: Sql,
    slug: String,
    name: String,
    /// The column of the state and the value that means in use.
    active: Option<(String, String)>,
}

/// What happened to the tenants that were to be made, by their slugs.
#[derive(Debug, Default)]
pub(crate) struct CreatedTenants {
    /// Those that are new.
    pub(crate) slugs: BTreeSet<String>,
    /// Those that the table refused, and why.
    pub(crate) refused: BTreeMap<String, String>,
}

impl TenantCreator {
    /// Composes the statement from the columns of the tenant table.
    pub(crate) async fn new(database: &Database, tenancy: &Tenancy, tenants: &TableName) -> Result<Self> {
        let tenant = &tenancy.tenant;
        let given: Vec<&str> =
            [&tenant.slug, &tenant.name].into_iter().chain(&tenant.status).map(String::as_str).collect();
        let columns = Column::all(database, tenants).await?;
        let generated = columns.iter().filter(|column| !given.contains(&column.name.as_str()));
        let generated = generated.filter_map(|column| Some((column.name.clone(), column.generated()?.sql())));
        let taken = given.iter().map(|name| {
            let column = Ident::new(*name)?;
            let value = Template::new("given.:\"column\"").ident("column", &column).build();
            Ok((column, value))
        });
        let filled: Vec<(Ident, Sql)> = taken.collect::<Result<Vec<_>>>()?.into_iter().chain(generated).collect();
        let name = |(column, _): &(Ident, Sql)| Template::new(":\"column\"").ident("column", column).build();
        let statement = Template::new(include_str!("../../../sql/seed-tenant-defaults/create_tenants.sql"))
            .table("tenants", tenants)
            .fragment("columns", Sql::join(filled.iter().map(name), ", "))
            .fragment("values", Sql::join(filled.iter().map(|(_, value)| value.clone()), ", "))
            .ident("slug", &Ident::new(&tenant.slug)?)
            .build();
        let active = tenant.status.as_ref().map(|column| (column.clone(), tenant.active.clone()));
        Ok(Self { statement, slug: tenant.slug.clone(), name: tenant.name.clone(), active })
    }

    /// Makes these tenants in one transaction, or, where one of them is refused, each in its own. A dry run keeps none.
    pub(crate) async fn run(
        &self,
        database: &Database,
        tenancy: &Tenancy,
        entries: &[&Entry],
        dry_run: bool,
    ) -> Result<CreatedTenants> {
        let mut made = CreatedTenants::default();
        match self.insert(database, tenancy, entries, dry_run).await {
            Ok(slugs) => made.slugs.extend(slugs),
            Err(error) if fault_of(&error) == Fault::Data => {
                for entry in entries {
                    match self.insert(database, tenancy, &[entry], dry_run).await {
                        Ok(slugs) => made.slugs.extend(slugs),
                        Err(error) if fault_of(&error) == Fault::Data => {
                            made.refused.insert(entry.tenant.clone(), error.to_string());
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(made)
    }

    async fn insert(
        &self,
        database: &Database,
        tenancy: &Tenancy,
        entries: &[&Entry],
        dry_run: bool,
    ) -> Result<Vec<String>, RlsError> {
        let mut batch = BatchTx::begin(database, tenancy, &BatchOptions::default()).await?;
        let records: Vec<Value> = entries.iter().map(|entry| self.record(entry)).collect();
        let slugs = sqlx::query_scalar(&self.statement)
            .bind(Json(records))
            .fetch_all(batch.application().await?)
            .await
            .map_err(RlsError::query("making tenants"))?;
        if dry_run {
            batch.rollback().await?
        } else {
            batch.commit().await?
        }
        Ok(slugs)
    }

    fn record(&self, entry: &Entry) -> Value {
        let name = entry.organization_name.as_ref().unwrap_or(&entry.tenant);
        let mut record = Map::new();
        record.insert(self.slug.clone(), entry.tenant.as_str().into());
        record.insert(self.name.clone(), name.as_str().into());
        if let Some((column, active)) = &self.active {
            record.insert(column.clone(), active.as_str().into());
        }
        Value::Object(record)
    }
}
