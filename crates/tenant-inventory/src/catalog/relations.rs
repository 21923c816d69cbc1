//! The tables and their partitions, each with its definition.

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Error, Result, SessionSetting, TenantComparison};

use super::definition::{Definition, read_definitions};
use super::parent::ThroughParent;
use super::tables::{Catalog, TenantTable};
use crate::unhandled::Unhandled;

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// An ordinary table.
    Table,
    /// A partitioned table, which holds no rows itself.
    Partitioned,
    /// A partition.
    Partition,
    /// A partition on another server.
    ForeignPartition,
}

/// A table, or a partition of one.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Its name.
    pub name: TableName,
    /// Where its table, or the root of its partitions, stands in the catalog.
    pub(crate) position: usize,
    /// What it is.
    pub kind: RelationKind,
    /// Its owner.
    pub owner: String,
    /// This login may change its definition.
    pub may_alter: bool,
    /// A constraint proves that no tenant is NULL.
    pub never_null: bool,
    /// A valid index leads with the tenant column.
    pub tenant_index: bool,
    /// The foreign key of the tenant column to the tenant table, by name.
    pub foreign_key: Option<String>,
    /// A foreign key that is marked valid proves that the tenants of rows exist: that one, or one of several columns by which rows have the tenant
    /// of a row of which it is known.
    pub foreign_key_valid: bool,
    /// Row level security filters this login.
    pub filtered: bool,
    /// Names of relations in its schema that an index of its tenant column cannot have.
    pub taken_names: Vec<String>,
    /// Names of its constraints.
    pub constraints: Vec<String>,
    /// Rows without a tenant are the platform's.
    pub platform_rows: bool,
    /// Rows without a tenant are for every tenant.
    pub shared_rows: bool,
    /// Why it cannot be rolled out at all. A table and its partitions have the same answer.
    pub unhandled: Option<Unhandled>,
    /// Of a table without a tenant column, the table on which its rows hang.
    pub parent: Option<ThroughParent>,
    /// Its tenant column, and what its policy compares that with.
    pub comparison: TenantComparison,
    /// What a rollout may change of it.
    pub definition: Definition,
}

impl Relation {
    /// Whether rows without a tenant are meant: they are the platform's, or shared.
    pub fn null_rows_are_meant(&self) -> bool {
        self.platform_rows || self.shared_rows
    }

    /// Whether a backfill may give its rows their tenant.
    pub fn can_be_backfilled(&self) -> bool {
        !self.null_rows_are_meant() && self.parent.is_none()
    }
}

/// The schema of each relation, for a query over all of them.
pub(crate) fn schemas(relations: &[Relation]) -> Vec<&str> {
    relations.iter().map(|relation| relation.name.schema().as_str()).collect()
}

/// The name of each relation, in the same order.
pub(crate) fn names(relations: &[Relation]) -> Vec<&str> {
    relations.iter().map(|relation| relation.name.name().as_str()).collect()
}

/// Reads the tables of the catalog and their partitions, a partition before its parent.
pub(crate) async fn read_relations(
    connection: &mut PgConnection,
    catalog: &Catalog,
    tenancy: &Tenancy,
) -> Result<Vec<Relation>> {
    let tables: Vec<&TenantTable> = catalog.rolled_out().collect();
    let (schemas, names) = TableName::apart(tables.iter().map(|table| &table.name));
    let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/relations.sql"))
        .bind(schemas)
        .bind(names)
        .bind(tables.iter().map(|table| table.column.name.as_str()).collect::<Vec<_>>())
        .bind(catalog.tenants.schema().as_str())
        .bind(catalog.tenants.name().as_str())
        .bind(&tenancy.tenant.key)
        .bind(tables.iter().map(|table| table.planned).collect::<Vec<_>>())
        .fetch_all(&mut *connection)
        .await
        .map_err(Error::query("reading the tables and their partitions"))?;
    let mut relations = Vec::with_capacity(rows.len());
    for row in rows {
        let position = usize::try_from(row.get::<i64, _>("position")).unwrap_or(1);
        let table = tables[position - 1];
        let name =
            TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
        let (relkind, parent): (String, Option<String>) = (row.get("relkind"), row.get("parent"));
        let printed: String = row.get("printed_column");
        let (column, type_name) = (&table.column.name, &table.column.type_name);
        let comparison = TenantComparison::new(SessionSetting::of(tenancy), column, &printed, type_name)?;
        relations.push(Relation {
            kind: match (relkind.as_str(), &parent) {
                ("p", _) => RelationKind::Partitioned,
                ("f", _) => RelationKind::ForeignPartition,
                (_, Some(_)) => RelationKind::Partition,
                _ => RelationKind::Table,
            },
            name,
            position: position - 1,
            owner: row.get("owner"),
            may_alter: row.get("may_alter"),
            never_null: row.get("never_null"),
            tenant_index: row.get("tenant_index"),
            foreign_key: row.get("foreign_key"),
            foreign_key_valid: row.get("foreign_key_valid"),
            filtered: row.get("filtered"),
            taken_names: row.get("taken_names"),
            constraints: row.get("constraints"),
            platform_rows: table.platform_rows,
            shared_rows: table.shared_rows,
            unhandled: table.unhandled.clone(),
            parent: None,
            comparison,
            definition: Definition::default(),
        });
    }
    stop_with_their_roots(&mut relations);
    let named: Vec<_> =
        relations.iter().map(|relation| (&relation.name, relation.comparison.column.as_str())).collect();
    let definitions = read_definitions(connection, &named).await?;
    for (relation, definition) in relations.iter_mut().zip(definitions) {
        relation.definition = definition;
    }
    Ok(relations)
}

/// What cannot be changed in one partition stops its table: constraints of a partitioned table are those of its partitions.
fn stop_with_their_roots(relations: &mut [Relation]) {
    let owned: Vec<(usize, Unhandled)> = relations
        .iter()
        .filter(|relation| !relation.may_alter)
        .map(|relation| {
            let (table, owner) = (relation.name.clone(), relation.owner.clone());
            (relation.position, Unhandled::OtherOwner { table, owner })
        })
        .collect();
    for relation in relations.iter_mut().filter(|relation| relation.unhandled.is_none()) {
        relation.unhandled = owned.iter().find(|(root, _)| *root == relation.position).map(|(_, why)| why.clone());
    }
}
