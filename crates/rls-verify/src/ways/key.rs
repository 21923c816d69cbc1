//! Asks the rows whether a foreign key that changes rows by itself leads from one tenant to another.

use std::time::{Duration, Instant};

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_inventory::Inventory;
use tenant_rls::{Access, AuditTx, Database, Error as RlsError, ProbeTx, Sql, Template, visibility};

use crate::error::Result;

/// So many tenants are asked one after the other, and for so long.
const TENANTS: i64 = 20_000;
const TIME: Duration = Duration::from_secs(10);

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
    let ask = Template::new(include_str!("../../../../sql/rls-verify/probe_crossing.sql"))
        .table("child", key.child)
        .table("parent", key.parent)
        .ident("tenant", &tenant)
        .ident("parent_tenant", &parent_tenant)
        .fragment("keys", equal(&here, &there))
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

/// Whether a tenant's row references a row that the tenant does not see, asked as one tenant after the other: for a login that may read both tables
/// and that policies filter. Only a yes is evidence, as some tenants may be left out.
pub(crate) async fn crosses_for_some(owner: &Database, inventory: &Inventory, key: Key<'_>) -> Result<bool> {
    let (here, there) = (idents(key.columns)?, idents(key.referenced)?);
    let filled = here.iter().map(|here| Template::new(r#"c.:"here" IS NOT NULL"#).ident("here", here).build());
    let ask = Template::new(include_str!("../../../../sql/rls-verify/probe_lost_parent.sql"))
        .table("child", key.child)
        .table("parent", key.parent)
        .ident("tenant", &Ident::new(key.tenant)?)
        .fragment("filled", Sql::join(filled, " AND "))
        .fragment("keys", equal(&here, &there))
        .build();
    let list = Template::new(include_str!("../../../../sql/rls-verify/all_tenants.sql"))
        .ident("key", &Ident::new(&inventory.tenancy.tenant.key)?)
        .table("tenants", &inventory.catalog.tenants)
        .build();
    let mut tx = ProbeTx::begin(owner, &inventory.tenancy, false).await?;
    let doing = || RlsError::query(format!("asking tenants for rows of {} that reference another tenant's", key.child));
    let tenants = sqlx::query(&list).bind(TENANTS).fetch_all(tx.connection()).await.map_err(doing())?;
    let begin = Instant::now();
    let mut crosses = false;
    for tenant in tenants.iter().map(|row| row.get::<String, _>("tenant")) {
        if crosses || begin.elapsed() > TIME {
            break;
        }
        tx.set(&tenant).await?;
        crosses = sqlx::query(&ask).bind(&tenant).fetch_one(tx.connection()).await.map_err(doing())?.get("crosses");
    }
    tx.rollback().await?;
    Ok(crosses)
}

fn idents(names: &[String]) -> Result<Vec<Ident>> {
    Ok(names.iter().map(Ident::new).collect::<std::result::Result<_, _>>()?)
}

fn equal(here: &[Ident], there: &[Ident]) -> Sql {
    let equal = here.iter().zip(there).map(|(here, there)| {
        let equal = Template::new(r#"p.:"there" OPERATOR(pg_catalog.=) c.:"here""#);
        equal.ident("there", there).ident("here", here).build()
    });
    Sql::join(equal, " AND ")
}
