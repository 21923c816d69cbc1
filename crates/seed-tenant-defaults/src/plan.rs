//! What is inserted where: the defaults, compared with the catalog of the database before any tenant is touched.

use serde_json::{Map, Value, json};
use tenancy_config::UserError;
use tenancy_config::{Ident, TableName, Tenancy, closest};
use tenant_inventory::{Catalog, Column, TenantTable};
use tenant_rls::{Database, Error as RlsError, Tenant, TenantInsert, TenantRow};

use crate::create::TenantCreator;
use crate::defaults::{DefaultRow, Defaults};
use crate::error::{Error, Result};

/// The statement and its values.
pub(crate) struct SeedPlan {
    pub(crate) insert: TenantInsert,
    /// The tables, in the order of the statement's answer.
    pub(crate) tables: Vec<TableName>,
    pub(crate) create: TenantCreator,
    values: Value,
    /// The table, by its name with the schema, and the column that get the organization's name.
    organization_name: Option<(String, String)>,
}

impl SeedPlan {
    /// Compares the defaults with the database.
    ///
    /// # Errors
    /// [`Error::Defaults`] for a table or column that is not there or lacks a value, and a value of another type;
    /// [`Error::NotUnique`], [`Error::MayNotInsert`].
    pub(crate) async fn new(database: &Database, tenancy: &Tenancy, defaults: &Defaults) -> Result<Self> {
        let catalog = Catalog::load(database, tenancy).await?;
        let schema = &tenancy.database.schema;
        let (mut rows, mut values, mut organization_name) = (Vec::new(), Map::new(), None);
        for row in &defaults.tables {
            let table = tenant_table(&catalog, defaults, row, schema)?;
            let columns = Column::all(database, &table.name).await?;
            let insert = insert_into(defaults, row, table, &columns)?;
            may_insert(database, &insert, &columns)?;
            rows.push(insert);
            let name = table.name.to_string();
            if let Some((of, column)) = &defaults.organization_name
                && *of == row.table
            {
                organization_name = Some((name.clone(), column.clone()));
            }
            let given = row.columns.iter().map(|value| (value.column.clone(), value.value.clone()));
            values.insert(name, Value::Object(given.collect()));
        }
        let (values, tables) = (Value::Object(values), rows.iter().map(|row| row.table.clone()).collect());
        let insert = TenantInsert::new(database, tenancy, &rows);
        if let Err(error) = insert.check(&values).await {
            return Err(misfit(&insert, defaults, schema, error).await);
        }
        let create = TenantCreator::new(database, tenancy, &catalog.tenants).await?;
        Ok(Self { insert, tables, create, values, organization_name })
    }

    /// The values of one tenant: the defaults with the organization's name in its place.
    pub(crate) fn values(&self, tenant: &Tenant, organization_name: Option<&str>) -> Value {
        let mut values = self.values.clone();
        let name = organization_name.or_else(|| Some(tenant.slug.as_str()).filter(|slug| !slug.trim().is_empty()));
        if let (Some((table, column)), Some(name)) = (&self.organization_name, name) {
            values[table][column] = name.into();
        }
        values
    }
}

/// The tenant table that a section names.
fn tenant_table<'a>(
    catalog: &'a Catalog,
    defaults: &Defaults,
    row: &DefaultRow,
    schema: &str,
) -> Result<&'a TenantTable> {
    let wrong = |what, hint| Error::defaults(&defaults.file, row.line, what, hint);
    let name = TableName::parse(&row.table, schema).map_err(|error| wrong(error.to_string(), None))?;
    catalog.table(&name).map_err(|error| {
        let what = format!("there is no table {name} with a tenant column in this database");
        wrong(what, error.hint())
    })
}

/// What the statement does for one section.
fn insert_into(defaults: &Defaults, row: &DefaultRow, table: &TenantTable, columns: &[Column]) -> Result<TenantRow> {
    let wrong = |line, what, hint| Error::defaults(&defaults.file, line, what, hint);
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let is_tenant = |column: &Column| column.name.as_str() == table.column.name;
    for value in &row.columns {
        let Some(column) = columns.iter().find(|column| column.name.as_str() == value.column) else {
            let meant = closest(&value.column, names.iter().copied());
            let hint = meant.map_or_else(
                || format!("its columns are {}", names.join(", ")),
                |meant| format!("did you mean `{meant}`?"),
            );
            let what = format!("{} has no column `{}` that can be written", table.name, value.column);
            return Err(wrong(value.line, what, Some(hint.into())));
        };
        if is_tenant(column) || column.is_key {
            let what = format!("`{}` is filled for each tenant and cannot have one default", value.column);
            return Err(wrong(value.line, what, None));
        }
    }
    let is_given = |column: &Column| row.columns.iter().any(|value| value.column == column.name.as_str());
    let tenant = columns.iter().find(|column| is_tenant(column) && column.is_unique);
    let tenant = tenant
        .ok_or_else(|| Error::NotUnique { table: table.name.clone(), column: table.column.name.clone() })?
        .name
        .clone();
    let generated = columns.iter().filter(|column| !is_given(column) && !is_tenant(column));
    let generated: Vec<_> = generated.filter_map(|column| Some((column.name.clone(), column.generated()?))).collect();
    let filled = |column: &Column| {
        is_tenant(column) || is_given(column) || generated.iter().any(|(name, _)| *name == column.name)
    };
    if let Some(lacking) = columns.iter().find(|column| column.not_null && !column.has_default && !filled(column)) {
        let what = format!("{} needs a value for `{}`, which has no default in the database", table.name, lacking.name);
        return Err(wrong(row.line, what, None));
    }
    let given: Vec<Ident> =
        columns.iter().filter(|column| is_given(column)).map(|column| column.name.clone()).collect();
    Ok(TenantRow { table: table.name.clone(), tenant, given, generated })
}

/// The first value that does not fit its column: the server names the type and the value, and not the column.
async fn misfit(insert: &TenantInsert, defaults: &Defaults, schema: &str, all: RlsError) -> Error {
    for row in &defaults.tables {
        let Ok(table) = TableName::parse(&row.table, schema).map(|table| table.to_string()) else { continue };
        for value in &row.columns {
            let alone = json!({ table.as_str(): { value.column.as_str(): value.value } });
            if let Err(RlsError::Query { source, .. }) = insert.check(&alone).await
                && source.sqlstate().is_some()
            {
                let what = format!("{table} cannot hold this in `{}`: {source}", value.column);
                return Error::defaults(&defaults.file, value.line, what, None);
            }
        }
    }
    all.into()
}

/// Checks the rights once, as every tenant would fail for the same reason.
fn may_insert(database: &Database, insert: &TenantRow, columns: &[Column]) -> Result<()> {
    let generated = insert.generated.iter().map(|(column, _)| column);
    let written: Vec<&Ident> = insert.given.iter().chain([&insert.tenant]).chain(generated).collect();
    match columns.iter().find(|column| written.contains(&&column.name) && !column.may_insert) {
        None => Ok(()),
        Some(column) => Err(Error::MayNotInsert {
            role: database.session().role.clone(),
            table: insert.table.clone(),
            column: column.name.to_string(),
        }),
    }
}
