//! Tenants: an id exists only after the tenant table confirmed it.

use std::fmt;

use serde::Serialize;
use sqlx::Row;

use crate::tenancy::TenantSection;
use crate::{AuditTx, Error, Ident, Result, TableName, Template, Tenancy, closest};

/// The id of a tenant that exists: never empty, trimmed, without NUL. Made only by reading the tenant table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TenantId(String);

impl TenantId {
    /// Takes an id that the tenant table just gave.
    fn confirmed(id: String) -> Result<Self> {
        let why = if id.is_empty() {
            "the tenant table has a tenant whose id is the empty string: policies read that as no tenant"
        } else if id.trim() != id {
            "the tenant table has an id with white space around it"
        } else if id.contains('\0') {
            "an id cannot hold a NUL character"
        } else {
            return Ok(Self(id));
        };
        Err(Error::TenantId { why })
    }

    /// The id as text, as the session variable holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A row of the tenant table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}

/// Finds the tenant that has this id or this slug.
///
/// # Errors
/// [`Error::UnknownTenant`] with the closest slug; [`Error::AmbiguousTenant`] where an id equals another's slug;
/// [`Error::TenantId`] for an empty or unusable name.
pub async fn resolve(audit: &mut AuditTx, tenancy: &Tenancy, name: &str) -> Result<Tenant> {
    let name = name.trim();
    if name.is_empty() || name.contains('\0') {
        return Err(Error::TenantId {
            why: "a tenant is named by its id or slug; the name given is empty or holds a NUL",
        });
    }
    let find = columns(include_str!("../../../sql/catalog/find_tenant.sql"), tenancy)?.build();
    let rows = sqlx::query(find).bind(name).fetch_all(audit.connection()).await;
    let mut found = Vec::new();
    for row in rows.map_err(Error::query("looking up the tenant"))? {
        found.push(Tenant { id: TenantId::confirmed(row.get(0))?, slug: row.get(1), name: row.get(2) });
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Error::UnknownTenant {
            name: name.to_owned(),
            closest: closest_slug(audit, &tenancy.tenant, tenancy, name).await?,
        }),
        _ => Err(Error::AmbiguousTenant { name: name.to_owned() }),
    }
}

async fn closest_slug(
    audit: &mut AuditTx,
    tenant: &TenantSection,
    tenancy: &Tenancy,
    name: &str,
) -> Result<Option<String>> {
    let list = Template::new(include_str!("../../../sql/catalog/tenant_slugs.sql"))
        .table("tenants", &TableName::parse(&tenant.table, &tenancy.database.schema)?)
        .ident("slug", &Ident::new(&tenant.slug)?)
        .build();
    let slugs: Vec<String> =
        sqlx::query_scalar(list).fetch_all(audit.connection()).await.map_err(Error::query("listing the tenants"))?;
    Ok(closest(name, slugs.iter().map(String::as_str)).map(str::to_owned))
}

fn columns(text: &'static str, tenancy: &Tenancy) -> Result<Template> {
    let tenant = &tenancy.tenant;
    Ok(Template::new(text)
        .table("tenants", &TableName::parse(&tenant.table, &tenancy.database.schema)?)
        .ident("key", &Ident::new(&tenant.key)?)
        .ident("slug", &Ident::new(&tenant.slug)?)
        .ident("name", &Ident::new(&tenant.name)?))
}
