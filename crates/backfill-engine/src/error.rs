//! The errors of a backfill.

use std::path::PathBuf;

use tenancy_config::{CommandRef, Exit, Hint, NameError, TableName, UserError};
use tenant_inventory::class::{Class, Unhandled};
use tenant_ops::RunState;
use tenant_rls::{Fault, fault_of};

use crate::finding::{AbsentSource, FailedRow, RefusedRules, RefusedTriggers};
use crate::unsuitable::Unsuitable;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends a backfill. What was committed before stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused, or could not be reached.
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// The book-keeping refused, or is not usable.
    #[error(transparent)]
    Ops(#[from] tenant_ops::Error),
    /// A table that cannot be backfilled, and why.
    #[error("{table} cannot be backfilled: {why}")]
    Unsuitable {
        /// The table.
        table: TableName,
        /// Why not.
        why: Box<Unsuitable>,
    },
    /// `tenancy.toml` names no source for a table, or none whose tables are there.
    #[error("{table} cannot be backfilled: {}", no_source(.absent))]
    NoSource {
        /// The table.
        table: TableName,
        /// Sources and tie-breakers about tables that this database lacks.
        absent: Vec<AbsentSource>,
    },
    /// `tenancy.toml` names a source or a tie-breaker whose table has no tenant column in this database.
    #[error("{table} cannot be backfilled: tenancy.toml has `{source_name}` decide, but {why}")]
    NoSuchSource {
        /// The table.
        table: TableName,
        /// The source or the tie-breaker.
        source_name: String,
        /// What the database has instead.
        why: Box<tenant_rls::Error>,
    },
    /// Rows that have a value in their tenant column are to be changed, and policies filter the login.
    #[error(
        "rows of {table} that name no tenant which exists can only be changed by a role that no policy filters; {role} is filtered"
    )]
    Filtered {
        /// The table.
        table: TableName,
        /// The login.
        role: String,
    },
    /// Columns of the tenant table need a value that nobody gave.
    #[error("a tenant cannot be created in {table}: nobody said what goes into {}", .columns.join(", "))]
    UnknownColumns {
        /// The tenant table.
        table: TableName,
        /// The columns, at least one.
        columns: Vec<String>,
        /// The statement, with a gap for each of them.
        statement: String,
    },
    /// A value is a tenant's key, and its rows are that tenant's.
    #[error("{value:?} is the key of a tenant, whose rows are not changed")]
    IsTenant {
        /// The value.
        value: String,
    },
    /// A file is no mapping.
    #[error("{} is no mapping: {what}", .path.display())]
    NotAMapping {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The table of the memberships was not found, or there are several.
    #[error("{}", no_memberships(.found))]
    NoMemberships {
        /// The tables that could be it.
        found: Vec<TableName>,
    },
    /// Columns of the memberships need a value that nobody gave.
    #[error("no membership can be made in {table}: nobody said what goes into {}", .columns.join(", "))]
    MembershipColumns {
        /// The table.
        table: TableName,
        /// The columns, at least one.
        columns: Vec<String>,
    },
    /// A value is for a column that memberships cannot be given.
    #[error("no membership of {table} can be given a value for `{column}`: {why}")]
    MembershipColumn {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
        /// Why not.
        why: String,
    },
    /// A value is not of the type of its column.
    #[error("memberships cannot be given this value of `{column}`")]
    MembershipValue {
        /// The column.
        column: String,
        /// What the server said of it.
        source: Box<tenant_rls::Error>,
    },
    /// There is no run of this number.
    #[error("there is no run {run} in the journal of this database")]
    NoRun {
        /// The number.
        run: i64,
    },
    /// The tenant column of the table is NOT NULL, so that nobody can set it back to NULL, not even the owner.
    #[error("{table} requires a tenant, so none can be taken away again")]
    Strict {
        /// The table.
        table: TableName,
    },
    /// The tenant column got another type since the run, and cannot hold what rows had.
    #[error("rows of run {run} had {value:?} in {column} of {table}, which is {type_name} now and cannot hold that")]
    NotHeld {
        /// The run.
        run: i64,
        /// The table.
        table: TableName,
        /// Its tenant column.
        column: String,
        /// The type that it has now.
        type_name: &'static str,
        /// One of the values.
        value: String,
    },
    /// Later runs took tenants from rows that this run had assigned.
    #[error("rows of run {run} are where later runs have their tenants from: {}", list(.later))]
    Dependent {
        /// The run.
        run: i64,
        /// The later ones, newest first, each with its table.
        later: Vec<(i64, String)>,
    },
    /// The table refused too many rows.
    #[error("{} rows of {table} refused their tenant one by one; the first, {}: {}", .failed.len(), .failed[0].key, .failed[0].error)]
    TooManyFailures {
        /// The table.
        table: TableName,
        /// The rows, at least one.
        failed: Vec<FailedRow>,
    },
    /// A file is not a review, or not a review of this table as it is now. Nothing was written.
    #[error("{} cannot be applied: {what}", .path.display())]
    NotAReview {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// A review cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    ReadReview {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A review was changed after it had been checked.
    #[error("{} was changed while it was being read", .path.display())]
    ReviewChanged {
        /// The file.
        path: PathBuf,
    },
    /// Triggers would fire that `tenancy.toml` does not allow.
    #[error("{0}")]
    Triggers(Box<RefusedTriggers>),
    /// Rules would act that `tenancy.toml` does not allow.
    #[error("{0}")]
    Rules(Box<RefusedRules>),
    /// The rows of a table cannot be written by their place, or its tenant column cannot be written at all.
    #[error("{table} cannot be written: {}", unhandled(.column, .why))]
    Unhandled {
        /// The table.
        table: TableName,
        /// Its tenant column.
        column: String,
        /// Why not.
        why: Box<Unhandled>,
    },
    /// `tenancy.toml` allows a rule that the table does not have.
    #[error("tenancy.toml allows the rule `{rule}` of {table}, which has no rule of this name for UPDATE")]
    UnknownRule {
        /// The table.
        table: TableName,
        /// The name.
        rule: String,
        /// The rule with the most similar name.
        closest: Option<String>,
    },
    /// `tenancy.toml` allows a trigger that the table does not have.
    #[error(
        "tenancy.toml allows the trigger `{trigger}` of {table}, which has none of this name that stands for UPDATE"
    )]
    UnknownTrigger {
        /// The table.
        table: TableName,
        /// The name.
        trigger: String,
        /// The trigger with the most similar name.
        closest: Option<String>,
    },
    /// The server would refuse every update, as the table is published without a replica identity.
    #[error("{table} has no replica identity, so no row of it can be changed while {publications} publishes updates")]
    NoReplicaIdentity {
        /// The table.
        table: TableName,
        /// The publications.
        publications: String,
    },
    /// Too many rows would break a unique key for each of them to be left out.
    #[error("{rows} rows of {table} would break the unique key {index} with the tenant that they are to get")]
    TooManyUniqueBreaks {
        /// The table.
        table: TableName,
        /// The index.
        index: String,
        /// The number of rows.
        rows: u64,
    },
    /// An operator paused or cancelled the run in which decisions were being applied.
    #[error("what people decided is no longer being applied: somebody paused or cancelled run {run}")]
    Ended {
        /// The run.
        run: i64,
    },
    /// A run cannot change to a state, as it is over or no process works at it.
    #[error("run {run} is {}; it cannot become {}", .now.as_str(), .wanted.as_str())]
    NotPossible {
        /// The run.
        run: i64,
        /// Its state.
        now: RunState,
        /// What was asked for.
        wanted: RunState,
        /// Its table.
        table: String,
    },
    /// A file could not be written. An existing file is untouched, and assigned rows stay assigned.
    #[error(transparent)]
    File(#[from] tenancy_config::FileError),
}

