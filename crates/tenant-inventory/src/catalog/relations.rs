//! The tables and their partitions, each with its definition.

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Error, Result, TenantComparison};

use super::definition::{Definition, read_definitions};
use super::tables::Catalog;

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
    /// That foreign key is marked valid.
    pub foreign_key_valid: bool,
    /// It has children by inheritance, or is one.
    pub inherits: bool,
    /// Row level security filters this login.
    pub filtered: bool,
    /// Names of relations in its schema that an index of its tenant column cannot have.
    pub taken_names: Vec<String>,
    /// Rows without a tenant are meant.
    pub platform_rows: bool,
    /// Its tenant column, and what its policy compares that with.
    pub comparison: TenantComparison,
    /// What a rollout may change of it.
    pub definition: Definition,
}

/// A table that cannot be rolled out, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table} cannot be put under row level security: {why}")]
pub struct Unsuitable {
    /// The table.
    pub table: TableName,
    /// Why not.
    pub why: String,
}

impl Relation {
    /// Why it cannot be rolled out at all.
    pub fn unsuitable(&self) -> Option<Unsuitable> {
        let why = match self.kind {
            RelationKind::ForeignPartition => {
                "it is a partition on another server, where our policies do not reach".to_owned()
            }
            _ if self.inherits => {
                "it takes part in table inheritance: a policy on a parent does not protect its children; make them partitions"
                    .to_owned()
            }
            _ if !self.may_alter => {
                format!("it belongs to {}, and this login may not change its definition", self.owner)
            }
            _ => {
                let type_name = self.comparison.unhandled_type.as_ref()?;
                format!("its tenant column has the type {type_name}; text, varchar, uuid, integer and bigint are handled")
            }
        };
        Some(Unsuitable { table: self.name.clone(), why })
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
    let tables = &catalog.tables;
    let (schemas, names) = TableName::apart(tables.iter().map(|table| &table.name));
    let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/relations.sql"))
        .bind(schemas)
        .bind(names)
        .bind(tables.iter().map(|table| table.column.name.as_str()).collect::<Vec<_>>())
        .bind(catalog.tenants.schema().as_str())
        .bind(catalog.tenants.name().as_str())
        .fetch_all(&mut *connection)
        .await
        .map_err(Error::query("reading the tables and their partitions"))?;
    let mut relations = Vec::with_capacity(rows.len());
    for row in rows {
        let position = usize::try_from(row.get::<i64, _>("position")).unwrap_or(1);
        let table = &tables[position - 1];
        let name =
            TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
        let (relkind, parent): (String, Option<String>) = (row.get("relkind"), row.get("parent"));
        let printed: String = row.get("printed_column");
        let (column, type_name) = (&table.column.name, &table.column.type_name);
        let comparison = TenantComparison::new(&tenancy.session.variable, column, &printed, type_name)?;
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
            inherits: row.get("inherits"),
            filtered: row.get("filtered"),
            taken_names: row.get("taken_names"),
            platform_rows: table.platform_rows,
            comparison,
            definition: Definition::default(),
        });
    }
    let named: Vec<_> =
        relations.iter().map(|relation| (&relation.name, relation.comparison.column.as_str())).collect();
    let definitions = read_definitions(connection, &named).await?;
    for (relation, definition) in relations.iter_mut().zip(definitions) {
        relation.definition = definition;
    }
    Ok(relations)
}
