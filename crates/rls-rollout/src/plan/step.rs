//! A step: statements that belong together, each with the lock that it takes. The run and the script of a plan have the same steps.

use std::fmt;

use serde::{Serialize, Serializer};
use tenancy_config::{Ident, TableName};
use tenant_inventory::Phase;
use tenant_rls::{Sql, Template};

use crate::error::Result;

/// A table-level lock that a statement takes, from the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// None on a user's table.
    None,
    /// Readers and writers go on.
    ShareUpdateExclusive,
    /// Readers go on, writers wait.
    ShareRowExclusive,
    /// Everybody waits.
    AccessExclusive,
}

impl Lock {
    /// The mode as PostgreSQL writes it.
    pub fn mode(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::ShareUpdateExclusive => Some("SHARE UPDATE EXCLUSIVE"),
            Self::ShareRowExclusive => Some("SHARE ROW EXCLUSIVE"),
            Self::AccessExclusive => Some("ACCESS EXCLUSIVE"),
        }
    }

    /// Whom the statement waits for, and who waits for it.
    pub fn waits_for(self) -> &'static str {
        match self {
            Self::None => "nobody",
            Self::ShareUpdateExclusive => "vacuum and other DDL; readers and writers go on",
            Self::ShareRowExclusive => "transactions that have written to it; readers go on",
            Self::AccessExclusive => "every transaction that has used it, readers too; new ones wait behind it",
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.mode().unwrap_or("no lock"))
    }
}

impl Serialize for Lock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.mode().serialize(serializer)
    }
}

/// A statement and the lock it takes.
#[derive(Debug, Clone, Serialize)]
pub struct Statement {
    /// The statement.
    #[serde(serialize_with = "as_text")]
    pub sql: Sql,
    /// The strongest lock that it takes.
    pub lock: Lock,
}

fn as_text<S: Serializer>(sql: &Sql, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(sql.as_str())
}

/// How the statements of a step run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Execution {
    /// All in one transaction, with a short `lock_timeout`, tried again when somebody is in the way.
    Transaction,
    /// Each by itself, waiting as long as it takes: an index that is built or dropped concurrently.
    Concurrently {
        /// The index.
        index: String,
    },
    /// In short transactions of their own, beside the application: a backfill, which keeps its own journal. The statement does the same at
    /// once.
    Backfill,
}

/// What runs together.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The table.
    pub table: TableName,
    /// Its tenant column.
    pub column: Ident,
    /// The phase that this belongs to.
    pub phase: Phase,
    /// What it does, as a phrase: `index the tenant column`.
    pub name: &'static str,
    /// How the statements run.
    pub how: Execution,
    /// The strongest lock that it takes on the table.
    #[serde(skip)]
    pub lock: Lock,
    /// Another table that is locked with it: the one that a foreign key references.
    pub also_locks: Option<TableName>,
    /// The statements, in order. A transaction that takes a lock begins with the statement that takes it.
    pub statements: Vec<Statement>,
    /// A query that is run before, without a lock, so that the statements find their pages read and their index clean.
    #[serde(skip)]
    pub(crate) warm_up: Option<Sql>,
    /// The index that it builds is there for keys that reference a row together with its tenant.
    #[serde(skip)]
    pub(crate) for_parent_key: bool,
    /// The name of the key that it adds, which references a row together with its tenant.
    #[serde(skip)]
    pub(crate) adds_key: Option<String>,
    /// The rows that must have a tenant before it: those of the table, or of the one on which its rows hang. A rollout asks an audit, a migration
    /// the rows themselves.
    #[serde(skip)]
    pub(crate) needs_tenants: Option<(TableName, Ident)>,
}

/// The step without its statements.
pub(crate) struct StepSubject<'a> {
    pub(crate) table: &'a TableName,
    pub(crate) column: &'a Ident,
    pub(crate) phase: Phase,
    pub(crate) name: &'static str,
}

impl StepSubject<'_> {
    /// The statements in one transaction, which takes the lock first of all, so that the definition that is read from here on is the one that
    /// is changed.
    pub(crate) fn transaction(&self, lock: Lock, statements: Vec<Sql>) -> Step {
        let take = lock.mode().map(|mode| {
            let take = Template::new("LOCK TABLE ONLY :\"table\" IN :mode MODE").table("table", self.table);
            take.fragment("mode", Sql::from_static(mode)).build()
        });
        self.step(Execution::Transaction, lock, take.into_iter().chain(statements))
    }

    /// The statements one by one, each of which builds or drops this index concurrently.
    pub(crate) fn concurrently(&self, index: String, statements: Vec<Sql>) -> Step {
        self.step(Execution::Concurrently { index }, Lock::ShareUpdateExclusive, statements.into_iter())
    }

    /// A statement that stands for a backfill.
    pub(crate) fn backfill(&self, statement: Sql) -> Step {
        self.step(Execution::Backfill, Lock::None, std::iter::once(statement))
    }

    fn step(&self, how: Execution, lock: Lock, statements: impl Iterator<Item = Sql>) -> Step {
        Step {
            table: self.table.clone(),
            column: self.column.clone(),
            phase: self.phase,
            name: self.name,
            how,
            lock,
            also_locks: None,
            statements: statements.map(|sql| Statement { sql, lock }).collect(),
            warm_up: None,
            for_parent_key: false,
            adds_key: None,
            needs_tenants: None,
        }
    }
}

impl Step {
    /// The statement of a transaction that takes the lock, if it takes one, and the statements that run under it.
    pub(crate) fn lock_and_rest(&self) -> (Option<&Statement>, &[Statement]) {
        match self.statements.split_first() {
            Some((take, rest)) if self.lock != Lock::None => (Some(take), rest),
            _ => (None, &self.statements),
        }
    }
}
