//! What can go wrong with a seed as a whole. The report has what goes wrong with one tenant.

use std::io;
use std::path::PathBuf;

use tenancy_config::{Exit, Hint, NameError, TableName, UserError, without_urls};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends a seed. Tenants that were seeded before it stay so, and the next run finds them there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused a statement.
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// The CSV file is malformed; nothing was written.
    #[error(transparent)]
    List(ListError),
    /// The CSV file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    ListFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The CSV file is not the one that was checked.
    #[error("{} was changed while it was being read", .path.display())]
    ListChanged {
        /// The file.
        path: PathBuf,
    },
    /// The file with the defaults cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    DefaultsFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file with the defaults is wrong, or does not fit this database; nothing was written.
    #[error("{file}:{line}: {what}")]
    Defaults {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
        /// What to do.
        hint: Option<Hint>,
    },
    /// Two runs at once could both insert, as nothing forbids a second row of a tenant.
    #[error("{table} has no unique key of `{column}` alone, so nothing would keep a tenant from getting two rows")]
    NotUnique {
        /// The table.
        table: TableName,
        /// Its tenant column.
        column: String,
    },
    /// The login lacks a right, for every tenant alike.
    #[error("{role} may not insert into `{column}` of {table}")]
    MayNotInsert {
        /// The login.
        role: String,
        /// The table.
        table: TableName,
        /// The first such column.
        column: String,
    },
    /// The one tenant that was asked for is not in use.
    #[error("tenant {tenant} is {status}; nothing was written")]
    Inactive {
        /// Its slug.
        tenant: String,
        /// Its state.
        status: String,
    },
}

/// What is wrong with the file, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}:{line}: {}{what}", .path.display(), place(.column))]
pub struct ListError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1, and its name in the header.
    pub column: Option<(usize, Option<String>)>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: Option<&'static str>,
}

fn place(column: &Option<(usize, Option<String>)>) -> String {
    match column {
        None => String::new(),
        Some((number, None)) => format!("column {number}: "),
        Some((number, Some(name))) => format!("column {number} ({name}): "),
    }
}

impl Error {
    pub(crate) fn defaults(file: &str, line: usize, what: String, hint: Option<Hint>) -> Self {
        Self::Defaults { file: file.to_owned(), line, what: without_urls(&what), hint }
    }
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Database(error) => error.hint(),
            Self::List(error) => error.hint.map(Hint::from),
            Self::ListChanged { .. } => Some("run it again; tenants that have their settings keep them".into()),
            Self::Defaults { hint, .. } => hint.clone(),
            Self::NotUnique { .. } => {
                Some("an owner adds a unique key; else two runs at once could both insert".into())
            }
            Self::MayNotInsert { .. } => {
                Some("use the application's login, or have the owner grant it INSERT on the table".into())
            }
            Self::Inactive { .. } => Some("--include-inactive seeds it all the same".into()),
            Self::ListFile { .. } | Self::DefaultsFile { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Inactive { .. } => Exit::Refused,
            Self::ListChanged { .. } | Self::MayNotInsert { .. } => Exit::Failed,
            Self::List(_)
            | Self::ListFile { .. }
            | Self::DefaultsFile { .. }
            | Self::Defaults { .. }
            | Self::NotUnique { .. } => Exit::Usage,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Database(error.into())
    }
}
