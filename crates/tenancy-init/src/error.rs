//! Why nothing can be proposed.

use tenancy_config::{CommandRef, Exit, Hint, UserError};

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why nothing can be proposed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// No table has a tenant column, and none is named as the table of tenants.
    #[error("no table {place} looks as if its rows belonged to tenants")]
    NoTenants {
        /// `of this database`, or of a schema.
        place: String,
    },
    /// Several tables may be the table of tenants.
    #[error("several tables may be the table of tenants: {0}")]
    SeveralRegistries(String),
    /// The table that was named is not there.
    #[error("there is no table `{name}`")]
    NoTable {
        /// As it was given.
        name: String,
    },
    /// The table that was named has no primary key of one column.
    #[error("`{name}` has no primary key of one column, so no tenant column can reference it")]
    NoKey {
        /// As it was given.
        name: String,
    },
    /// A role that was named is not there.
    #[error("there is no role `{0}`")]
    NoRole(String),
    /// The file that is to be updated cannot be read.
    #[error("{0}")]
    File(String),
}

impl From<tenancy_config::NameError> for Error {
    fn from(error: tenancy_config::NameError) -> Self {
        Self::Database(error.into())
    }
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Database(error) => error.hint(),
            Self::NoTenants { .. } => Some(
                "a tenant column is recognised by a foreign key to the table of tenants, by its name (such as tenant_id), or by a policy; name that table: --tenant-table NAME".into(),
            ),
            Self::SeveralRegistries(_) | Self::NoTable { .. } | Self::NoKey { .. } => {
                Some("name the table with one row for each tenant: --tenant-table NAME, with its schema where that is not the default one".into())
            }
            Self::NoRole(_) => Some("name the role that the application logs in as: --app-role NAME".into()),
            Self::File(_) => Some(Hint::quoted(CommandRef::Init).then(" writes a new file with --force")),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::NoTenants { .. } => Exit::Failed,
            _ => Exit::Usage,
        }
    }
}