impl Error {
    /// Whether other tables can be backfilled although this one failed. A server that is gone, a login that may not write and book-keeping that
    /// cannot be trusted stop all of them.
    pub(crate) fn is_of_one_table(&self) -> bool {
        match self {
            Self::Database(error) => match error {
                tenant_rls::Error::CannotSee(_)
                | tenant_rls::Error::PolicyFails { .. }
                | tenant_rls::Error::NoTable { .. }
                | tenant_rls::Error::NotTenants { .. } => true,
                tenant_rls::Error::Query { .. } => fault_of(error) != Fault::Connection,
                _ => false,
            },
            Self::Ops(error) => matches!(error, tenant_ops::Error::Held { .. }),
            Self::File(_)
            | Self::ReadReview { .. }
            | Self::ReviewChanged { .. }
            | Self::IsTenant { .. }
            | Self::NotAMapping { .. } => false,
            _ => true,
        }
    }
}

fn unhandled(column: &str, why: &Unhandled) -> String {
    Class::Unhandled { column: column.to_owned(), why: why.clone() }.to_string()
}

fn no_memberships(found: &[TableName]) -> String {
    match found {
        [] => {
            "no table whose name speaks of members has a tenant column and points to a table of users that has one, too"
                .to_owned()
        }
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            format!("several tables could be the one of the memberships: {}", names.join(", "))
        }
    }
}

