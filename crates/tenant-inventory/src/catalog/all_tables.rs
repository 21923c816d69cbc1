//! Every table of the application's schemas, whether it has a tenant column or not.

use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row, types::Json};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{CatalogTx, Database, Error, Result};

/// A table, as far as its class depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFacts {
    /// Its name.
    pub name: TableName,
    /// Its owner.
    pub owner: String,
    /// Its rows are on another server.
    pub foreign: bool,
    /// ENABLE ROW LEVEL SECURITY.
    pub rls_enabled: bool,
    /// FORCE ROW LEVEL SECURITY.
    pub rls_forced: bool,
    /// The extension that made it.
    pub extension: Option<String>,
    /// It inherits from a table that is not partitioned, or another one inherits from it.
    pub inherits: bool,
    /// Citus keeps its rows on several nodes.
    pub distributed: bool,
    /// A partition of it whose rows are on another server.
    pub foreign_partition: Option<TableName>,
    /// What of it belongs to a role that is not trusted.
    pub stranger: Option<Member>,
    /// Its columns, in their order.
    pub columns: Vec<ColumnFacts>,
    /// Its foreign keys, by the names of the constraints.
    pub foreign_keys: Vec<KeyFacts>,
}

/// A table, or a partition or child of one, with its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The table, the partition or the child.
    pub table: TableName,
    /// Its owner.
    pub owner: String,
}

/// A column, as far as a class depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ColumnFacts {
    /// Its name.
    pub name: String,
    /// Its type, as `format_type` prints it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The same without a length, and of a domain the type below it.
    pub base_type: String,
    /// The server computes it from other columns.
    pub generated: bool,
    /// The server numbers it.
    pub identity: bool,
    /// A unique key of this column alone, which a foreign key can reference.
    pub unique: bool,
    /// NOT NULL, and nothing leaves it unproven.
    pub never_null: bool,
}

/// A foreign key, as far as a class depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// The columns here.
    pub columns: Vec<String>,
    /// The table that they point to.
    pub target: TableName,
    /// The columns there.
    pub references: Vec<String>,
    /// It is enforced, and marked valid.
    pub valid: bool,
}

/// The same as the server returns it.
#[derive(Deserialize)]
struct NewKey {
    columns: Vec<String>,
    references: Vec<String>,
    valid: bool,
    schema: String,
    table: String,
}

/// A partition, as the server returns it.
#[derive(Deserialize)]
struct NewMember {
    schema: String,
    name: String,
}

/// Reads every table. Every role may: only the catalog is read.
///
/// # Errors
/// [`Error::Connect`] or [`Error::Query`] if the server does not answer.
pub async fn read_all_tables(database: &Database, tenancy: &Tenancy) -> Result<Vec<TableFacts>> {
    let mut tx = CatalogTx::begin(database).await?;
    let tables = all_tables(tx.connection(), tenancy).await?;
    tx.rollback().await?;
    Ok(tables)
}

/// The same in a transaction that is open.
pub(crate) async fn all_tables(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<Vec<TableFacts>> {
    let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/all_tables.sql"))
        .fetch_all(&mut *connection)
        .await
        .map_err(Error::query("reading all tables"))?;
    let mut tables = rows.iter().map(from_row).collect::<Result<Vec<_>>>()?;
    for distributed in distributed(&mut *connection).await? {
        if let Some(table) = tables.iter_mut().find(|table| table.name == distributed) {
            table.distributed = true;
        }
    }
    for (table, stranger) in strangers(connection, tenancy, &tables).await? {
        if let Some(table) = tables.iter_mut().find(|known| known.name == table) {
            table.stranger.get_or_insert(stranger);
        }
    }
    Ok(tables)
}

/// Tables that somebody else made, or of which somebody else has a part. A table counts as one of the application's by its name and columns,
/// and any role that may create tables can choose these. Reading it is enough to run what its owner put into index predicates, checks and
/// policies.
async fn strangers(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    tables: &[TableFacts],
) -> Result<Vec<(TableName, Member)>> {
    let tenants = TableName::parse(&tenancy.tenant.table, &tenancy.database.schema)?;
    let (schemas, names) = TableName::apart(tables.iter().map(|table| &table.name));
    let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/strangers.sql"))
        .bind(schemas)
        .bind(names)
        .bind(tenants.schema().as_str())
        .bind(tenants.name().as_str())
        .bind(&tenancy.database.owners)
        .fetch_all(connection)
        .await
        .map_err(Error::query("asking whose the tables are"))?;
    let stranger = |row: &PgRow| {
        let member = Member { table: named(row.get("schema"), row.get("name"))?, owner: row.get("owner") };
        Ok((named(row.get("root_schema"), row.get("root_name"))?, member))
    };
    rows.iter().map(stranger).collect()
}

fn from_row(row: &PgRow) -> Result<TableFacts> {
    let (Json(columns), Json(keys)): (_, Json<Vec<NewKey>>) = (row.get("columns"), row.get("foreign_keys"));
    let foreign_partition: Option<Json<NewMember>> = row.get("foreign_partition");
    let foreign_partition = foreign_partition.map(|Json(partition)| partition);
    let key = |key: NewKey| {
        let NewKey { columns, references, valid, schema, table } = key;
        Ok(KeyFacts { columns, target: named(schema, table)?, references, valid })
    };
    Ok(TableFacts {
        name: named(row.get("schema"), row.get("name"))?,
        owner: row.get("owner"),
        foreign: row.get("foreign_table"),
        rls_enabled: row.get("rls_enabled"),
        rls_forced: row.get("rls_forced"),
        extension: row.get("extension"),
        inherits: row.get("inherits"),
        distributed: false,
        foreign_partition: foreign_partition.map(|partition| named(partition.schema, partition.name)).transpose()?,
        stranger: None,
        columns,
        foreign_keys: keys.into_iter().map(key).collect::<Result<_>>()?,
    })
}

fn named(schema: String, name: String) -> Result<TableName> {
    Ok(TableName::new(Ident::new(schema)?, Ident::new(name)?))
}

async fn distributed(connection: &mut PgConnection) -> Result<Vec<TableName>> {
    let citus: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus') AS there")
            .fetch_one(&mut *connection)
            .await
            .map_err(Error::query("asking whether Citus is there"))?;
    if !citus {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/distributed.sql"))
        .fetch_all(connection)
        .await
        .map_err(Error::query("reading the distributed tables"))?;
    rows.iter().map(|row| named(row.get("schema"), row.get("name"))).collect()
}
