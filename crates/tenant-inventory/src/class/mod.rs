//! What each table of the database is to the tenants. A statement about the whole database is made of the classes of all its tables, not of the
//! tables that a command happened to read.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use tenancy_config::tenancy::ThroughRule;
use tenancy_config::{TableName, Tenancy};
use tenant_rls::Result;

use crate::catalog::all_tables::{ColumnFacts, Member, TableFacts};
pub use crate::class::polymorphic::polymorphic_pairs;
pub use crate::class::suspicion::Suspicion;
use crate::class::suspicion::{Signs, polymorphic, tenant_column};
pub use crate::unhandled::{Unhandled, Unlinked};
use crate::unhandled::{unhandled, unhandled_table};
use crate::unlinked::{ParentClass, unlinked};

mod polymorphic;
mod suspicion;

/// What a table is to the tenants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum Class {
    /// The tenant table.
    Registry,
    /// Each row belongs to the tenant that its tenant column names.
    Tenant {
        /// The tenant column.
        column: String,
    },
    /// The same, and rows without a tenant belong to the whole platform (`platform_rows` in `tenancy.toml`).
    Platform {
        /// The tenant column.
        column: String,
        /// The reason that was given, if one was.
        why: Option<String>,
    },
    /// The same, and rows without a tenant are read by every tenant and written by none (`shared_rows` in `tenancy.toml`).
    Shared {
        /// The tenant column.
        column: String,
        /// The reason that was given.
        why: String,
    },
    /// Each row belongs to the tenant of the row that a column points to (`through` in `tenancy.toml`).
    Through {
        /// That column.
        column: String,
        /// The table that it points to, which has a tenant column.
        table: TableName,
    },
    /// It has a tenant column or is declared to depend on a table that has one, and row level security of ours cannot protect it.
    Unhandled {
        /// The tenant column, or the one that was declared.
        column: String,
        /// Why not.
        why: Unhandled,
    },
    /// It has no tenant column, and looks as if its rows belonged to tenants.
    Suspect {
        /// What it looks like.
        why: Suspicion,
    },
    /// It has no tenant column, and its foreign keys lead to rows that belong to tenants.
    Dependent {
        /// The tables on the shortest way, without this one. The rows of the last one belong to tenants, or look as if they did.
        through: Vec<TableName>,
    },
    /// `tenancy.toml` says that its rows need no tenant.
    Exempt {
        /// The declared reason.
        why: String,
    },
    /// An extension made it.
    Extension {
        /// Its name.
        extension: String,
    },
    /// Nothing leads from it to a tenant.
    Unrelated,
}

impl Class {
    /// The tenant column of a table that has one.
    pub fn tenant_column(&self) -> Option<&str> {
        match self {
            Self::Unhandled { why: Unhandled::Through { .. }, .. } => None,
            Self::Tenant { column }
            | Self::Platform { column, .. }
            | Self::Shared { column, .. }
            | Self::Unhandled { column, .. } => Some(column),
            _ => None,
        }
    }

    /// Whether the table depends on tenants' rows by way of this one: then it tells nothing about whose rows these are.
    pub(crate) fn depends_through(&self, table: &TableName) -> bool {
        matches!(self, Self::Dependent { through } if through.contains(table))
    }

    /// Whether policies of ours protect the table once it is rolled out.
    pub fn is_protected(&self) -> bool {
        matches!(self, Self::Tenant { .. } | Self::Platform { .. } | Self::Shared { .. } | Self::Through { .. })
    }

    /// Whether its rows may belong to tenants, and no policy of ours protects them.
    pub fn is_unprotected(&self) -> bool {
        matches!(self, Self::Dependent { .. } | Self::Suspect { .. } | Self::Unhandled { .. })
    }

