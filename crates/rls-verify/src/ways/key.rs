//! Asks the rows whether a foreign key that changes rows by itself leads from one tenant to another.

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_inventory::Inventory;
use tenant_rls::{Access, AuditTx, Database, Error as RlsError, Sql, Template, visibility};

use crate::error::Result;

/// A foreign key between two tenant tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) child: &'a TableName,
    pub(crate) columns: &'a [String],
    pub(crate) tenant: &'a str,
    pub(crate) parent: &'a TableName,
    pub(crate) referenced: &'a [String],
    pub(crate) parent_tenant: &'a str,
}

/// Whether a row of one tenant references a row of another by it. It is read by a role that is proven to see all rows.
pub(crate) async fn crosses(owner: &Database, inventory: &Inventory, key: Key<'_>) -> Result<bool> {
    let idents = |names: &[String]| names.iter().map(Ident::new).collect::<Result<Vec<_>, _>>();
    let (here, there) = (idents(key.columns)?, idents(key.referenced)?);
    let (tenant, parent_tenant) = (Ident::new(key.tenant)?, Ident::new(key.parent_tenant)?);
    let read = |columns: &[Ident], tenant: &Ident| {
        let mut read = columns.to_vec();
        read.extend((!columns.contains(tenant)).then(|| tenant.clone()));
        read
    };
    let access = [
        Access { table: key.child.clone(), read: read(&here, &tenant), write: None },
        Access { table: key.parent.clone(), read: read(&there, &parent_tenant), write: None },
    ];
    let equal = here.iter().zip(&there).map(|(here, there)| {
        let equal = Template::new(r#"p.:"there" OPERATOR(pg_catalog.=) c.:"here""#);
        equal.ident("there", there).ident("here", here).build()
    });
    let ask = Template::new(include_str!("../../../../sql/rls-verify/probe_crossing.sql"))
        .table("child", key.child)
        .table("parent", key.parent)
        .ident("tenant", &tenant)
        .ident("parent_tenant", &parent_tenant)
        .fragment("keys", Sql::join(equal, " AND "))
        .build();
    let readers = visibility::readers(owner, &inventory.tenancy)?;
    let mut audit = AuditTx::begin(owner, &access, &readers, None).await?;
    let row = sqlx::query(&ask)
        .fetch_one(audit.connection())
        .await
        .map_err(RlsError::query(format!("looking for rows of {} that reference another tenant's", key.child)))?;
    audit.close().await?;
    Ok(row.get("crosses"))
}