fn no_source(absent: &[AbsentSource]) -> String {
    match absent {
        [] => "tenancy.toml names no source for it".to_owned(),
        absent => absent.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}

fn list(runs: &[(i64, String)]) -> String {
    runs.iter().map(|(run, table)| format!("run {run} on {table}")).collect::<Vec<_>>().join(", ")
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Ops(error @ tenant_ops::Error::Held { resource, .. }) => error.hint().map(|hint| {
                let table = tenant_ops::backfilled_table(resource).unwrap_or(resource).to_owned();
                hint.then("; where it is a run, this helps it along, from this host or another: ")
                    .then_run(CommandRef::BackfillHelp { table })
            }),
            Self::Ops(error) => error.hint(),
            Self::Ended { run } => Some(
                Hint::quoted(CommandRef::BackfillStatus { run: *run })
                    .then(" shows who; apply the file again to go on: what was applied is found there"),
            ),
            Self::NotPossible { now: RunState::Stopped, table, .. } => {
                let again = CommandRef::BackfillRun { table: table.to_string() };
                Some(Hint::from("nobody works at it; this goes on from where it ended: ").then_run(again))
            }
            Self::NotPossible { run, .. } => {
                Some(Hint::quoted(CommandRef::BackfillStatus { run: *run }).then(" shows how it stands"))
            }
            Self::Unsuitable { why, .. } if matches!(**why, Unsuitable::NotComparable(_)) => Some(
                "name another column or another key there, or take it out of tenancy.toml; texts are compared with uuids and whole numbers, \
                 and any type with texts"
                    .into(),
            ),
            Self::Unsuitable { .. } | Self::NoSource { .. } => {
                Some(Hint::quoted(CommandRef::Doctor).then(" shows what tenancy.toml says and what the database has"))
            }
            Self::NoSuchSource { .. } => Some(
                "give the table its tenant column there, or lead on to one that has it with `through`; or take the source out"
                    .into(),
            ),
            Self::Filtered { table, .. } => {
                let back = CommandRef::RlsRollbackToPrepare { table: table.to_string() };
                Some(Hint::from("log in as a role with BYPASSRLS, or take FORCE back first: ").then_run(back))
            }
            Self::UnknownColumns { statement, .. } => {
                Some(Hint::from(format!("fill in what is missing and run it: {statement}; then run this again")))
            }
            Self::IsTenant { .. } => Some(Hint::quoted(CommandRef::Audit).then(" names the values that are no tenant's key")),
            Self::NotAMapping { .. } => {
                Some("its first line is `from,to`; each other line has a value and the tenant that it means, by id or slug, or nothing for NULL".into())
            }
            Self::NoMemberships { .. } => Some("--table names it".into()),
            Self::MembershipColumns { columns, .. } => {
                let given: Vec<String> = columns.iter().map(|column| format!("--set {column}=VALUE")).collect();
                Some(format!("each membership gets the value of {}", given.join(" ")).into())
            }
            Self::MembershipValue { .. } => Some("--set gives a value as the column has it, such as one of its enum".into()),
            Self::MembershipColumn { .. } => Some("--set gives other columns a value, the same for each membership".into()),
            Self::NoRun { .. } => Some(Hint::quoted(CommandRef::BackfillRuns).then(" lists them")),
            Self::NotHeld { .. } => Some("give the column its earlier type again, such as text, and then undo the run".into()),
            Self::Strict { table } => {
                let back = CommandRef::RlsRollbackToPrepare { table: table.to_string() };
                Some(Hint::from("first take the rollout back: ").then_run(back))
            }
            Self::Dependent { later, .. } => {
                let undo = |(run, _): &(i64, _)| CommandRef::BackfillUndo { run: *run };
                later.first().map(|later| Hint::from("take that back first: ").then_run(undo(later)))
            }
            Self::TooManyFailures { .. } => {
                Some("a trigger or a constraint refuses them; mend that and run it again: it goes on from here".into())
            }
            Self::Triggers(refused) => Some(refused.hint().into()),
            Self::Rules(refused) => Some(refused.hint().into()),
            Self::Unhandled { why, .. } if **why == Unhandled::Distributed => {
                Some("give the rows their tenant before the table is distributed, or with an UPDATE by its distribution column".into())
            }
            Self::Unhandled { .. } => Some(Hint::quoted(CommandRef::Inventory).then(" shows what each table is")),
            Self::UnknownRule { closest: Some(name), .. } => Some(format!("did you mean `{name}`?").into()),
            Self::UnknownRule { .. } => Some("take the name out of allow_rules".into()),
            Self::UnknownTrigger { closest: Some(name), .. } => Some(format!("did you mean `{name}`?").into()),
            Self::UnknownTrigger { .. } => Some("take the name out of allow_triggers".into()),
            Self::NoReplicaIdentity { .. } => Some(
                "give it one, with ALTER TABLE … REPLICA IDENTITY DEFAULT where it has a primary key, or take it out of the publication"
                    .into(),
            ),
            Self::TooManyUniqueBreaks { .. } => Some(
                "the rows are duplicates within their tenant: merge them, or drop the key, and run it again".into(),
            ),
            Self::NotAReview { hint, .. } => Some((*hint).into()),
            Self::ReadReview { .. } => None,
            Self::ReviewChanged { .. } => Some("run it again; what was applied is found there".into()),
            Self::File(error) => error.hint().or_else(|| Some("give another file; what was assigned is kept".into())),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Ops(error) => error.exit(),
            Self::File(error) => error.exit(),
            Self::Unsuitable { .. }
            | Self::NoSource { .. }
            | Self::NoSuchSource { .. }
            | Self::NoRun { .. }
            | Self::NoMemberships { .. }
            | Self::MembershipColumns { .. }
            | Self::MembershipColumn { .. }
            | Self::MembershipValue { .. }
            | Self::UnknownColumns { .. }
            | Self::IsTenant { .. }
            | Self::NotAMapping { .. }
            | Self::NotAReview { .. }
            | Self::ReadReview { .. }
            | Self::UnknownRule { .. }
            | Self::UnknownTrigger { .. } => Exit::Usage,
            Self::Strict { .. }
            | Self::NotHeld { .. }
            | Self::Filtered { .. }
            | Self::Dependent { .. }
            | Self::NotPossible { .. }
            | Self::Triggers(_)
            | Self::Rules(_)
            | Self::Unhandled { .. }
            | Self::NoReplicaIdentity { .. }
            | Self::TooManyUniqueBreaks { .. } => Exit::Refused,
            Self::Ended { .. } => Exit::Stopped,
            Self::TooManyFailures { .. } | Self::ReviewChanged { .. } => Exit::Failed,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Database(error.into())
    }
}
