//! `LocalDb`, the local database of a workspace, and `Running`, one that is running.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tenancy_config::{DatabaseUrl, Trust};

use crate::cluster::home::Home;
use crate::cluster::state::Cluster;
use crate::error::Result;
use crate::role::Role;
use crate::server::programs::Programs;

/// The database with the application's tables.
pub(crate) const DATABASE: &str = "app";

/// Which server programs to use. By default, the newest installed ones, or else npm's.
#[derive(Debug, Clone, Default)]
pub struct LocalOptions {
    /// The folder of the server programs (`--pg-bin`, `PG_BIN`).
    pub pg_bin: Option<PathBuf>,
    /// The major version, 14 to 18 (`--pg-version`).
    pub pg_version: Option<u32>,
    /// Which users' files are trusted (`TENANCY_TRUST`).
    pub trust: Trust,
}

/// The local database of one workspace.
#[derive(Debug, Clone)]
pub struct LocalDb {
    pub(crate) home: Home,
    pub(crate) options: LocalOptions,
}

/// A local database that is running.
#[derive(Debug, Clone)]
pub struct Running {
    pub(crate) cluster: Cluster,
    pub(crate) programs: Programs,
    pub(crate) change: ClusterChange,
}

/// What [`LocalDb::up`] had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterChange {
    /// Nothing; it was running.
    None,
    /// It existed and was started.
    Started,
    /// It was created.
    Created,
}

impl LocalDb {
    /// A local database besides the developer's own, inside the folder of that one.
    ///
    /// # Errors
    /// The folder cannot be made, or it is not trusted.
    pub fn beside(root: &Path, name: &str, options: LocalOptions) -> Result<Self> {
        let folder = Home::at(root, options.trust.clone()).folder_for(name)?;
        Ok(Self::at(&folder, options))
    }

    /// The local database of the workspace in `root`. This creates and starts nothing.
    pub fn at(root: &Path, options: LocalOptions) -> Self {
        Self { home: Home::at(root, options.trust.clone()), options }
    }
}

impl Running {
    /// The URL of the application's database for a role.
    ///
    /// # Errors
    /// [`Error::Url`](crate::Error): the port and the password make no URL, which would be a defect of this crate.
    pub fn url(&self, role: Role) -> Result<DatabaseUrl> {
        self.cluster.secret.url(self.cluster.port, role, DATABASE)
    }

    /// The system identifier that `initdb` chose for this cluster.
    pub fn system_identifier(&self) -> &str {
        &self.cluster.system_identifier
    }

    /// The server programs that it runs with.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// What had to be done so that it runs.
    pub fn change(&self) -> ClusterChange {
        self.change
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.cluster.port
    }

    /// Whether it was created with the application's tables.
    pub fn has_tables(&self) -> bool {
        self.cluster.tables
    }
}
