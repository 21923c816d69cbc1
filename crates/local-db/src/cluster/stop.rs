//! Stops the local database, and removes it.

use crate::cluster::database::LocalDb;
use crate::cluster::status::ClusterState;
use crate::error::Result;
use crate::server::shutdown::{self, Shutdown};

impl LocalDb {
    /// Stops the server; its data stays. Returns whether it ran.
    ///
    /// # Errors
    /// [`Error::Program`](crate::error::Error::Program): it does not stop.
    pub async fn down(&self) -> Result<bool> {
        if self.status()?.state == ClusterState::Absent {
            return Ok(false);
        }
        let _lock = self.home.lock(&mut |_| ()).await?;
        self.end(Shutdown::Fast).await
    }

    pub(crate) async fn end(&self, how: Shutdown) -> Result<bool> {
        shutdown::end(&self.home.server()?.join("data"), how).await
    }

    /// Stops the server and removes everything, the programs from npm included.
    ///
    /// # Errors
    /// A file cannot be removed. Other errors are those of [`down`](Self::down).
    pub async fn remove(&self) -> Result<()> {
        let _lock = self.home.lock(&mut |_| ()).await?;
        self.end(Shutdown::Fast).await?;
        self.home.remove()
    }
}
