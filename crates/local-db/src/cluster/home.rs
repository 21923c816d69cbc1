//! The folder of the local database: `.local-db/` in the workspace, which git ignores.
//!
//! ```text
//! .local-db/lock           held by the one command that starts or stops the server
//! .local-db/cluster.json   which cluster this is, and its password; only its owner can read it
//! .local-db/server/        data, settings and log; belongs to the user that the server runs as
//! .local-db/url            the URL of a demo that was kept; only its owner can read it
//! .local-db/npm/           server programs from npm
//! .local-db/elsewhere      the path of the folder with server/ and npm/, if that user cannot enter the workspace
//!                          or `pg_ctl` cannot use its path
//! ```
//!
//! A file in here that another user could have put there is not read, and such a program is not started.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tenancy_config::Trust;
use tenancy_config::trust::ReadError;

use crate::cluster::state::{self, Cluster, Known};
use crate::error::{Error, Result};
use crate::server::account::Account;
use crate::server::files::{can_name, remove_folder};

/// The folders of one workspace's local database.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    root: PathBuf,
    folder: PathBuf,
    trust: Trust,
}

impl Home {
    pub(crate) fn at(root: &Path, trust: Trust) -> Self {
        Self { root: root.to_owned(), folder: root.join(".local-db"), trust }
    }

    /// Takes the lock. Nothing in here is written without it. It is released when the file is closed.
    pub(crate) async fn lock(&self, notes: &mut dyn FnMut(&str)) -> Result<File> {
        self.make()?;
        let path = self.folder.join("lock");
        // A user who can open it could hold the lock, so only the owner can open it.
        let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(Error::file("creating", &path))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(file),
                // `remove` deleted the folder while we waited, so another command may hold the lock of a new folder.
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

    /// Makes the folder if there is none, and trusts it only if it is this user's.
    fn make(&self) -> Result<()> {
        if self.is_there()? {
            return Ok(());
        }
        self.believe(&self.root, Trust::check_folder)?;
        self.make_folder(&self.folder)
    }

    /// A folder in this one, for what is kept besides the developer's database.
    pub(crate) fn folder_for(&self, name: &str) -> Result<PathBuf> {
        self.make()?;
        let folder = self.folder.join(name);
        self.make_folder(&folder)?;
        Ok(folder)
    }

    fn make_folder(&self, folder: &Path) -> Result<()> {
        // Whatever the umask is; GitLab's runners have none.
        match DirBuilder::new().mode(0o755).create(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::file("creating", folder)(error)),
            _ => self.believe(folder, Trust::check),
        }
    }

