//! How much of the database a report is about: which tables a command read, and why it did not read the others.

use std::fmt;

use serde::Serialize;
use tenancy_config::{CommandRef, TableName, Tenancy};
use tenant_rls::{Database, Result};

use crate::catalog::all_tables::read_all_tables;
use crate::class::{Class, ClassifiedTable, Suspicion, Unhandled, classify};

/// The tables of the database, but for the tenant table and those that have nothing to do with tenants. In the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The tenant table exists.
    pub registry: bool,
    /// What the command did with each table.
    pub tables: Vec<CoveredTable>,
    /// Tables from which no column and no foreign key leads to a tenant, and those of extensions.
    pub unrelated: u64,
}

/// A table, and what a command did with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CoveredTable {
    /// The table.
    pub table: TableName,
    /// What was done with it.
    #[serde(flatten)]
    pub cover: Cover,
}

/// What a command did with a table, or why it did nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "cover", rename_all = "snake_case")]
pub enum Cover {
    /// The command read its rows.
    Covered,
    /// It has a tenant column, and the command was told to leave it out or could not read it.
    LeftOut,
    /// `tenancy.toml` declares that its rows belong to no tenant.
    Exempt {
        /// Why, as it says there.
        reason: String,
    },
    /// It has no tenant column, and its foreign keys lead to rows that belong to tenants.
    Dependent {
        /// The tables on the way, without this one.
        through: Vec<TableName>,
    },
    /// It has no tenant column, and looks as if its rows belonged to tenants.
    Suspect {
        /// What it looks like.
        why: Suspicion,
    },
    /// It has a tenant column that cannot be handled.
    Unhandled {
        /// The tenant column.
        column: String,
        /// Why not.
        why: Unhandled,
    },
}

/// How many tables of a kind a line names before it only counts them.
const NAMED: usize = 3;

impl Coverage {
    /// What a command that read the tables for which `read` is true covers of all `tables`.
    pub fn of(tables: &[ClassifiedTable], read: impl Fn(&TableName) -> bool) -> Self {
        let mut coverage = Self::default();
        for ClassifiedTable { table, class, .. } in tables {
            let cover = match class {
                Class::Registry => {
                    coverage.registry = true;
                    continue;
                }
                Class::Unrelated | Class::Extension { .. } => {
                    coverage.unrelated += 1;
                    continue;
                }
                class if class.is_protected() && read(table) => Cover::Covered,
                Class::Tenant { .. } | Class::Platform { .. } | Class::Shared { .. } | Class::Through { .. } => {
                    Cover::LeftOut
                }
                Class::Exempt { why } => Cover::Exempt { reason: why.clone() },
                Class::Dependent { through } => Cover::Dependent { through: through.clone() },
                Class::Suspect { why } => Cover::Suspect { why: why.clone() },
                Class::Unhandled { column, why } => Cover::Unhandled { column: column.clone(), why: why.clone() },
            };
            coverage.tables.push(CoveredTable { table: table.clone(), cover });
        }
        coverage.tables.sort_by(|one, other| one.table.cmp(&other.table));
        coverage
    }

    /// The same of the tables that the database has now. Any role may read them.
    ///
    /// # Errors
    /// [`tenant_rls::Error::Connect`] or [`tenant_rls::Error::Query`] if the server does not answer; [`tenant_rls::Error::Name`] for a
    /// name in `tenancy.toml` that no table can have.
    pub async fn read(database: &Database, tenancy: &Tenancy, read: impl Fn(&TableName) -> bool) -> Result<Self> {
        Ok(Self::of(&classify(&read_all_tables(database, tenancy).await?, tenancy)?, read))
    }

    /// Whether the tenant table exists, and each table was read or is exempt. Only then a report is about the whole database.
    pub fn is_complete(&self) -> bool {
        self.registry && self.tables.iter().all(|table| table.cover.is_answered())
    }

    /// The tables that were neither read nor declared exempt.
    pub fn open(&self) -> impl Iterator<Item = &CoveredTable> {
        self.tables.iter().filter(|table| !table.cover.is_answered())
    }

    /// The tables of one kind.
    fn with<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a CoveredTable> {
        self.tables.iter().filter(move |table| table.cover.kind() == kind)
    }
}

impl Cover {
    /// The tag of the JSON shape.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::LeftOut => "left_out",
            Self::Exempt { .. } => "exempt",
            Self::Dependent { .. } => "dependent",
            Self::Suspect { .. } => "suspect",
            Self::Unhandled { .. } => "unhandled",
        }
    }

    /// The table was read, or it is declared that it need not be.
    pub fn is_answered(&self) -> bool {
        matches!(self, Self::Covered | Self::Exempt { .. })
    }
}

