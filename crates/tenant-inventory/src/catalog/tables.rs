//! The tenant tables as `pg_catalog` has them: ordinary and partitioned tables with a tenant column, not views.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Row, types::Json};
use tenancy_config::{Ident, TableName, Tenancy, closest};
use tenant_rls::{CatalogTx, Database, Error, Result};

use super::added::{AddedColumn, read_added};
use super::adding::resolve;
use super::all_tables::{ColumnFacts, KeyFacts, all_tables};
use super::cannot_add::CannotAdd;
use super::registry_state::RegistryState;
use crate::class::{Class, ClassifiedTable, classify};
use crate::unhandled::Unhandled;

/// The tables that `tenancy.toml` describes, as this database has them.
#[derive(Debug, Clone, Serialize)]
pub struct Catalog {
    /// The tenant table itself.
    pub tenants: TableName,
    /// What it is in this database.
    #[serde(skip)]
    pub registry: RegistryState,
    /// Its foreign keys.
    #[serde(skip)]
    pub registry_keys: Vec<KeyFacts>,
    /// The columns of every table, by its name.
    #[serde(skip)]
    pub columns: BTreeMap<TableName, Vec<ColumnFacts>>,
    /// Type of the tenant table's key, as `format_type` prints it.
    pub tenant_key_type: Option<String>,
    /// Tables with a tenant column, by name; partitions stand under their parent only. Tables of roles that are not trusted are not
    /// among them, so that no statement reads one.
    pub tables: Vec<TenantTable>,
    /// Tables that `tenancy.toml` names and this database does not have, or has without a tenant column, and tables of roles that nobody said
    /// to rely on.
    pub missing: Vec<Absence>,
    /// The tenant columns that `tenancy.toml` says a rollout adds, the tables before those that depend on them.
    #[serde(skip)]
    pub added: Vec<AddedColumn>,
    /// Tables to which no tenant column can be added as `tenancy.toml` says, and why.
    #[serde(skip)]
    pub not_added: Vec<(TableName, CannotAdd)>,
    /// Tables that `tenancy.toml` declares to depend on another one, by name. Their column is the one that points there.
    #[serde(skip)]
    pub through: Vec<TenantTable>,
    /// What each table of the database is to the tenants.
    #[serde(skip)]
    pub classified: Vec<ClassifiedTable>,
}

/// Whether tables count as having the tenant columns that a rollout is to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CatalogTime {
    Now,
    AfterRollout,
}

/// Something that `tenancy.toml` names and the database lacks, or a table that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Absence {
    /// The table.
    pub table: TableName,
    /// What is missing.
    pub what: MissingPart,
    /// The owner, where it is a role that is not trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// What is missing of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingPart {
    /// The whole table.
    Table,
    /// Its tenant column.
    TenantColumn,
    /// An owner to rely on: the table is never read, as that would run code of its owner.
    TrustedOwner,
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
    /// Rows without a tenant are for every tenant (`shared_rows` in `tenancy.toml`).
    #[serde(skip)]
    pub shared_rows: bool,
    /// Why policies of ours cannot protect it.
    #[serde(skip)]
    pub unhandled: Option<Unhandled>,
    /// The tenant column is only to be added.
    #[serde(skip)]
    pub planned: bool,
}

