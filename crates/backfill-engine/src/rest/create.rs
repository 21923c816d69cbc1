//! Makes the tenant that takes the rest, on request, from the columns of the tenant table.

use serde_json::{Map, Value};
use sqlx::types::Json;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{Catalog, Column};
use tenant_rls::{BatchOptions, BatchTx, Database, Error as RlsError, Registry, Sql, Template, Tenant};

use crate::error::{Error, Result};
use crate::fragments::list;

/// A tenant that can be made: every column that needs a value has one.
#[derive(Debug)]
pub struct NewTenant {
    name: String,
    statement: Sql,
    record: Value,
}

impl NewTenant {
    /// Checks that the tenant table can take a tenant with this slug, which is its name too. It writes nothing.
    ///
    /// # Errors
    /// [`Error::UnknownColumns`] if other columns need a value that nobody gave; [`RlsError::Query`] if the columns cannot be read.
    pub async fn prepare(database: &Database, tenancy: &Tenancy, catalog: &Catalog, name: &str) -> Result<Self> {
        let tenant = &tenancy.tenant;
        let mut given: Vec<(&str, &str)> = vec![(&tenant.slug, name)];
        let others = [Some((&*tenant.name, name)), tenant.status.as_deref().map(|status| (status, &*tenant.active))];
        for (column, value) in others.into_iter().flatten() {
            if given.iter().all(|(known, _)| *known != column) {
                given.push((column, value));
            }
        }
        let columns = Column::all(database, &catalog.tenants).await?;
        let is_given = |column: &&Column| given.iter().any(|(name, _)| *name == column.name.as_str());
        let generated = |column: &Column| Some((column.name.clone(), column.generated()?.sql()));
        let made: Vec<(Ident, Sql)> = columns.iter().filter(|column| !is_given(column)).filter_map(generated).collect();
        let unknown = columns.iter().filter(|column| {
            column.not_null
                && !column.has_default
                && !is_given(column)
                && made.iter().all(|(name, _)| *name != column.name)
        });
        let unknown: Vec<Ident> = unknown.map(|column| column.name.clone()).collect();
        if !unknown.is_empty() {
            let statement = by_hand(&catalog.tenants, &given, &made, &unknown)?;
            let columns = unknown.iter().map(ToString::to_string).collect();
            return Err(Error::UnknownColumns { table: catalog.tenants.clone(), columns, statement });
        }
        let taken = given.iter().map(|(name, _)| {
            let column = Ident::new(*name)?;
            let value = Template::new("given.:\"column\"").ident("column", &column).build();
            Ok((column, value))
        });
        let filled: Vec<(Ident, Sql)> = taken.collect::<Result<Vec<_>>>()?.into_iter().chain(made).collect();
        let names: Vec<Sql> = filled.iter().map(|(column, _)| named(column)).collect();
        let values: Vec<Sql> = filled.into_iter().map(|(_, value)| value).collect();
        let statement = Template::new(include_str!("../../../../sql/backfill-engine/create_tenant.sql"))
            .table("tenants", &catalog.tenants)
            .fragment("columns", list(&names))
            .fragment("values", list(&values))
            .ident("key", &Ident::new(&tenant.key)?)
            .build();
        let record: Map<String, Value> =
            given.iter().map(|(column, value)| ((*column).to_owned(), (*value).into())).collect();
        Ok(Self { name: name.to_owned(), statement, record: Value::Object(record) })
    }

    /// Makes it.
    ///
    /// # Errors
    /// [`RlsError::Query`] if the table refuses it; [`RlsError::CannotSee`] if it cannot be read back.
    pub async fn create(&self, database: &Database, tenancy: &Tenancy) -> Result<Tenant> {
        let mut batch = BatchTx::begin(database, tenancy, &BatchOptions::default()).await?;
        let key: String = sqlx::query_scalar(&self.statement)
            .bind(Json(&self.record))
            .fetch_one(batch.application().await?)
            .await
            .map_err(RlsError::query(format!("creating the tenant {}", self.name)))?;
        batch.commit().await?;
        let mut registry = Registry::open(database, tenancy).await?;
        let tenant = registry.find(&key).await?;
        registry.close().await?;
        Ok(tenant)
    }
}

/// The statement that a person completes.
fn by_hand(table: &TableName, given: &[(&str, &str)], made: &[(Ident, Sql)], unknown: &[Ident]) -> Result<String> {
    let mut columns = Vec::new();
    let mut values = Vec::new();
    for (column, value) in given {
        columns.push(named(&Ident::new(*column)?));
        values.push(Template::new(":'value'").literal("value", value).build());
    }
    columns.extend(made.iter().map(|(column, _)| named(column)));
    values.extend(made.iter().map(|(_, value)| value.clone()));
    columns.extend(unknown.iter().map(named));
    values.extend(unknown.iter().map(|_| Sql::from_static("…")));
    let statement = Template::new("INSERT INTO :\"table\" (:columns) VALUES (:values)")
        .table("table", table)
        .fragment("columns", list(&columns))
        .fragment("values", list(&values))
        .build();
    // The expressions of generated values are fragments with comments of their own.
    let code = |line: &str| line.split("--").next().unwrap_or_default().trim().to_owned();
    let lines = statement.as_str().lines().map(code).filter(|line| !line.is_empty());
    Ok(lines.collect::<Vec<_>>().join(" "))
}

fn named(column: &Ident) -> Sql {
    Template::new(":\"column\"").ident("column", column).build()
}
