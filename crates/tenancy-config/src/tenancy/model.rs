//! What a `tenancy.toml` can say. [`Tenancy::default`] is the application that this workspace was written for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::TableName;

/// What the tenant tables of a database are called and how they hang together.
///
/// A part that the file leaves out is the default application's; `[tables]` is one part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenancy {
    /// Names of tenant columns: a table's is the first of these that it has.
    pub columns: Vec<String>,
    /// Which database.
    pub database: DatabaseSection,
    /// The table of the tenants.
    pub tenant: TenantSection,
    /// How a session says whose it is.
    pub session: SessionSection,
    /// The roles.
    pub roles: RolesSection,
    /// Tables that must be there, as `table` or `schema.table`, with their rules. Others that have a tenant column are
    /// found by it.
    pub tables: BTreeMap<String, TableRules>,
}

/// `[database]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSection {
    /// What a write must be confirmed with anywhere but on the local database, such as `production`.
    pub environment: Option<String>,
    /// The schema of tables that are named without one.
    pub schema: String,
    /// Roles whose tables may be relied on, beside the owners of the database and of the tenant table: code of a table's owner runs as
    /// whoever reads the table.
    pub owners: Vec<String>,
}

/// `[tenant]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantSection {
    /// The table with one row for each tenant.
    pub table: String,
    /// Its primary key, which tenant columns reference.
    pub key: String,
    /// Its unique, readable name.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// Its state, if tenants have one.
    #[serde(default)] // left out in a file that has this section, it is none, and not the default application's
    pub status: Option<String>,
    /// The state of a tenant that is in use.
    pub active: String,
}

/// `[session]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSection {
    /// The setting that policies read the tenant's id from; a setting of one's own has a dot in its name.
    pub variable: String,
    /// The policy's name, the same on each table.
    pub policy: String,
}

/// `[roles]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolesSection {
    /// What the application logs in as; policies filter it.
    pub app: String,
    /// What backfills act as (NOLOGIN).
    pub maintenance: String,
    /// What audits act as where no role is unfiltered (NOLOGIN).
    pub auditor: String,
}

/// `[tables.NAME]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableRules {
    /// The tenant column, where it is not one of [`Tenancy::columns`].
    pub column: Option<String>,
    /// Rows without a tenant are meant: they belong to the whole platform.
    pub platform_rows: bool,
    /// Why rows of this table may reference rows of other tenants; where it is given, such rows do not stop a rollout.
    pub cross_tenant_references: Option<String>,
    /// Triggers of this table that may fire when a row gets its tenant. A backfill refuses to run beside any other that would.
    pub allow_triggers: Vec<String>,
    /// Where a row's tenant follows from, best source first.
    pub sources: Vec<SourceRule>,
    /// What decides where sources name several tenants, best first.
    #[serde(alias = "evidence")] // its name until 0.1
    pub tie_breakers: Vec<TieBreakerRule>,
}

/// One place that a row's tenant follows from: the tenant of the row that a column points to, or the tenants of all such rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRule {
    /// What reports call it.
    pub name: String,
    /// The column that points to the other table; it needs no foreign key.
    pub column: String,
    /// The other table.
    pub table: String,
    /// The other table's column that `column` holds.
    #[serde(default = "default_key")]
    pub key: String,
    /// The other table's tenant column, where it is not one of [`Tenancy::columns`].
    pub tenant: Option<String>,
    /// Many rows may have that `key`, and each of them names a tenant. It needs an index.
    #[serde(default)]
    pub all: bool,
}

/// Decides between the tenants that sources name: for the one of them that has a row with equal columns, if only one has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TieBreakerRule {
    /// What reports call it.
    pub name: String,
    /// The table with such rows; it may be the table itself.
    pub table: String,
    /// The columns that must be equal: this table's, and that table's.
    pub equal: BTreeMap<String, String>,
    /// That table's tenant column, where it is not one of [`Tenancy::columns`].
    pub tenant: Option<String>,
}

pub(super) fn default_key() -> String {
    "id".to_owned()
}

impl Tenancy {
    /// The rules of a table that is named with its schema, whichever way the file names it.
    pub fn rules(&self, table: &TableName) -> Option<&TableRules> {
        let schema = &self.database.schema;
        let named = |name: &str| TableName::parse(name, schema).is_ok_and(|parsed| parsed == *table);
        self.tables.iter().find(|(name, _)| named(name)).map(|(_, rules)| rules)
    }
}
