//! The tenant tables as `pg_catalog` has them: ordinary and partitioned tables with a tenant column, not views.

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Row, types::Json};
use tenancy_config::{Ident, TableName, Tenancy, closest};
use tenant_rls::{CatalogTx, Database, Error, Result};

/// The tables that `tenancy.toml` describes, as this database has them.
#[derive(Debug, Clone, Serialize)]
pub struct Catalog {
    /// The tenant table itself.
    pub tenants: TableName,
    /// Type of the tenant table's key, as `format_type` prints it.
    pub tenant_key_type: Option<String>,
    /// Tables with a tenant column, by name; partitions stand under their parent only.
    pub tables: Vec<TenantTable>,
    /// Tables that `tenancy.toml` names and this database does not have, or has without a tenant column.
    pub missing: Vec<Missing>,
}

/// Something that `tenancy.toml` names and the database lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The table.
    pub table: TableName,
    /// What is missing.
    pub what: MissingPart,
}

/// What is missing of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingPart {
    /// The whole table.
    Table,
    /// Its tenant column.
    TenantColumn,
}

/// A table whose rows belong to tenants.
#[derive(Debug, Clone, Serialize)]
pub struct TenantTable {
    /// Its name.
    pub name: TableName,
    /// Whether it is partitioned.
    pub partitioned: bool,
    /// Its tenant column.
    pub column: TenantColumn,
    /// ENABLE ROW LEVEL SECURITY.
    pub rls_enabled: bool,
    /// FORCE ROW LEVEL SECURITY.
    pub rls_forced: bool,
    /// Columns of the primary key, in order; empty without one.
    pub key: Vec<String>,
    /// Their types, as `format_type` prints them.
    #[serde(skip)]
    pub key_types: Vec<String>,
    /// The tenant column is a part of the partition key.
    #[serde(skip)]
    pub partitioned_by_tenant: bool,
    /// Of a partitioned table, the partitions that hold rows, of every level.
    #[serde(skip)]
    pub leaves: Vec<Leaf>,
    /// Rows by the last ANALYZE; negative where there was none.
    pub estimated_rows: f32,
    /// A valid index leads with the tenant column.
    pub tenant_index: bool,
    /// Foreign keys, by name.
    pub foreign_keys: Vec<ForeignKey>,
    /// Rows without a tenant are meant (`platform_rows` in `tenancy.toml`).
    pub platform_rows: bool,
}

/// A partition that holds rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its name.
    pub name: TableName,
    /// Its rows are in another database.
    pub foreign: bool,
}

/// The same as the server returns it.
#[derive(Deserialize)]
struct NewLeaf {
    schema: String,
    name: String,
    foreign: bool,
}

impl NewLeaf {
    fn named(&self) -> Result<Leaf> {
        Ok(Leaf { name: TableName::new(Ident::new(&self.schema)?, Ident::new(&self.name)?), foreign: self.foreign })
    }
}

/// The column that holds the tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TenantColumn {
    /// Its name.
    pub name: String,
    /// Its type, as `format_type` prints it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Marked NOT NULL.
    pub not_null: bool,
    /// NOT NULL, and a validated constraint proves it: on PostgreSQL 18 a NOT NULL can be NOT VALID.
    pub never_null: bool,
    /// Its default, as an expression.
    pub default: Option<String>,
}

/// A foreign key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// Columns here.
    pub columns: Vec<String>,
    /// Schema of the table that is referenced.
    pub schema: String,
    /// The table that is referenced.
    pub table: String,
    /// Columns there.
    pub references: Vec<String>,
    /// Marked valid. Under FORCE that proves nothing: the check may not have seen every row.
    pub validated: bool,
}

impl ForeignKey {
    /// The table that is referenced.
    ///
    /// # Errors
    /// [`Error::Name`], which the catalog rules out.
    pub fn target(&self) -> Result<TableName> {
        Ok(TableName::new(Ident::new(&self.schema)?, Ident::new(&self.table)?))
    }
}

impl Catalog {
    /// Reads the catalog. Every role may.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Name`] for a name in `tenancy.toml` that no table can have.
    pub async fn load(database: &Database, tenancy: &Tenancy) -> Result<Self> {
        let mut tx = CatalogTx::begin(database).await?;
        let catalog = Self::read(tx.connection(), tenancy).await?;
        tx.rollback().await?;
        Ok(catalog)
    }