    /// The column by which the rows depend on another table, where that is declared.
    pub(crate) fn link(&self) -> Option<&str> {
        match self {
            Self::Through { column, .. } | Self::Unhandled { column, why: Unhandled::Through { .. } } => Some(column),
            _ => None,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry => f.write_str("the tenant table"),
            Self::Tenant { column } => write!(f, "tenant column {column}"),
            Self::Platform { column, why } => {
                write!(f, "tenant column {column}, and rows of the platform")?;
                why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
            }
            Self::Shared { column, why } => {
                write!(f, "tenant column {column}, and rows that every tenant reads: {why}")
            }
            Self::Through { column, table } => {
                write!(f, "{column} points to the row of {table} whose tenant is its own")
            }
            Self::Unhandled { column, why } => write!(f, "{why} ({column})"),
            Self::Suspect { why } => why.fmt(f),
            Self::Dependent { through } => {
                let through: Vec<String> = through.iter().map(ToString::to_string).collect();
                write!(f, "its rows depend on {}", through.join(" → "))
            }
            Self::Exempt { why } => write!(f, "declared exempt: {why}"),
            Self::Extension { extension } => write!(f, "made by the extension {extension}"),
            Self::Unrelated => f.write_str("no column and no foreign key leads to a tenant"),
        }
    }
}

/// A table and its class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassifiedTable {
    /// The table.
    pub table: TableName,
    /// Its owner.
    pub owner: String,
    /// ENABLE ROW LEVEL SECURITY.
    pub rls_enabled: bool,
    /// FORCE ROW LEVEL SECURITY.
    pub rls_forced: bool,
    /// What of it belongs to a role that is not trusted. Such a table is never read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stranger: Option<Member>,
    /// What it is to the tenants.
    #[serde(flatten)]
    pub class: Class,
}

/// Gives each table its class, in the order of `tables`.
///
/// # Errors
/// [`tenant_rls::Error::Name`] for a name in `tenancy.toml` that no table can have.
pub fn classify(tables: &[TableFacts], tenancy: &Tenancy) -> Result<Vec<ClassifiedTable>> {
    let classifier = Classifier::new(tables, tenancy)?;
    let own: Vec<Option<Class>> = tables.iter().map(|table| classifier.by_itself(table)).collect();
    let ways = classifier.ways(&own);
    let classified = tables.iter().zip(own).map(|(table, own)| {
        let class = own
            .or_else(|| ways.get(&table.name).map(|through| Class::Dependent { through: through.clone() }))
            .or_else(|| {
                let why = classifier.signs().copied(table).or_else(|| polymorphic(table))?;
                Some(Class::Suspect { why })
            })
            .unwrap_or(Class::Unrelated);
        let (rls_enabled, rls_forced) = (table.rls_enabled, table.rls_forced);
        let (name, owner, stranger) = (table.name.clone(), table.owner.clone(), table.stranger.clone());
        ClassifiedTable { table: name, owner, rls_enabled, rls_forced, stranger, class }
    });
    Ok(classified.collect())
}

/// Why a table would not be protected through the other one that a rule names, if `tenancy.toml` had that rule; none if it would be.
pub(crate) fn not_through(
    tables: &[TableFacts],
    tenancy: &Tenancy,
    table: &TableFacts,
    rule: &ThroughRule,
) -> Result<Option<Unlinked>> {
    Ok(match Classifier::new(tables, tenancy)?.through(table, rule) {
        Class::Unhandled { why: Unhandled::Through { why }, .. } => Some(why),
        _ => None,
    })
}

struct Classifier<'a> {
    tenancy: &'a Tenancy,
    registry: TableName,
    /// The key of the tenant table, where both are there.
    key: Option<&'a ColumnFacts>,
    tables: &'a [TableFacts],
}

impl<'a> Classifier<'a> {
    fn new(tables: &'a [TableFacts], tenancy: &'a Tenancy) -> Result<Self> {
        let registry = TableName::parse(&tenancy.tenant.table, &tenancy.database.schema)?;
        let key =
            tables.iter().find(|table| table.name == registry).and_then(|table| column(table, &tenancy.tenant.key));
        Ok(Self { tenancy, registry, key, tables })
    }

    /// The class that does not depend on other tables but the tenant table.
    fn by_itself(&self, table: &TableFacts) -> Option<Class> {
        if table.name == self.registry {
            return Some(Class::Registry);
        }
        if let Some(why) = self.tenancy.rules(&table.name).and_then(|rules| rules.exempt.as_ref()) {
            return Some(Class::Exempt { why: why.clone() });
        }
        if let Some(rule) = self.tenancy.rules(&table.name).and_then(|rules| rules.through.as_ref()) {
            return Some(self.through(table, rule));
        }
        if let Some(column) = self.tenant_column(table) {
            let name = column.name.clone();
            let rules = self.tenancy.rules(&table.name);
            let shared = rules.and_then(|rules| rules.shared_rows.clone());
            return Some(match (unhandled(table, column, self.key.map(|key| (&self.registry, key))), shared) {
                (Some(why), _) => Class::Unhandled { column: name, why },
                (None, Some(why)) => Class::Shared { column: name, why },
                (None, None) => match rules.map(|rules| &rules.platform_rows).filter(|rows| rows.are_meant()) {
                    Some(rows) => Class::Platform { column: name, why: rows.why().map(str::to_owned) },
                    None => Class::Tenant { column: name },
                },
            });
        }
        if let Some(extension) = &table.extension {
            return Some(Class::Extension { extension: extension.clone() });
        }
        self.signs().suspicion(table).map(|why| Class::Suspect { why })
    }