    /// Whether there is a folder. Fails if it is not trusted.
    fn is_there(&self) -> Result<bool> {
        match self.folder.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::file("reading", &self.folder)(error)),
            Ok(_) => self.believe(&self.folder, Trust::check).map(|()| true),
        }
    }

    fn believe(&self, path: &Path, check: impl Fn(&Trust, &Path) -> Result<(), ReadError>) -> Result<()> {
        check(&self.trust, path).map_err(|error| match error {
            ReadError::Untrusted(untrusted) => untrusted.into(),
            ReadError::Io(error) => Error::file("reading", path)(error),
        })
    }

    /// Finds a place that the server's user can enter, for [`server`](Self::server) and [`npm`](Self::npm).
    pub(crate) async fn settle(&self, account: Account) -> Result<()> {
        self.make()?;
        if self.elsewhere()?.is_some_and(|place| place.is_dir()) {
            return Ok(());
        }
        open(&self.folder)?;
        if !can_name(&self.folder) || !account.can_enter(&self.folder).await {
            let place = tempfile::Builder::new().prefix("local-db-").tempdir_in("/var/tmp");
            let place = place.map_err(Error::file("creating a folder in", Path::new("/var/tmp")))?.keep();
            open(&place)?;
            self.write(&self.pointer(), &place.to_string_lossy())?;
        }
        Ok(())
    }

    /// Makes the server's own folder. The caller must hold the lock.
    pub(crate) async fn prepare(&self, account: Account) -> Result<()> {
        self.settle(account).await?;
        let server = self.server()?;
        fs::create_dir_all(&server).map_err(Error::file("creating", &server))?;
        fs::set_permissions(&server, PermissionsExt::from_mode(0o700)).map_err(Error::file("restricting", &server))?;
        account.own(&server)
    }

    /// The folder that belongs to the server.
    pub(crate) fn server(&self) -> Result<PathBuf> {
        Ok(self.place()?.join("server"))
    }

    /// The folder with the server programs from npm.
    pub(crate) fn npm(&self) -> Result<PathBuf> {
        let npm = self.place()?.join("npm");
        if npm.symlink_metadata().is_ok() {
            self.believe(&npm, Trust::check)?;
        }
        Ok(npm)
    }

    /// What the state file says about the cluster.
    pub(crate) fn known(&self) -> Result<Known> {
        if self.is_there()? { state::read(&self.state(), &self.trust) } else { Ok(Known::Nothing) }
    }

    /// The cluster, if its set-up is complete.
    pub(crate) fn cluster(&self) -> Result<Option<Cluster>> {
        Ok(match self.known()? {
            Known::Cluster(cluster) => Some(cluster),
            Known::Nothing | Known::Unfinished { .. } => None,
        })
    }

    /// Writes the cluster into the state file, whole or not at all.
    pub(crate) fn remember(&self, cluster: &Cluster) -> Result<()> {
        self.set(Known::Cluster(cluster.clone()))
    }

    /// Records that the folder holds nobody's data, until a cluster is complete.
    pub(crate) fn begin(&self, port: Option<u16>) -> Result<()> {
        self.set(Known::Unfinished { port })
    }

    fn set(&self, known: Known) -> Result<()> {
        let path = self.state();
        let text = state::text(known).map_err(Error::file("writing", &path))?;
        text.map_or(Ok(()), |text| self.write(&path, &text))
    }

    pub(crate) fn write_url(&self, url: &str) -> Result<PathBuf> {
        let path = self.folder.join("url");
        self.write(&path, url)?;
        Ok(path)
    }

    /// Writes a file that only this user can read, whole or not at all.
    fn write(&self, path: &Path, text: &str) -> Result<()> {
        let written = tempfile::NamedTempFile::new_in(&self.folder).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)
        });
        written.map(drop).map_err(Error::file("writing", path))
    }

    /// Removes the cluster's data; the server must be down. The programs from npm and the port are kept.
    pub(crate) fn forget(&self, port: Option<u16>) -> Result<()> {
        self.begin(port)?;
        remove_folder(&self.server()?)
    }

    /// Removes everything. A command that waits for the lock meanwhile makes the folder again.
    pub(crate) fn remove(&self) -> Result<()> {
        if let Some(place) = self.elsewhere()? {
            remove_folder(&place)?;
        }
        remove_folder(&self.folder)
    }

    fn place(&self) -> Result<PathBuf> {
        Ok(self.elsewhere()?.unwrap_or_else(|| self.folder.clone()))
    }

    fn elsewhere(&self) -> Result<Option<PathBuf>> {
        let pointer = self.pointer();
        let text = match self.trust.read(&pointer) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(ReadError::Untrusted(untrusted)) => return Err(untrusted.into()),
            Err(ReadError::Io(error)) => return Err(state::damaged(&pointer, error.to_string())),
        };
        let place = PathBuf::from(text);
        if !place.is_absolute() {
            return Err(state::damaged(&pointer, "it names no folder".to_owned()));
        }
        // The place may be gone, as something may have cleaned up `/var/tmp`; that is no reason to refuse.
        if place.symlink_metadata().is_ok() {
            self.believe(&place, Trust::check)?;
        }
        Ok(Some(place))
    }

    fn pointer(&self) -> PathBuf {
        self.folder.join("elsewhere")
    }

    /// The state file of the cluster.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("cluster.json")
    }
}

/// Whether an open file is still the one at this path.
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
