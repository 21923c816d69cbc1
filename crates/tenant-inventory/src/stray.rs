//! Stray values: what stands in a tenant column and is no tenant's key, such as a slug, a name, the host of a preview, or the empty
//! string; and which tenant is called so.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sqlx::Row;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Access, AuditTx, Database, Error, Result, Sql, Template, visibility};

use crate::catalog::tables::{Catalog, TenantTable};

/// The stray values of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StrayValues {
    /// The most frequent ones.
    pub values: Vec<StrayValue>,
    /// How many more there are.
    pub more_values: u64,
    /// The rows of all of them.
    pub rows: u64,
}

/// One stray value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StrayValue {
    /// The value, which may be the empty string.
    pub value: String,
    /// Its rows.
    pub rows: u64,
    /// The one tenant that is called so.
    pub proposal: Option<Called>,
}

/// A tenant that is called like a stray value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Called {
    /// Its key.
    pub tenant: String,
    /// What of it the value is.
    pub by: CalledBy,
}

/// What a value is of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CalledBy {
    /// Its slug.
    Slug,
    /// Its name.
    Name,
}

/// The columns that reading the stray values of a table needs.
///
/// # Errors
/// [`Error::Name`]: `tenancy.toml` has a name that no column can have.
pub fn stray_access(catalog: &Catalog, tenancy: &Tenancy, table: &TenantTable) -> Result<Vec<Access>> {
    let column = Ident::new(&table.column.name)?;
    let key = Ident::new(&tenancy.tenant.key)?;
    Ok(vec![
        Access { table: table.name.clone(), read: vec![column], write: None },
        Access { table: catalog.tenants.clone(), read: vec![key], write: None },
    ])
}

impl StrayValues {
    /// Reads up to `most` stray values of a table, in the caller's snapshot, without proposals.
    ///
    /// # Errors
    /// [`Error::Query`]: a statement fails.
    pub async fn read(
        audit: &mut AuditTx,
        (catalog, tenancy): (&Catalog, &Tenancy),
        table: &TenantTable,
        most: u32,
    ) -> Result<Self> {
        let same = catalog.tenant_key_type.as_deref() == Some(table.column.type_name.as_str());
        let sql = Template::new(include_str!("../../../sql/tenant-inventory/stray_values.sql"))
            .fragment("only", Sql::from_static(if table.partitioned { "" } else { "ONLY" }))
            .table("table", &table.name)
            .table("tenants", &catalog.tenants)
            .ident("key", &Ident::new(&tenancy.tenant.key)?)
            .ident("column", &Ident::new(&table.column.name)?)
            .fragment("cast", Sql::from_static(if same { "" } else { "::pg_catalog.text" }))
            .build();
        let rows = sqlx::query(&sql)
            .bind(i64::from(most))
            .fetch_all(audit.connection())
            .await
            .map_err(Error::query(format!("listing what of {} is no tenant's key", table.name)))?;
        let all = |name: &str| rows.first().map_or(0, |row| from_bigint(row.get(name)));
        let value = |row: &sqlx::postgres::PgRow| StrayValue {
            value: row.get("value"),
            rows: from_bigint(row.get("rows")),
            proposal: None,
        };
        Ok(Self {
            more_values: all("all_values") - rows.len() as u64,
            rows: all("all_rows"),
            values: rows.iter().map(value).collect(),
        })
    }

    /// Adds to each value the tenant that is called so, if there is exactly one.
    pub fn propose(&mut self, proposals: &BTreeMap<String, Called>) {
        for value in &mut self.values {
            value.proposal = proposals.get(&value.value).cloned();
        }
    }
}

/// The tenants that are called like one of `values`: by their slug, or else by their name. A value that is the slug or name of several is
/// left out.
///
/// # Errors
/// [`Error::CannotSee`]: tenants, or their slugs and names, are hidden from every role that may be used; [`Error::Query`]: a statement
/// fails.
pub async fn tenants_called(
    database: &Database,
    tenancy: &Tenancy,
    values: &BTreeSet<&str>,
) -> Result<BTreeMap<String, Called>> {
    let tenant = &tenancy.tenant;
    let table = TableName::parse(&tenant.table, &tenancy.database.schema)?;
    let [key, slug, name] = [&tenant.key, &tenant.slug, &tenant.name].map(Ident::new);
    let (key, slug, name) = (key?, slug?, name?);
    let sql = Template::new(include_str!("../../../sql/tenant-inventory/tenants_called.sql"))
        .table("tenants", &table)
        .ident("key", &key)
        .ident("slug", &slug)
        .ident("name", &name)
        .build();
    let access = [Access { table, read: vec![key, slug, name], write: None }];
    let mut audit = AuditTx::begin(database, &access, &visibility::readers(database, tenancy)?, None).await?;
    let rows = sqlx::query(&sql)
        .bind(values.iter().copied().collect::<Vec<_>>())
        .fetch_all(audit.connection())
        .await
        .map_err(Error::query("looking for tenants that are called like values"))?;
    audit.close().await?;
    let mut called: BTreeMap<String, BTreeSet<Called>> = BTreeMap::new();
    for row in &rows {
        let by = if row.get::<Option<bool>, _>("by_slug") == Some(true) { CalledBy::Slug } else { CalledBy::Name };
        called.entry(row.get("value")).or_default().insert(Called { tenant: row.get("tenant"), by });
    }
    Ok(called.into_iter().filter_map(|(value, tenants)| Some((value, only(&tenants)?))).collect())
}

/// The one tenant with that slug; without one, the one with that name.
fn only(tenants: &BTreeSet<Called>) -> Option<Called> {
    let by = |by| tenants.iter().filter(move |called| called.by == by);
    let chosen: Vec<&Called> =
        if by(CalledBy::Slug).count() > 0 { by(CalledBy::Slug).collect() } else { by(CalledBy::Name).collect() };
    match chosen[..] {
        [one] => Some(one.clone()),
        _ => None,
    }
}
