//! Resets the database: the data is deleted, the port is kept, and nobody is disconnected without being asked.

use std::time::{Duration, Instant};

use crate::cluster::database::{LocalDb, Running};
use crate::cluster::start::StartOptions;
use crate::cluster::state::Known;
use crate::error::{Error, Result};
use crate::server::shutdown::Shutdown;

/// How long a reset waits for the sessions of others to end.
const WAIT_FOR_SESSIONS: Duration = Duration::from_secs(5);

/// How [`LocalDb::reset`] works.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reset {
    /// What is created afterwards.
    pub up: StartOptions,
    /// Ends the sessions of others. Otherwise a reset is refused if there are any.
    pub disconnect: bool,
}

impl LocalDb {
    /// Deletes the database with its data and creates a new one on the same port, and with another version if the
    /// options ask for one. [`loss`](Self::loss) says before what will be lost.
    ///
    /// # Errors
    /// [`Error::InUse`]: others are connected and stay. Other errors are those of [`up`](Self::up).
    pub async fn reset(&self, notes: &mut dyn FnMut(&str), reset: Reset) -> Result<Running> {
        let _lock = self.home.lock(notes).await?;
        let port = match self.home.known() {
            Ok(Known::Cluster(cluster)) => Some(cluster.port),
            Ok(Known::Unfinished { port }) => port,
            // A state that cannot be read is deleted with the rest, so its port is lost.
            Ok(Known::Nothing) | Err(Error::State { .. }) => None,
            Err(error) => return Err(error),
        };
        if reset.disconnect {
            self.end(Shutdown::Fast).await?;
        } else {
            self.until_alone(notes).await?;
            self.end(Shutdown::Smart).await?;
        }
        self.home.forget(port)?;
        self.up_locked(notes, reset.up).await
    }

    /// Waits a few seconds until nobody else is connected.
    ///
    /// # Errors
    /// [`Error::InUse`]: somebody stays; the error names them.
    async fn until_alone(&self, notes: &mut dyn FnMut(&str)) -> Result<()> {
        let begun = Instant::now();
        let mut told = false;
        loop {
            let sessions = self.loss().await?.map(|loss| loss.sessions).unwrap_or_default();
            if sessions.is_empty() {
                return Ok(());
            }
            let who = sessions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            if begun.elapsed() > WAIT_FOR_SESSIONS {
                return Err(Error::InUse(who));
            }
            if !told {
                notes(&format!("waiting for {who}"));
                told = true;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}