/// One line: the number of tables of each kind, and the names of the first ones that were not read. A reason that was declared is repeated.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} covered", self.with("covered").count())?;
        let mut more = 0;
        for (kind, word) in [
            ("left_out", "left out"),
            ("exempt", "exempt"),
            ("dependent", "dependent"),
            ("suspect", "suspect"),
            ("unhandled", "unhandled"),
        ] {
            let tables: Vec<&CoveredTable> = self.with(kind).collect();
            if tables.is_empty() {
                continue;
            }
            let names: Vec<String> = tables.iter().take(NAMED).map(ToString::to_string).collect();
            write!(f, "; {} {word}: {}", tables.len(), names.join(", "))?;
            more += tables.len().saturating_sub(NAMED);
        }
        if more > 0 {
            write!(f, "; and {more} more: {}", CommandRef::Inventory)?;
        }
        if !self.registry {
            write!(f, "; there is no tenant table")?;
        }
        Ok(())
    }
}

/// The name, and the reason where one was declared.
impl fmt::Display for CoveredTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cover {
            Cover::Exempt { reason } => write!(f, "{} ({reason})", self.table),
            _ => write!(f, "{}", self.table),
        }
    }
}

#[cfg(test)]
mod tests {
    use tenancy_config::Ident;

    use super::*;

    fn name(name: &str) -> TableName {
        TableName::new(Ident::new("public").unwrap(), Ident::new(name).unwrap())
    }

    fn classified(called: &str, class: Class) -> ClassifiedTable {
        let (table, owner, stranger) = (name(called), "owner".to_owned(), None);
        ClassifiedTable { table, owner, rls_enabled: false, rls_forced: false, stranger, class }
    }

    fn tenant() -> Class {
        Class::Tenant { column: "tenantId".into() }
    }

    fn unhandled() -> Class {
        Class::Unhandled { column: "tenantId".into(), why: Unhandled::Generated }
    }

    #[test]
    fn what_was_not_read_is_named_with_its_kind() {
        let tables = [
            classified("orgs", Class::Registry),
            classified("bookings", tenant()),
            classified("messages", tenant()),
            classified("computed", unhandled()),
            classified("items", Class::Dependent { through: vec![name("bookings")] }),
            classified("jobs", Class::Exempt { why: "only the platform's".into() }),
            classified("countries", Class::Unrelated),
        ];
        let coverage = Coverage::of(&tables, |table| *table == name("bookings"));
        let text = "1 covered; 1 left out: public.messages; 1 exempt: public.jobs (only the platform's); 1 dependent: public.items; \
                    1 unhandled: public.computed";
        assert_eq!(coverage.to_string(), text);
        assert_eq!(coverage.unrelated, 1);
        let open: Vec<String> = coverage.open().map(|table| table.table.to_string()).collect();
        assert_eq!(open, ["public.computed", "public.items", "public.messages"]);
    }

    #[test]
    fn only_a_report_of_each_table_is_complete() {
        let [orgs, bookings] = [classified("orgs", Class::Registry), classified("bookings", tenant())];
        let tables = [orgs.clone(), bookings.clone()];
        assert!(Coverage::of(&tables, |_| true).is_complete());
        assert!(!Coverage::of(&tables, |_| false).is_complete());
        assert!(!Coverage::of(&[orgs, bookings.clone(), classified("c", unhandled())], |_| true).is_complete());
        let without_registry = Coverage::of(&[bookings], |_| true);
        assert!(!without_registry.is_complete());
        assert_eq!(without_registry.to_string(), "1 covered; there is no tenant table");
    }

    #[test]
    fn a_line_of_many_tables_stays_short() {
        let tables: Vec<ClassifiedTable> = (0..9).map(|n| classified(&format!("t{n}"), tenant())).collect();
        let text = Coverage::of(&tables, |_| false).to_string();
        assert!(text.starts_with("0 covered; 9 left out: public.t0, public.t1, public.t2; and 6 more: "), "{text}");
    }

    #[test]
    fn the_json_of_a_table_has_its_kind_as_a_tag() {
        let json = serde_json::to_value(Coverage::of(&[classified("c", unhandled())], |_| true)).unwrap();
        let table = serde_json::json!({ "table": "public.c", "cover": "unhandled", "column": "tenantId",
                                        "why": { "reason": "generated" } });
        assert_eq!(json, serde_json::json!({ "registry": false, "tables": [table], "unrelated": 0 }));
    }
}
