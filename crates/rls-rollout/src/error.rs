//! What can go wrong in a rollout.

use std::path::PathBuf;

use tenancy_config::plain::plain;
use tenancy_config::{CommandRef, Exit, FileError, Hint, Ident, NameError, TableName, UserError};
use tenant_inventory::{CannotAdd, Member};
use tenant_rls::{Fault, fault_of};

use crate::blocker::Blocker;
use crate::error_text::{by, every, every_hint, lost, others, said};
use crate::plan::notice::Notice;
use crate::run::check::Check;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends a rollout. Every step that was done stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// The book-keeping said no.
    #[error(transparent)]
    Ops(#[from] tenant_ops::Error),
    /// The audit before tightening said no.
    #[error(transparent)]
    Audit(#[from] tenant_audit::Error),
    /// Somebody held a lock for longer than the rollout waited. Nobody waited behind the rollout for longer than the lock timeout.
    #[error("{table}: could not {step}: after {attempts} attempts the lock was still held{}", by(.table, .blockers))]
    Blocked {
        /// The table.
        table: TableName,
        /// The step, as a phrase.
        step: &'static str,
        /// How often it was tried.
        attempts: u32,
        /// Who held it at the last attempt.
        blockers: Vec<Blocker>,
    },
    /// A role that is needed is missing or cannot be acted as, and this login may not change that.
    #[error("the role {role} is needed, and this login may not make it, act as it, or let it look into the schema")]
    Role {
        /// The role.
        role: String,
        /// The statement that a superuser or a role with CREATEROLE runs to change that.
        statement: String,
    },
    /// The application's role owns tables, and nobody agreed that policies filter it there. Nothing was written.
    #[error("{notice}; nobody agreed to that, and nothing was written")]
    ApplicationOwns {
        /// What would change.
        notice: Box<Notice>,
    },
    /// What these checks saw would surely make a step fail. Nothing was written.
    #[error("the rollout would fail, and was not begun: {}", said(.0))]
    Preflight(Vec<Check>),
    /// The server is a standby.
    #[error("this server is a standby, which takes no DDL")]
    Standby,
    /// Transactions of this login are read-only.
    #[error("transactions of this login are read-only")]
    ReadOnly,
    /// A definition is no longer what the journal left behind.
    #[error("{table}: {what} was changed since the rollout; taking the rollout back would lose that")]
    Drifted {
        /// The table.
        table: TableName,
        /// What was changed, with what is expected and what is there.
        what: String,
    },
    /// Something stands against taking these tables back. Nothing was taken back.
    #[error("nothing was taken back: {}", every(.0))]
    NotTakenBack(Vec<Error>),
    /// Rows have a tenant that would be lost with the column that is to be dropped.
    #[error("{}", lost(.0))]
    UntoldTenants(Vec<(TableName, Ident)>),
    /// Tables that are to be restored belong to roles that this login is no member of. Nothing was restored.
    #[error("{}; nothing was taken back", others(.0))]
    OtherOwner(Vec<Member>),
    /// The journal names a right that PostgreSQL does not have: somebody else wrote it there.
    #[error("{table}: the journal says `{right}` where the name of a right belongs; nothing was granted")]
    UnknownRight {
        /// The table.
        table: TableName,
        /// What stands there.
        right: String,
    },
    /// This login may not make the event trigger that closes new tables. Nothing was written.
    #[error("{role} may not make the event trigger that closes new tables, and nothing was written: {message}")]
    EventTriggers {
        /// The login.
        role: String,
        /// What the server said.
        message: String,
    },
    /// Nothing was rolled out in this database, so that there is no journal. Nothing was written.
    #[error(
        "nothing was rolled out in this database yet, and there is no journal in which the event trigger could be recorded"
    )]
    NoJournal,
    /// There is an event trigger of our name that is not ours. Nothing was written.
    #[error("there is an event trigger tenant_born_closed that is not ours; nothing was written")]
    OtherEventTrigger,
    /// No tenant column can be added to a table as it was asked for. Nothing was written.
    #[error("no tenant column can be added to {table}: {why}")]
    CannotAdd {
        /// The table.
        table: TableName,
        /// Why not.
        why: Box<CannotAdd>,
    },
    /// Something that no rollout made depends on a column that is to be dropped.
    #[error("{table}: on the column {column}, which is to be dropped, hang {}", .what.join(", "))]
    HangsOnColumn {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
        /// What depends on it, as the server describes it.
        what: Vec<String>,
    },
    /// The backfill of a column that was added said no.
    #[error(transparent)]
    Backfill(Box<backfill_engine::Error>),
    /// No random bytes could be had for a password.
    #[error("no random bytes for a password: {0}")]
    Random(getrandom::Error),
    /// Only the declared logins were asked for, and there is none.
    #[error("tenancy.toml declares no login that a rollout could make")]
    NoLogins,
    /// Something is where the password of a login belongs. Nothing was written.
    #[error("{} is there already, and the password of a login is to be written there", plain(.path.display()))]
    PasswordFile {
        /// The file.
        path: PathBuf,
    },
    /// The passwords of two logins would be in one file. Nothing was written.
    #[error("the passwords of two logins would both be written to {}", plain(.path.display()))]
    OnePasswordFile {
        /// The file.
        path: PathBuf,
    },
    /// The password could not be written into a file, and the role was not made.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is nothing in the journal to take back.
    #[error("rollout {rollout} left no step that could be taken back")]
    NothingToUndo {
        /// The rollout that was asked for.
        rollout: i64,
    },
}

