//! The rows that the attempts are made on.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::Row;
use tenancy_config::tenancy::TenantSection;
use tenancy_config::{Ident, UserError};
use tenant_inventory::claim::untried::Untried;
use tenant_inventory::{Inventory, Relation, RelationKind};
use tenant_rls::{Access, AuditTx, Database, Error as RlsError, ProbeTx, Sql, Template, visibility};

use crate::attempts::key::PrimaryKey;
use crate::error::Result;

/// The keys of some rows: JSON objects in an array.
pub(crate) type Keys = Vec<Value>;

/// Rows of two tenants.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    /// Up to two tenants that exist, those in use first, each with some of its rows.
    pub(crate) tenants: Vec<(String, Keys)>,
    /// Rows without a tenant.
    pub(crate) without_tenant: Keys,
    /// Of a table that hangs on another one, what its column holds in a row of each of these tenants.
    links: BTreeMap<String, String>,
}

impl Rows {
    /// Finds rows as a role that sees all of them; else what is missing. The `inactive_tenants` come last.
    pub(crate) async fn find(
        database: &Database,
        inventory: &Inventory,
        relation: &Relation,
        key: &PrimaryKey,
        inactive_tenants: &[String],
    ) -> Result<std::result::Result<Self, Untried>> {
        let tenant_key = Ident::new(&inventory.tenancy.tenant.key)?;
        let (tenants, column) = (&inventory.catalog.tenants, &relation.comparison.column);
        let read = key.columns().chain([column]).cloned().collect();
        let parent = relation.comparison.parent.as_ref();
        let mut access = vec![
            Access { table: relation.name.clone(), read, write: None },
            Access { table: tenants.clone(), read: vec![tenant_key.clone()], write: None },
        ];
        access.extend(parent.map(|parent| Access {
            table: parent.table.clone(),
            read: vec![parent.key.name.clone(), parent.tenant.name.clone()],
            write: None,
        }));
        let readers = visibility::readers(database, &inventory.tenancy)?;
        let mut audit = match AuditTx::begin(database, &access, &readers, None).await {
            Ok(audit) => audit,
            Err(error @ RlsError::CannotSee(_)) => {
                let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                return Ok(Err(Untried::NoReader { message: format!("{error}{hint}") }));
            }
            Err(error) => return Err(error.into()),
        };
        let find = match parent {
            Some(parent) => Template::new(include_str!("../../../../sql/rls-verify/probe_hanging_rows.sql"))
                .table("parent", &parent.table)
                .ident("parent_key", &parent.key.name)
                .ident("parent_tenant", &parent.tenant.name),
            None => Template::new(include_str!("../../../../sql/rls-verify/probe_rows.sql")),
        };
        let find = find
            .fragment("key", key.object())
            .fragment("only", only(relation))
            .table("target", &relation.name)
            .ident("column", column)
            .table("tenants", tenants)
            .ident("tenant_key", &tenant_key)
            .build();
        let found = sqlx::query(&find)
            .bind(inactive_tenants)
            .fetch_all(audit.connection())
            .await
            .map_err(RlsError::query(format!("looking for rows of {} to try with", relation.name)))?;
        audit.close().await?;
        let mut rows = Self::default();
        for row in found {
            let keys =
                row.get::<Option<Value>, _>("keys").and_then(|keys| keys.as_array().cloned()).unwrap_or_default();
            match row.get::<Option<String>, _>("tenant") {
                Some(tenant) => {
                    if parent.is_some() {
                        rows.links.extend(row.get::<Option<String>, _>("link").map(|link| (tenant.clone(), link)));
                    }
                    rows.tenants.push((tenant, keys));
                }
                None => rows.without_tenant = keys,
            }
        }
        Ok(Ok(rows))
    }

    /// The same, and what the column holds in rows of further tenants.
    pub(crate) fn with_links(&self, links: BTreeMap<String, String>) -> Self {
        let mut rows = self.clone();
        rows.links.extend(links);
        rows
    }

    /// What the column that a policy looks at holds in a row of a tenant: the tenant, or the row that a row of the tenant hangs on.
    pub(crate) fn of_tenant<'a>(&'a self, tenant: &'a str) -> &'a str {
        self.links.get(tenant).map_or(tenant, String::as_str)
    }
}

/// `ONLY`, except for a partitioned table, whose rows are its partitions'.
pub(crate) fn only(relation: &Relation) -> Sql {
    Sql::from_static(if relation.kind == RelationKind::Partitioned { "" } else { "ONLY" })
}

/// Tenants that are not in use, which are tried last. That is a preference and no proof, so there are none for a login that may not see them.
pub(crate) async fn inactive_tenants(database: &Database, inventory: &Inventory) -> Result<Vec<String>> {
    let TenantSection { key, status: Some(status), active, .. } = &inventory.tenancy.tenant else {
        return Ok(Vec::new());
    };
    let list = Template::new(include_str!("../../../../sql/rls-verify/inactive_tenants.sql"))
        .ident("key", &Ident::new(key)?)
        .ident("status", &Ident::new(status)?)
        .table("tenants", &inventory.catalog.tenants)
        .build();
    let mut tx = ProbeTx::begin(database, &inventory.tenancy, false).await?;
    let found = sqlx::query_scalar(&list).bind(active).fetch_all(tx.connection()).await;
    tx.rollback_to().await?;
    tx.rollback().await?;
    Ok(found.unwrap_or_default())
}
