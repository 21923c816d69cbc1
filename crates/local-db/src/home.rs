//! Where the local database lies: `.local-db/` in the workspace, which git ignores.
//!
//! ```text
//! .local-db/lock           held by the one command that starts or stops the server
//! .local-db/cluster.json   which cluster this is; written when it is complete
//! .local-db/server/        data, settings and log; belongs to the user that the server runs as
//! .local-db/npm/           server programs that npm brought
//! .local-db/elsewhere      names the folder that holds server/ and npm/ where that user cannot enter the workspace,
//!                          or `pg_ctl` could not name it
//! ```

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::server::{self, remove_folder};
use crate::{Error, Result};

/// What is known of a cluster whose set-up is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    /// Tells this cluster from every other one; `initdb` drew it.
    pub(crate) system_identifier: String,
    pub(crate) port: u16,
    /// The major version of its data.
    pub(crate) major: u32,
    /// The folder of the programs that ran it last.
    pub(crate) bin: PathBuf,
    /// Whether the application's tables were made, or room was left for the application's own migrations.
    pub(crate) tables: bool,
}

/// The folders of one workspace's local database.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: PathBuf,
}

impl Home {
    pub(crate) fn at(root: &Path) -> Self {
        Self { folder: root.join(".local-db") }
    }

    /// Takes the lock, without which nothing in here is written; it is let go with the file.
    pub(crate) async fn lock(&self, notes: &mut dyn FnMut(&str)) -> Result<File> {
        fs::create_dir_all(&self.folder).map_err(Error::file("creating", &self.folder))?;
        let path = self.folder.join("lock");
        let file = File::create(&path).map_err(Error::file("creating", &path))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(file),
                // `remove` took the folder away while we waited: another command may hold the lock of a new one.
                Ok(()) => return Box::pin(self.lock(notes)).await,
                Err(TryLockError::Error(error)) => return Err(Error::file("locking", &path)(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            if !told {
                notes("another command starts or stops the local database; waiting for it");
                told = true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Finds a place that the server's user can enter, for [`server`](Self::server) and [`npm`](Self::npm).
    pub(crate) async fn settle(&self, account: Account) -> Result<()> {
        if self.elsewhere().is_some_and(|place| place.is_dir()) {
            return Ok(());
        }
        fs::create_dir_all(&self.folder).map_err(Error::file("creating", &self.folder))?;
        open(&self.folder)?;
        if !server::can_name(&self.folder) || !account.can_enter(&self.folder).await {
            let place = tempfile::Builder::new().prefix("local-db-").tempdir_in("/var/tmp");
            let place = place.map_err(Error::file("creating a folder in", Path::new("/var/tmp")))?.keep();
            open(&place)?;
            let pointer = self.pointer();
            fs::write(&pointer, place.as_os_str().as_encoded_bytes()).map_err(Error::file("writing", &pointer))?;
        }
        Ok(())
    }

    /// Makes the server's own folder. Call it with the lock.
    pub(crate) async fn prepare(&self, account: Account) -> Result<()> {
        self.settle(account).await?;
        let server = self.server();
        fs::create_dir_all(&server).map_err(Error::file("creating", &server))?;
        fs::set_permissions(&server, PermissionsExt::from_mode(0o700)).map_err(Error::file("restricting", &server))?;
        account.own(&server)
    }

    /// The folder that belongs to the server.
    pub(crate) fn server(&self) -> PathBuf {
        self.place().join("server")
    }

    /// The folder of what npm brought.
    pub(crate) fn npm(&self) -> PathBuf {
        self.place().join("npm")
    }

    /// The cluster, if its set-up was completed.
    pub(crate) fn cluster(&self) -> Option<Cluster> {
        serde_json::from_slice(&fs::read(self.state()).ok()?).ok()
    }

    /// Remembers the cluster, at once and whole.
    pub(crate) fn remember(&self, cluster: &Cluster) -> Result<()> {
        let (path, new) = (self.state(), self.folder.join("cluster.json.new"));
        let text = serde_json::to_string_pretty(cluster).map_err(std::io::Error::from);
        text.and_then(|text| fs::write(&new, text)).map_err(Error::file("writing", &new))?;
        fs::rename(&new, &path).map_err(Error::file("writing", &path))
    }

    /// Removes the cluster's data; the server must be down. What npm brought stays.
    pub(crate) fn forget(&self) -> Result<()> {
        match fs::remove_file(self.state()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file("removing", &self.state())(error))
            }
            _ => remove_folder(&self.server()),
        }
    }

    /// Removes everything. Whoever waits for the lock meanwhile makes the folder anew.
    pub(crate) fn remove(&self) -> Result<()> {
        if let Some(place) = self.elsewhere() {
            remove_folder(&place)?;
        }
        remove_folder(&self.folder)
    }

    fn place(&self) -> PathBuf {
        self.elsewhere().unwrap_or_else(|| self.folder.clone())
    }

    fn elsewhere(&self) -> Option<PathBuf> {
        fs::read_to_string(self.pointer()).ok().map(PathBuf::from)
    }

    fn pointer(&self) -> PathBuf {
        self.folder.join("elsewhere")
    }

    fn state(&self) -> PathBuf {
        self.folder.join("cluster.json")
    }
}

/// Whether an open file is the one that a path leads to.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Lets other users enter a folder.
fn open(folder: &Path) -> Result<()> {
    fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).map_err(Error::file("opening", folder))
}