impl Error {
    /// Whether the connection is gone: what it had not committed was rolled back.
    pub(crate) fn lost_connection(&self) -> bool {
        let below = match self {
            Self::Database(error)
            | Self::Ops(tenant_ops::Error::Database(error))
            | Self::Audit(tenant_audit::Error::Database(error)) => error,
            Self::Backfill(error) => match &**error {
                backfill_engine::Error::Database(error) => error,
                _ => return false,
            },
            _ => return false,
        };
        fault_of(below) == Fault::Connection
    }
}

impl From<backfill_engine::Error> for Error {
    fn from(error: backfill_engine::Error) -> Self {
        Self::Backfill(Box::new(error))
    }
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            lost if lost.lost_connection() => Some(
                "no step is half done: when the server answers again, run the same command again, and it goes on from there"
                    .into(),
            ),
            Self::Database(error) => error.hint(),
            Self::Ops(error) => error.hint(),
            Self::Audit(error) => error.hint(),
            Self::Blocked { .. } => Some(
                "end that session or wait for it, then run the same command again: it goes on with this step; \
                 --lock-timeout waits longer, and so does everybody else"
                    .into(),
            ),
            Self::Role { statement, .. } => Some(format!("as a role that may: {statement}").into()),
            Self::ApplicationOwns { .. } => Some(
                "give the tables an owner that the application is not, or, where it sets a tenant for each statement, agree with \
                 --application-owns-tables"
                    .into(),
            ),
            Self::Preflight(_) => Some("grant what is lacking, or connect as a role that has it".into()),
            Self::Standby | Self::ReadOnly => Some("connect to the primary, as the owner of the tables".into()),
            Self::Drifted { .. } => {
                let back = " shows what is there; put it back as it was, or change it by hand";
                Some(Hint::quoted(CommandRef::RlsStatus).then(back))
            }
            Self::NotTakenBack(errors) => every_hint(errors),
            Self::UntoldTenants(columns) => {
                let tables = columns.iter().map(|(table, _)| table.to_string()).collect::<Vec<_>>().join(",");
                Some(
                    Hint::from("take back the backfill that gave it, which ")
                        .then_quoted(CommandRef::BackfillRuns)
                        .then(" names, or keep the column: ")
                        .then_quoted(CommandRef::RlsRollbackToPrepare { table: tables }),
                )
            }
            Self::OtherOwner(tables) => tables.first().map(|member| {
                Hint::from(format!(
                    "run it as a member of {}, or name the other tables with --tables: a partition is restored with its table",
                    member.owner
                ))
            }),
            Self::CannotAdd { table, why } => why.hint(table).map(Hint::from),
            Self::HangsOnColumn { .. } => {
                Some("drop that, or leave the table out with --tables: `--to prepare` keeps the column".into())
            }
            Self::Backfill(error) => error.hint(),
            Self::UnknownRight { .. } => {
                Some("somebody changed tenant_ops.rollout_step: find out who, and take the rest back by hand".into())
            }
            Self::EventTriggers { .. } => Some(
                "run it as a superuser, or as the role that your host lets make event triggers; the rest of a rollout needs neither, and \
                 --dry-run tries it without writing anything"
                    .into(),
            ),
            Self::NoJournal => Some(
                Hint::from("as the owner of the tables: ")
                    .then_run(CommandRef::RlsRolloutPrepare)
                    .then("; then the same command again"),
            ),
            Self::OtherEventTrigger => {
                Some("find out who made it, and give it another name: ALTER EVENT TRIGGER tenant_born_closed RENAME TO …".into())
            }
            Self::PasswordFile { .. } => {
                Some(
                    "there is no such login yet, so this is the password of another one, or of a rollout that was killed before it made the login, \
                     which nobody needs: move it away, or give another directory with --password-dir"
                        .into(),
                )
            }
            Self::OnePasswordFile { .. } => Some(
                "a file is named after its role: give one of the roles another name, or the login of [auth] another file with --auth-password-file"
                    .into(),
            ),
            Self::NoLogins => Some("declare one in [auth] or [jobs], see docs/sign-in.md".into()),
            Self::File(error) => error.hint(),
            Self::Random(_) => None,
            Self::NothingToUndo { .. } => {
                Some(Hint::quoted(CommandRef::RlsStatus).then(" shows how far each table is"))
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Ops(error) => error.exit(),
            Self::Audit(error) => error.exit(),
            Self::Backfill(error) => error.exit(),
            Self::Role { .. }
            | Self::Preflight(_)
            | Self::NothingToUndo { .. }
            | Self::NoJournal
            | Self::CannotAdd { .. } => Exit::Usage,
            Self::Blocked { .. } => Exit::NotYet,
            Self::NoLogins => Exit::Usage,
            Self::File(error) => error.exit(),
            Self::Random(_) => Exit::Failed,
            Self::PasswordFile { .. } | Self::OnePasswordFile { .. } => Exit::Refused,
            Self::ApplicationOwns { .. }
            | Self::Standby
            | Self::ReadOnly
            | Self::EventTriggers { .. }
            | Self::OtherEventTrigger
            | Self::OtherOwner(_)
            | Self::HangsOnColumn { .. }
            | Self::Drifted { .. }
            | Self::NotTakenBack(_)
            | Self::UntoldTenants(_)
            | Self::UnknownRight { .. } => Exit::Refused,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Database(error.into())
    }
}