    async fn read(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<Self> {
        let schema = &tenancy.database.schema;
        let tenants = TableName::parse(&tenancy.tenant.table, schema)?;
        let overrides: Vec<(TableName, Option<String>, bool)> = tenancy
            .tables
            .iter()
            .map(|(name, rules)| Ok((TableName::parse(name, schema)?, rules.column.clone(), rules.platform_rows)))
            .collect::<Result<_>>()?;
        let (schemas, names) = TableName::apart(overrides.iter().map(|(table, ..)| table));
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/tenant_tables.sql"))
            .bind(&tenancy.columns)
            .bind(schemas)
            .bind(names)
            .bind(overrides.iter().map(|(_, column, _)| column.as_deref()).collect::<Vec<_>>())
            .fetch_all(&mut *connection)
            .await
            .map_err(Error::query("reading the catalog"))?;
        let mut tables = Vec::new();
        for row in rows {
            let name =
                TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
            let exempt = tenancy.rules(&name).is_some_and(|rules| rules.exempt.is_some());
            if name == tenants || exempt {
                continue;
            }
            let (Json(column), Json(foreign_keys)) = (row.get("tenant_column"), row.get("foreign_keys"));
            let Json(leaves): Json<Vec<NewLeaf>> = row.get("leaves");
            let platform_rows = overrides.iter().any(|(table, _, platform)| *platform && *table == name);
            tables.push(TenantTable {
                name,
                partitioned: row.get("partitioned"),
                column,
                rls_enabled: row.get("rls_enabled"),
                rls_forced: row.get("rls_forced"),
                key: row.get("key"),
                key_types: row.get("key_types"),
                partitioned_by_tenant: row.get("partitioned_by_tenant"),
                leaves: leaves.iter().map(NewLeaf::named).collect::<Result<_>>()?,
                estimated_rows: row.get("estimated_rows"),
                tenant_index: row.get("tenant_index"),
                foreign_keys,
                platform_rows,
            });
        }
        refuse_strangers(connection, tenancy, &tables, &tenants).await?;
        let mut missing = Vec::new();
        for (table, ..) in &overrides {
            let exempt = tenancy.rules(table).is_some_and(|rules| rules.exempt.is_some());
            if exempt || tables.iter().any(|found| found.name == *table) {
                continue;
            }
            let there = column_type(connection, table, None).await?.is_some();
            let what = if there { MissingPart::TenantColumn } else { MissingPart::Table };
            missing.push(Missing { table: table.clone(), what });
        }
        let tenant_key_type = column_type(connection, &tenants, Some(&tenancy.tenant.key)).await?;
        Ok(Self { tenants, tenant_key_type, tables, missing })
    }

    /// The tenant table of this name.
    ///
    /// # Errors
    /// [`Error::NoTable`] with the closest name.
    pub fn table(&self, name: &TableName) -> Result<&TenantTable> {
        let names: Vec<String> = self.tables.iter().map(|table| table.name.name().to_string()).collect();
        self.tables.iter().find(|table| table.name == *name).ok_or_else(|| Error::NoTable {
            table: name.clone(),
            closest: closest(name.name().as_str(), names.iter().map(String::as_str)).map(str::to_owned),
        })
    }
}

/// Fails where a table was found that somebody else made. It counts as one of the application's by its name and columns, and any role that may
/// create tables can choose these. Reading it is enough to run what its owner put into index predicates, checks and policies.
async fn refuse_strangers(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    tables: &[TenantTable],
    tenants: &TableName,
) -> Result<()> {
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
    let stranger = |row: &sqlx::postgres::PgRow| {
        let (schema, name): (String, String) = (row.get("schema"), row.get("name"));
        Ok((TableName::new(Ident::new(schema)?, Ident::new(name)?), row.get("owner")))
    };
    let strangers = rows.iter().map(stranger).collect::<Result<Vec<_>>>()?;
    if strangers.is_empty() { Ok(()) } else { Err(Error::Strangers(strangers)) }
}

/// The type of a column, or of any column at all: `None` where the table or the column is not there.
async fn column_type(connection: &mut PgConnection, table: &TableName, column: Option<&str>) -> Result<Option<String>> {
    sqlx::query_scalar(include_str!("../../../../sql/tenant-inventory/column_type.sql"))
        .bind(table.schema().as_str())
        .bind(table.name().as_str())
        .bind(column)
        .fetch_optional(connection)
        .await
        .map_err(Error::query(format!("looking for {table}")))
}
