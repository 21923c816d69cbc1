//! What there is, from files and processes alone: nothing is started.

use std::path::PathBuf;

use rustix::process::Pid;
use serde::Serialize;

use crate::cluster::database::{ClusterChange, LocalDb, Running};
use crate::error::{Error, Result};
use crate::role::Role;
use crate::server::pid::running_pid;
use crate::server::programs::Programs;

/// What there is, without starting anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether it was ever made, and whether it runs.
    pub state: State,
    /// The port on 127.0.0.1; while it is stopped, the one that it will ask for.
    pub port: Option<u16>,
    /// The major version of its data.
    pub major: Option<u32>,
    /// Where its data lies.
    pub data: PathBuf,
    /// Where its log is.
    pub log: PathBuf,
    /// Where its programs are.
    pub bin: Option<PathBuf>,
    /// The number that `initdb` drew for it.
    pub system_identifier: Option<String>,
    /// The process number of the server.
    pub pid: Option<i32>,
}

/// See [`Status::state`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is none.
    Absent,
    /// It is there and does not run.
    Stopped,
    /// It runs.
    Running,
}

impl LocalDb {
    pub(crate) fn pid(&self) -> Result<Option<Pid>> {
        Ok(running_pid(&self.home.server()?.join("data")))
    }

    /// Where the data lies.
    pub(crate) fn data(&self) -> Result<PathBuf> {
        Ok(self.home.server()?.join("data"))
    }

    /// What there is. It reads files and starts nothing.
    ///
    /// # Errors
    /// [`Error::State`] or [`Error::Untrusted`]: a file is there that does not tell it, or that is not believed.
    pub fn status(&self) -> Result<Status> {
        let server = self.home.server()?;
        let (data, log) = (server.join("data"), server.join("server.log"));
        let pid = self.pid()?.map(|pid| pid.as_raw_nonzero().get());
        let cluster = self.home.cluster()?;
        let state = match (&cluster, pid) {
            (_, Some(_)) => State::Running,
            (Some(_), None) => State::Stopped,
            (None, None) => State::Absent,
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

    /// The database as it runs now; it is not started.
    ///
    /// # Errors
    /// [`Error::NotRunning`], else as [`status`](Self::status).
    pub fn running(&self) -> Result<Running> {
        let runs = self.pid()?.is_some();
        let cluster = self.home.cluster()?.filter(|_| runs).ok_or(Error::NotRunning)?;
        let programs = Programs::known(&cluster.bin, cluster.major);
        Ok(Running { cluster, programs, change: ClusterChange::None })
    }

    /// Writes the URL of the database as it runs into a file that its owner alone can read, and tells where.
    ///
    /// # Errors
    /// As [`running`](Self::running), and where the file cannot be written.
    pub fn write_url(&self, role: Role) -> Result<PathBuf> {
        self.home.write_url(self.running()?.url(role)?.expose())
    }

    /// Whether a server with this system identifier is the one that [`up`](Self::up) made: the one place where nothing
    /// asks before it writes. A host name proves nothing, as `localhost` may be a tunnel to production.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub fn is_ours(&self, system_identifier: &str) -> Result<bool> {
        Ok(self.home.cluster()?.is_some_and(|cluster| cluster.system_identifier == system_identifier))
    }
}