    fn tenant_column<'t>(&self, table: &'t TableFacts) -> Option<&'t ColumnFacts> {
        tenant_column(self.tenancy, table)
    }

    fn signs(&self) -> Signs<'_> {
        Signs { tenancy: self.tenancy, registry: &self.registry, tables: self.tables }
    }

    /// The class of a table that is declared to depend on another one.
    fn through(&self, table: &TableFacts, rule: &ThroughRule) -> Class {
        let column = rule.column.clone();
        let parent = TableName::parse(&rule.table, &self.tenancy.database.schema).ok();
        let parent = parent.as_ref().and_then(|name| self.tables.iter().find(|other| other.name == *name));
        let of_parent = parent.map(|parent| (parent, self.by_itself_or_through(parent)));
        match unlinked(table, rule, of_parent) {
            Err(why) => Class::Unhandled { column, why: Unhandled::Through { why } },
            Ok(parent) => match unhandled_table(table) {
                Some(why) => Class::Unhandled {
                    column,
                    why: Unhandled::Through { why: Unlinked::Table { cause: Box::new(why) } },
                },
                None => Class::Through { column, table: parent.clone() },
            },
        }
    }

    /// The class of a parent, without following it any further.
    fn by_itself_or_through(&self, table: &TableFacts) -> ParentClass {
        let rules = self.tenancy.rules(&table.name);
        if rules.is_some_and(|rules| rules.through.is_some()) {
            return ParentClass::Through;
        }
        match self.by_itself(table) {
            Some(Class::Tenant { .. }) => ParentClass::Tenant,
            Some(Class::Platform { .. } | Class::Shared { .. }) => ParentClass::HasCommonRows,
            Some(Class::Unhandled { why, .. }) => ParentClass::Unhandled(why),
            _ => ParentClass::NoTenants,
        }
    }

    /// The shortest way by foreign keys from each table without a class to a table whose rows belong to tenants, or may.
    fn ways(&self, own: &[Option<Class>]) -> BTreeMap<TableName, Vec<TableName>> {
        // What depends on a suspect table belongs to tenants if that does: only a decision about the latter makes it unrelated.
        let is_tenants = |class: &Option<Class>| {
            matches!(
                class,
                Some(class) if class.tenant_column().is_some() || class.link().is_some() || matches!(class, Class::Suspect { .. })
            )
        };
        let mut ways: BTreeMap<TableName, Vec<TableName>> = BTreeMap::new();
        let may_be = |table: &TableFacts, class: &Option<Class>| class.is_none() && polymorphic(table).is_some();
        let reached = self.tables.iter().zip(own).filter(|(table, class)| is_tenants(class) || may_be(table, class));
        let mut reached: Vec<TableName> = reached.map(|(table, _)| table.name.clone()).collect();
        // Breadth first, so that the first way found is the shortest.
        while !reached.is_empty() {
            let mut next = Vec::new();
            for (table, _) in self.tables.iter().zip(own).filter(|(_, class)| class.is_none()) {
                if ways.contains_key(&table.name) {
                    continue;
                }
                let leads = |target: &TableName| *target != table.name && reached.contains(target);
                let Some(key) = table.foreign_keys.iter().find(|key| leads(&key.target)) else { continue };
                let beyond = ways.get(&key.target).cloned().unwrap_or_default();
                next.push((table.name.clone(), [vec![key.target.clone()], beyond].concat()));
            }
            reached = next.iter().map(|(name, _)| name.clone()).collect();
            ways.extend(next);
        }
        ways
    }
}

fn column<'t>(table: &'t TableFacts, name: &str) -> Option<&'t ColumnFacts> {
    table.columns.iter().find(|column| column.name == name)
}

#[cfg(test)]
mod tests;
