//! Starting anew: the data goes, the port stays, and nobody is thrown out unasked.

use std::time::{Duration, Instant};

use crate::cluster::database::{LocalDb, Running};
use crate::cluster::start::StartOptions;
use crate::cluster::state::Known;
use crate::error::{Error, Result};
use crate::server::shutdown::Shutdown;

/// How long a reset waits for the sessions of others to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How [`LocalDb::reset`] goes about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reset {
    /// What is made afterwards.
    pub up: StartOptions,
    /// Ends the sessions of others, instead of refusing where there are some.
    pub disconnect: bool,
}

impl LocalDb {
    /// Removes the database with its data and makes a new one on the same port, of another version where the options ask for
    /// one. What is lost, [`loss`](Self::loss) tells before.
    ///
    /// # Errors
    /// [`Error::InUse`] where others are connected and stay, else as [`up`](Self::up).
    pub async fn reset(&self, notes: &mut dyn FnMut(&str), reset: Reset) -> Result<Running> {
        let _lock = self.home.lock(notes).await?;
        let port = match self.home.known() {
            Ok(Known::Cluster(cluster)) => Some(cluster.port),
            Ok(Known::Unfinished { port }) => port,
            // What it told is lost with the rest.
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

    /// Waits a moment until nobody else is connected.
    ///
    /// # Errors
    /// [`Error::InUse`] with those who stay.
    async fn until_alone(&self, notes: &mut dyn FnMut(&str)) -> Result<()> {
        let begun = Instant::now();
        let mut told = false;
        loop {
            let sessions = self.loss().await?.map(|loss| loss.sessions).unwrap_or_default();
            if sessions.is_empty() {
                return Ok(());
            }
            let who = sessions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            if begun.elapsed() > PATIENCE {
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
