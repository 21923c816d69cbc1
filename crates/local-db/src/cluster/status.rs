//! The state of the local database, from files and processes only. Nothing is started.

use std::path::PathBuf;

use rustix::process::Pid;
use serde::Serialize;

use crate::cluster::database::{ClusterChange, LocalDb, Running};
use crate::error::{Error, Result};
use crate::role::Role;
use crate::server::pid::running_pid;
use crate::server::programs::Programs;

/// The state of the local database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether it exists, and whether it runs.
    pub state: ClusterState,
    /// The port on 127.0.0.1. If it is stopped, the port that it will ask for.
    pub port: Option<u16>,
    /// The major version of its data.
    pub major: Option<u32>,
    /// The folder of its data.
    pub data: PathBuf,
    /// The file of its log.
    pub log: PathBuf,
    /// The folder of its programs.
    pub bin: Option<PathBuf>,
    /// The system identifier that `initdb` chose for it.
    pub system_identifier: Option<String>,
    /// The process id of the server.
    pub pid: Option<i32>,
}

/// Whether it exists and runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterState {
    /// It does not exist.
    Absent,
    /// It exists, but does not run.
    Stopped,
    /// It runs.
    Running,
}

impl LocalDb {
    pub(crate) fn pid(&self) -> Result<Option<Pid>> {
        Ok(running_pid(&self.home.server()?.join("data")))
    }

    /// The folder of the data.
    pub(crate) fn data(&self) -> Result<PathBuf> {
        Ok(self.home.server()?.join("data"))
    }

    /// The state of the local database. This reads files and starts nothing.
    ///
    /// # Errors
    /// [`Error::State`]: a file exists that cannot be understood. [`Error::Untrusted`]: a file or folder is not
    /// trusted.
    pub fn status(&self) -> Result<Status> {
        let server = self.home.server()?;
        let (data, log) = (server.join("data"), server.join("server.log"));
        let pid = self.pid()?.map(|pid| pid.as_raw_nonzero().get());
        let cluster = self.home.cluster()?;
        let state = match (&cluster, pid) {
            (_, Some(_)) => ClusterState::Running,
            (Some(_), None) => ClusterState::Stopped,
            (None, None) => ClusterState::Absent,
        };
        Ok(Status {
            state,
            port: cluster.as_ref().map(|c| c.port),
            major: cluster.as_ref().map(|c| c.major),
            bin: cluster.as_ref().map(|c| c.bin.clone()),
            system_identifier: cluster.map(|c| c.system_identifier),
            data,
            log,
            pid,
        })
    }

    /// The database, if it is running; it is not started.
    ///
    /// # Errors
    /// [`Error::NotRunning`]: it does not run. Other errors are those of [`status`](Self::status).
    pub fn running(&self) -> Result<Running> {
        let runs = self.pid()?.is_some();
        let cluster = self.home.cluster()?.filter(|_| runs).ok_or(Error::NotRunning)?;
        let programs = Programs::known(&cluster.bin, cluster.major);
        Ok(Running { cluster, programs, change: ClusterChange::None })
    }

    /// Writes the URL of the running database into a file that only its owner can read, and returns its path.
    ///
    /// # Errors
    /// The file cannot be written. Other errors are those of [`running`](Self::running).
    pub fn write_url(&self, role: Role) -> Result<PathBuf> {
        self.home.write_url(self.running()?.url(role)?.expose())
    }

    /// Whether a server with this system identifier is the one that [`up`](Self::up) created. Only there is a write not
    /// confirmed. A host name proves nothing, because `localhost` may be a tunnel to production.
    ///
    /// # Errors
    /// The errors are those of [`status`](Self::status).
    pub fn is_ours(&self, system_identifier: &str) -> Result<bool> {
        Ok(self.home.cluster()?.is_some_and(|cluster| cluster.system_identifier == system_identifier))
    }
}
