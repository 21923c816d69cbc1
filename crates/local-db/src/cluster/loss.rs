//! What a reset would delete, and who is connected at the moment.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use sqlx::Row;
use tenant_rls::row_count::from_bigint;
use tenant_rls::{DirectConnection, Error as SqlError};

use crate::cluster::database::LocalDb;
use crate::cluster::status::ClusterState;
use crate::error::{Error, Result};
use crate::role::Role;

/// What a reset would delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The folder with all the data.
    pub data: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// The databases, largest first. They are not known if the server does not run.
    pub databases: Vec<Stored>,
    /// The sessions that are connected now.
    pub sessions: Vec<Sessions>,
}

/// A database and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub database: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The sessions of one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// The name that it gives itself (`application_name`).
    pub application: String,
    /// The role that it is logged in as.
    pub role: String,
    /// The database that it is connected to.
    pub database: String,
    /// The number of its sessions.
    pub count: u64,
}

impl fmt::Display for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { application, role, database, count } = self;
        let program = if application.is_empty() { "a program without a name" } else { application };
        let noun = if *count == 1 { "session" } else { "sessions" };
        write!(f, "{program} ({count} {noun} of {role} in {database})")
    }
}

impl LocalDb {
    /// What a reset would delete; `None` if there is nothing. If the state of the cluster cannot be read, this is its
    /// size only.
    ///
    /// # Errors
    /// [`Error::Untrusted`]: the folder is not trusted. Other errors: the server does not answer.
    pub async fn loss(&self) -> Result<Option<Loss>> {
        let (databases, sessions) = match self.running() {
            Ok(running) => {
                let url = running.url(Role::Superuser)?.with_database("postgres");
                let mut session = DirectConnection::connect(&url, "local-db").await?;
                let told = (databases(&mut session).await?, sessions(&mut session).await?);
                session.close().await;
                told
            }
            Err(Error::NotRunning | Error::State { .. }) => (Vec::new(), Vec::new()),
            Err(error) => return Err(error),
        };
        let nothing = matches!(self.status(), Ok(status) if status.state == ClusterState::Absent);
        let data = self.data()?;
        if nothing && !data.exists() {
            return Ok(None);
        }
        Ok(Some(Loss { bytes: size(&data), data, databases, sessions }))
    }
}

async fn databases(session: &mut DirectConnection) -> Result<Vec<Stored>> {
    let rows =
        sqlx::query(include_str!("../../../../sql/local-db/databases.sql")).fetch_all(session.connection()).await;
    let rows = rows.map_err(SqlError::query("listing the databases"))?;
    let stored = rows.iter().map(|row| Stored { database: row.get("database"), bytes: from_bigint(row.get("bytes")) });
    Ok(stored.collect())
}

async fn sessions(session: &mut DirectConnection) -> Result<Vec<Sessions>> {
    let rows = sqlx::query(include_str!("../../../../sql/local-db/sessions.sql")).fetch_all(session.connection()).await;
    let rows = rows.map_err(SqlError::query("listing the sessions"))?;
    let one = |row: &sqlx::postgres::PgRow| Sessions {
        application: row.get("application"),
        role: row.get("role"),
        database: row.get("database"),
        count: from_bigint(row.get("sessions")),
    };
    Ok(rows.iter().map(one).collect())
}

/// The bytes of all files below a folder that this user may see.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
