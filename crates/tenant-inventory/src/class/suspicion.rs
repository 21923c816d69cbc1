//! What looks as if its rows belonged to tenants, though nothing says so.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use tenancy_config::{TableName, Tenancy};

use crate::catalog::all_tables::{ColumnFacts, TableFacts};
use crate::class::polymorphic::polymorphic_pairs;

/// What makes a table without a tenant column look as if it needed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Suspicion {
    /// A foreign key leads to the tenant table.
    KeyToRegistry {
        /// The columns of that key.
        columns: Vec<String>,
    },
    /// A column has a name that tenant columns have.
    ColumnName {
        /// The column.
        column: String,
    },
    /// It has the columns of a tenant table, but for the tenant column.
    CopyOf {
        /// That table.
        table: TableName,
    },
    /// By the names of two columns, each row says itself of which table it holds a key. No foreign key can say that, nor rule out a tenant's table.
    Polymorphic {
        /// The column that names the table.
        type_column: String,
        /// The column with the key.
        id_column: String,
    },
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyToRegistry { columns } => write!(f, "{} points to the tenant table", columns.join(", ")),
            Self::ColumnName { column } => write!(f, "its column {column} looks like a tenant's"),
            Self::CopyOf { table } => write!(f, "it has the columns of {table}"),
            Self::Polymorphic { type_column, id_column } => {
                write!(f, "its column {type_column} says of which table {id_column} is a key")
            }
        }
    }
}

/// Tables with fewer other columns than these are alike by chance.
const COLUMNS_OF_A_COPY: usize = 3;

/// How many columns a copy has beside those that were copied.
const MORE_IN_A_COPY: usize = 2;

/// Columns that tables of any kind have, without case and underscores: they tell nothing of where a row was copied from.
const OF_ANY_TABLE: [&str; 7] = ["id", "createdat", "updatedat", "deletedat", "modifiedat", "created", "updated"];

/// Names that tenant columns have in other applications, without case and underscores.
const USUAL_NAMES: [&str; 5] = ["tenantid", "organizationid", "organisationid", "orgid", "workspaceid"];

/// Where suspicions come from.
pub(super) struct Signs<'a> {
    pub(super) tenancy: &'a Tenancy,
    pub(super) registry: &'a TableName,
    pub(super) tables: &'a [TableFacts],
}

impl Signs<'_> {
    /// What of a table with a class of none of its own looks like a tenant's.
    pub(super) fn suspicion(&self, table: &TableFacts) -> Option<Suspicion> {
        if let Some(key) = table.foreign_keys.iter().find(|key| key.target == *self.registry) {
            return Some(Suspicion::KeyToRegistry { columns: key.columns.clone() });
        }
        let singular = self.registry.name().as_str().trim_end_matches('s');
        let configured = self.tenancy.columns.iter().map(|name| plain(name));
        let names: BTreeSet<String> =
            configured.chain(USUAL_NAMES.map(str::to_owned)).chain([plain(singular) + "id"]).collect();
        // A workspace may belong to a tenant: what points to it depends on its row, which tells more than a name.
        let depends = |column: &ColumnFacts| {
            let targets = table.foreign_keys.iter().filter(|key| key.columns == [column.name.as_str()]);
            let mut targets = targets.filter_map(|key| self.tables.iter().find(|other| other.name == key.target));
            targets.any(|other| tenant_column(self.tenancy, other).is_some())
        };
        let is_named = |column: &&ColumnFacts| names.contains(&plain(&column.name)) && !depends(column);
        let named = table.columns.iter().find(is_named)?;
        Some(Suspicion::ColumnName { column: named.name.clone() })
    }

    /// Whether the table is a copy of a tenant table.
    pub(super) fn copied(&self, table: &TableFacts) -> Option<Suspicion> {
        let names: BTreeSet<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let original = self.tables.iter().find(|other| {
            let Some(tenant) = tenant_column(self.tenancy, other) else { return false };
            let rest = || other.columns.iter().filter(|column| column.name != tenant.name);
            let telling = rest().filter(|column| !OF_ANY_TABLE.contains(&&*plain(&column.name))).count();
            // One such column tells something where there is little else.
            let alike = telling > 1 || telling == 1 && table.columns.len() <= rest().count() + MORE_IN_A_COPY;
            other.columns.len() > COLUMNS_OF_A_COPY && alike && rest().all(|column| names.contains(&*column.name))
        })?;
        Some(Suspicion::CopyOf { table: original.name.clone() })
    }
}

/// Whether rows of the table may belong to whatever they name.
pub(super) fn polymorphic(table: &TableFacts) -> Option<Suspicion> {
    let pairs = polymorphic_pairs(table.columns.iter().map(|column| column.name.as_str()));
    let (type_column, id_column) = pairs.into_iter().next()?;
    Some(Suspicion::Polymorphic { type_column, id_column })
}

/// The column that `tenancy.toml` names for the table, else the first of the usual ones that it has.
pub(super) fn tenant_column<'t>(tenancy: &Tenancy, table: &'t TableFacts) -> Option<&'t ColumnFacts> {
    let named = |name: &str| table.columns.iter().find(|column| column.name == name);
    match tenancy.rules(&table.name).and_then(|rules| rules.column.as_ref()) {
        Some(name) => named(name),
        None => tenancy.columns.iter().find_map(|name| named(name)),
    }
}

/// A name without what people write differently.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