impl TenantTable {
    /// Whether rows without a tenant are meant, and so no finding.
    pub fn null_rows_are_meant(&self) -> bool {
        self.platform_rows || self.shared_rows
    }
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
    /// No column beside the tenant column can be NULL, so it is checked for each row that has a tenant.
    pub whole: bool,
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
        Self::load_as(database, tenancy, CatalogTime::Now).await
    }

    /// Reads the catalog as it will be once a rollout has added the tenant columns that `tenancy.toml` says.
    ///
    /// # Errors
    /// The same.
    pub async fn load_planned(database: &Database, tenancy: &Tenancy) -> Result<Self> {
        Self::load_as(database, tenancy, CatalogTime::AfterRollout).await
    }

    async fn load_as(database: &Database, tenancy: &Tenancy, time: CatalogTime) -> Result<Self> {
        let mut tx = CatalogTx::begin(database).await?;
        let catalog = Self::read(tx.connection(), tenancy, time).await?;
        tx.rollback().await?;
        Ok(catalog)
    }

    async fn read(connection: &mut PgConnection, tenancy: &Tenancy, time: CatalogTime) -> Result<Self> {
        let schema = &tenancy.database.schema;
        let tenants = TableName::parse(&tenancy.tenant.table, schema)?;
        let facts = all_tables(&mut *connection, tenancy).await?;
        let mut classified = classify(&facts, tenancy)?;
        let tenant_key_type = column_type(&mut *connection, &tenants, Some(&tenancy.tenant.key)).await?;
        let declared = resolve(&facts, &classified, tenancy, tenant_key_type.as_deref())?;
        let added = read_added(&mut *connection, declared.added).await?;
        let planned = |table: &TableName| {
            added.iter().find(|column| !column.exists && column.table == *table).map(|column| column.type_name.clone())
        };
        if time == CatalogTime::AfterRollout {
            for table in &mut classified {
                if let Some(column) = added.iter().find(|column| !column.exists && column.table == table.table) {
                    table.class = Class::Tenant { column: column.column.to_string() };
                }
            }
        }
        let chosen: Vec<(&ClassifiedTable, &str)> = classified
            .iter()
            .filter(|table| table.stranger.is_none())
            .filter_map(|table| Some((table, table.class.tenant_column().or(table.class.link())?)))
            .collect();
        let (schemas, names) = TableName::apart(chosen.iter().map(|(table, _)| &table.table));
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/tenant_tables.sql"))
            .bind(schemas)
            .bind(names)
            .bind(chosen.iter().map(|(_, column)| *column).collect::<Vec<_>>())
            .bind(chosen.iter().map(|(table, _)| planned(&table.table)).collect::<Vec<_>>())
            .fetch_all(&mut *connection)
            .await
            .map_err(Error::query("reading the catalog"))?;
        let (mut tables, mut through) = (Vec::new(), Vec::new());
        for row in rows {
            let name =
                TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
            let class = chosen.iter().find(|(table, _)| table.table == name).map(|(table, _)| &table.class);
            let (Json(column), Json(foreign_keys)) = (row.get("tenant_column"), row.get("foreign_keys"));
            let Json(leaves): Json<Vec<NewLeaf>> = row.get("leaves");
            let rules = tenancy.rules(&name);
            let hangs = class.is_some_and(|class| class.link().is_some());
            let list = if hangs { &mut through } else { &mut tables };
            list.push(TenantTable {
                platform_rows: rules.is_some_and(|rules| rules.platform_rows.are_meant()),
                shared_rows: rules.is_some_and(|rules| rules.shared_rows.is_some()),
                unhandled: match class {
                    Some(Class::Unhandled { why, .. }) => Some(why.clone()),
                    _ => None,
                },
                planned: planned(&name).is_some(),
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
            });
        }
        let mut missing = Vec::new();
        for (name, rules) in &tenancy.tables {
            let table = TableName::parse(name, schema)?;
            let class = classified.iter().find(|known| known.table == table).map(|known| &known.class);
            let what = match class {
                // The next rollout adds its column; until then it counts among those that depend on others.
                Some(_) if rules.add_column.is_some() => continue,
                Some(Class::Exempt { .. }) => continue,
                Some(class) if class.tenant_column().is_some() || class.link().is_some() => continue,
                Some(_) => MissingPart::TenantColumn,
                None => MissingPart::Table,
            };
            missing.push(Absence { table, what, owner: None });
        }
        missing.extend(classified.iter().filter_map(not_read));
        let registry = RegistryState::read(connection, &tenants, tenant_key_type.is_some()).await?;
        let registry_facts = facts.iter().find(|table| table.name == tenants);
        let registry_keys = registry_facts.map(|table| table.foreign_keys.clone()).unwrap_or_default();
        let columns = facts.into_iter().map(|table| (table.name, table.columns)).collect();
        let not_added = declared.not_added;
        Ok(Self {
            tenants,
            registry,
            registry_keys,
            columns,
            tenant_key_type,
            tables,
            added,
            not_added,
            through,
            missing,
            classified,
        })
    }

    /// A column of any table; none where one of the two is not there.
    pub fn column(&self, table: &TableName, column: &str) -> Option<&ColumnFacts> {
        self.columns.get(table)?.iter().find(|known| known.name == column)
    }

    /// The tables that a rollout is about: those with a tenant column, then those that depend on one of them.
    pub fn rolled_out(&self) -> impl Iterator<Item = &TenantTable> + Clone {
        self.tables.iter().chain(&self.through)
    }

    /// The tenant table of this name.
    ///
    /// # Errors
    /// [`Error::NoTable`] with the closest name; [`Error::NotTenants`] where it has no tenant column; [`Error::Strangers`] where it belongs to a role that is not trusted.
    pub fn table(&self, name: &TableName) -> Result<&TenantTable> {
        self.find(name, self.tables.iter())
    }

    /// The same, or a table that is declared to depend on one.
    ///
    /// # Errors
    /// [`Error::NoTable`] with the closest name; [`Error::NotTenants`] where it has no tenant column; [`Error::Strangers`] where it belongs to a role that is not trusted.
    pub fn rolled_out_table(&self, name: &TableName) -> Result<&TenantTable> {
        self.find(name, self.rolled_out())
    }

    fn find<'a>(
        &'a self,
        name: &TableName,
        mut among: impl Iterator<Item = &'a TenantTable> + Clone,
    ) -> Result<&'a TenantTable> {
        let not_read = self.missing.iter().find(|missing| missing.table == *name);
        if let Some(Absence { owner: Some(owner), .. }) = not_read {
            return Err(Error::Strangers(vec![(name.clone(), owner.clone())]));
        }
        let is_there = self.classified.iter().any(|known| known.table == *name);
        if is_there && among.clone().all(|table| table.name != *name) {
            return Err(Error::NotTenants { table: name.clone() });
        }
        let names: Vec<String> = among.clone().map(|table| table.name.name().to_string()).collect();
        among.find(|table| table.name == *name).ok_or_else(|| Error::NoTable {
            table: name.clone(),
            closest: closest(name.name().as_str(), names.iter().map(String::as_str)).map(str::to_owned),
        })
    }
}

/// A table with a tenant column that is not read, as it, or a part of it, belongs to a role that is not trusted.
fn not_read(table: &ClassifiedTable) -> Option<Absence> {
    table.class.tenant_column().or(table.class.link())?;
    let owner = table.stranger.as_ref()?.owner.clone();
    Some(Absence { table: table.table.clone(), what: MissingPart::TrustedOwner, owner: Some(owner) })
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
