//! The rows that the attempts are made on.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::Row;
use tenancy_config::tenancy::TenantSection;
use tenancy_config::{Ident, TableName, UserError};
use tenant_inventory::claim::untried::Untried;
use tenant_inventory::{AspectKind, Inventory, Relation, RelationKind};
use tenant_rls::{Access, Database, EachReader, EachTx, Error as RlsError, ProbeTx, Sql, Template, visibility};

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
    /// Of a table that depends on another one, what its column holds in a row of each of these tenants.
    links: BTreeMap<String, String>,
}

impl Rows {
    /// Finds rows as a role that sees all of them; else what is missing. The `inactive_tenants` come last.
    pub(crate) async fn find(
        database: &Database,
        inventory: &Inventory,
        relation: &Relation,
        (key, reader): (&PrimaryKey, &EachReader),
        inactive_tenants: &[String],
    ) -> Result<std::result::Result<Self, Untried>> {
        let tenant_key = Ident::new(&inventory.tenancy.tenant.key)?;
        let (tenants, column) = (&inventory.catalog.tenants, &relation.comparison.column);
        let parent = relation.comparison.parent.as_ref();
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
        let mut tx = EachTx::begin(database).await?;
        let connection = match tx.enter(reader).await {
            Ok(connection) => connection,
            Err(error @ RlsError::CannotSee(_)) => {
                tx.close().await?;
                let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                return Ok(Err(Untried::NoReader { message: format!("{error}{hint}") }));
            }
            Err(error) => return Err(error.into()),
        };
        let found = sqlx::query(&find)
            .bind(inactive_tenants)
            .fetch_all(connection)
            .await
            .map_err(RlsError::query(format!("looking for rows of {} to try with", relation.name)))?;
        tx.close().await?;
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

    /// What the column that a policy looks at holds in a row of a tenant: the tenant, or the row that a row of the tenant depends on.
    pub(crate) fn of_tenant<'a>(&'a self, tenant: &'a str) -> &'a str {
        self.links.get(tenant).map_or(tenant, String::as_str)
    }
}

/// Who reads the rows of each relation that has a primary key and row level security.
pub(crate) async fn readers(database: &Database, inventory: &Inventory) -> Result<BTreeMap<TableName, EachReader>> {
    let secured = inventory.relations.iter().filter(|relation| relation.definition.has(AspectKind::RowSecurity));
    let keyed: Vec<&Relation> = secured.filter(|relation| !inventory.root(relation).key.is_empty()).collect();
    let wanted = keyed.iter().map(|relation| access(inventory, relation)).collect::<Result<Vec<_>>>()?;
    let candidates = visibility::readers(database, &inventory.tenancy)?;
    let readers = EachReader::of_each(database, wanted, &candidates).await?;
    Ok(keyed.into_iter().map(|relation| relation.name.clone()).zip(readers).collect())
}

/// What is read to find rows of a relation.
fn access(inventory: &Inventory, relation: &Relation) -> Result<Vec<Access>> {
    let key = inventory.root(relation).key.iter().map(Ident::new).collect::<std::result::Result<Vec<_>, _>>()?;
    let read = key.into_iter().chain([relation.comparison.column.clone()]).collect();
    let tenant_key = Ident::new(&inventory.tenancy.tenant.key)?;
    let mut access = vec![
        Access { table: relation.name.clone(), read, write: None },
        Access { table: inventory.catalog.tenants.clone(), read: vec![tenant_key], write: None },
    ];
    access.extend(relation.comparison.parent.as_ref().map(|parent| Access {
        table: parent.table.clone(),
        read: vec![parent.key.name.clone(), parent.tenant.name.clone()],
        write: None,
    }));
    Ok(access)
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
