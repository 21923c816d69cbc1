//! The developer's database: brought up, found again, repaired, taken down, started anew.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tenancy_config::{DatabaseUrl, Trust};
use tenant_rls::{DirectConnection, Error as SqlError};

use crate::account::Account;
use crate::home::Home;
use crate::programs::Wanted;
use crate::secret::Secret;
use crate::server::{self, End, Purpose, Server};
use crate::state::{self, Cluster, Known};
use crate::status::State;
use crate::{Error, Programs, Result, Role, schema};

/// The database that the application's tables stand in.
pub(crate) const DATABASE: &str = "app";

/// Which server programs to use; the default takes the newest installed ones, else npm's.
#[derive(Debug, Clone, Default)]
pub struct LocalOptions {
    /// The folder of the server programs (`--pg-bin`, `PG_BIN`).
    pub pg_bin: Option<PathBuf>,
    /// The major version, 14 to 18 (`--pg-version`).
    pub pg_version: Option<u32>,
    /// Whose files are believed (`TENANCY_TRUST`).
    pub trust: Trust,
}

/// What [`LocalDb::up`] makes where there is nothing yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Up {
    /// Roles and an empty database, for the application's own migrations, instead of the tables of `sql/schema/`.
    pub empty: bool,
}

/// The local database of one workspace.
#[derive(Debug, Clone)]
pub struct LocalDb {
    pub(crate) home: Home,
    options: LocalOptions,
}

/// A local database that runs.
#[derive(Debug, Clone)]
pub struct Running {
    pub(crate) cluster: Cluster,
    pub(crate) programs: Programs,
    pub(crate) change: Change,
}

/// What [`LocalDb::up`] had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It ran already.
    None,
    /// It was there and was started.
    Started,
    /// It was made.
    Created,
}

impl LocalDb {
    /// A local database beside the developer's own, inside the folder of that one.
    ///
    /// # Errors
    /// The folder cannot be made, or is not believed.
    pub fn beside(root: &Path, name: &str, options: LocalOptions) -> Result<Self> {
        let folder = Home::at(root, options.trust.clone()).folder_for(name)?;
        Ok(Self::at(&folder, options))
    }

    /// The local database of the workspace in `root`. Nothing is made or started yet.
    pub fn at(root: &Path, options: LocalOptions) -> Self {
        Self { home: Home::at(root, options.trust.clone()), options }
    }

    /// Makes the database if there is none, starts it if it does not run, and finds it if it does. Several callers at
    /// once are served one after the other.
    ///
    /// # Errors
    /// [`Error`], by far most often that no server programs were found.
    pub async fn up(&self, notes: &mut dyn FnMut(&str), up: Up) -> Result<Running> {
        let _lock = self.home.lock(notes).await?;
        self.up_locked(notes, up).await
    }

    pub(crate) async fn up_locked(&self, notes: &mut dyn FnMut(&str), up: Up) -> Result<Running> {
        let account = Account::current()?;
        self.home.prepare(account).await?;
        let mut cluster = match self.home.known()? {
            Known::Cluster(cluster) => cluster,
            Known::Unfinished { port } => return self.create(account, notes, up, port).await,
            Known::Nothing => {
                self.refuse_data_of_nobody()?;
                return self.create(account, notes, up, None).await;
            }
        };
        if let Some(asked) = self.options.pg_version.filter(|asked| *asked != cluster.major) {
            return Err(Error::OtherVersion { found: cluster.major, asked });
        }
        if up.empty && cluster.tables {
            notes("the local database has its tables already; `db reset --empty` starts anew without them");
        }
        if self.pid()?.is_some() {
            self.secure(&mut cluster, notes).await?;
            let programs = Programs::known(&cluster.bin, cluster.major);
            return Ok(Running { cluster, programs, change: Change::None });
        }
        let programs = self.programs_for(&cluster, account, notes).await?;
        let server = Server { programs: programs.clone(), account, home: self.home.server()? };
        if !server.data().is_dir() {
            return Err(state::damaged(&self.home.state(), format!("its data is gone: {}", server.data().display())));
        }
        let asked = cluster.port;
        cluster.port = server.start(Purpose::Development, Some(asked)).await?;
        tell_of_the_port(asked, cluster.port, notes);
        cluster.bin = programs.bin().to_owned();
        self.home.remember(&cluster)?;
        self.secure(&mut cluster, notes).await?;
        Ok(Running { cluster, programs, change: Change::Started })
    }

    /// Data without the file that tells whose it is may be somebody's.
    fn refuse_data_of_nobody(&self) -> Result<()> {
        let data = self.home.server()?.join("data");
        match data.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::file("reading", &data)(error)),
            Ok(_) => {
                let why = format!("it is not there, and there is data that it tells of in {}", data.display());
                Err(state::damaged(&self.home.state(), why))
            }
        }
    }

    /// Makes the cluster. Whatever an interrupted attempt left is nobody's data, and goes.
    async fn create(
        &self,
        account: Account,
        notes: &mut dyn FnMut(&str),
        up: Up,
        asked: Option<u16>,
    ) -> Result<Running> {
        let version = self.options.pg_version.map(|version| (version, "--pg-version asks for it".to_owned()));
        let wanted = Wanted { bin: self.options.pg_bin.clone(), version };
        let programs = Programs::find(&wanted, account, &self.home, notes).await?;
        let server = Server { programs: programs.clone(), account, home: self.home.server()? };
        self.home.begin(asked)?;
        server::end(&server.data(), End::Shutdown).await?;
        server::remove_folder(&server.data())?;
        let secret = Secret::random()?;
        server.init(&secret).await?;
        let port = server.start(Purpose::Development, asked).await?;
        tell_of_the_port(asked.unwrap_or(port), port, notes);

        let superuser = server::url(port, &secret, Role::Superuser, "postgres")?;
        let mut session = DirectConnection::connect(&superuser, "local-db").await?;
        schema::create_roles(&mut session, &secret).await?;
        // What the owner of a database that is watched should have: a backfill reads from it how busy the server is.
        session.run_script("letting the owner see the load", "GRANT pg_monitor TO app_owner").await?;
        schema::create_database(&mut session, DATABASE, None).await?;
        let system_identifier = system_identifier(&mut session).await?;
        session.close().await;
        if !up.empty {
            schema::create_tables(&server::url(port, &secret, Role::Owner, DATABASE)?).await?;
        }
        let (major, bin) = (programs.major(), programs.bin().to_owned());
        let cluster = Cluster { system_identifier, port, major, bin, tables: !up.empty, secret, next_secret: None };
        self.home.remember(&cluster)?;
        Ok(Running { cluster, programs, change: Change::Created })
    }

    /// The programs that can run data which is there: those that ran it last, else others of its version.
    async fn programs_for(&self, cluster: &Cluster, account: Account, notes: &mut dyn FnMut(&str)) -> Result<Programs> {
        if self.options.pg_bin.is_none()
            && let Ok(programs) = Programs::at(&cluster.bin, account).await
            && programs.major() == cluster.major
        {
            return Ok(programs);
        }
        let version = Some((cluster.major, "the local database is of that version".to_owned()));
        let wanted = Wanted { bin: self.options.pg_bin.clone(), version };
        Programs::find(&wanted, account, &self.home, notes).await
    }

    /// Stops the server; its data stays. Returns whether it ran.
    ///
    /// # Errors
    /// [`Error::Program`] where it does not stop.
    pub async fn down(&self) -> Result<bool> {
        if self.status()?.state == State::Absent {
            return Ok(false);
        }
        let _lock = self.home.lock(&mut |_| ()).await?;
        self.end(End::Shutdown).await
    }

    pub(crate) async fn end(&self, end: End) -> Result<bool> {
        server::end(&self.home.server()?.join("data"), end).await
    }

    /// Stops the server and removes everything, the programs that npm brought included.
    ///
    /// # Errors
    /// As [`down`](Self::down), and where a file cannot be removed.
    pub async fn remove(&self) -> Result<()> {
        let _lock = self.home.lock(&mut |_| ()).await?;
        self.end(End::Shutdown).await?;
        self.home.remove()
    }
}

impl Running {
    /// How to log in to the application's database.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn url(&self, role: Role) -> Result<DatabaseUrl> {
        server::url(self.cluster.port, &self.cluster.secret, role, DATABASE)
    }

    /// The number that `initdb` drew for this cluster.
    pub fn system_identifier(&self) -> &str {
        &self.cluster.system_identifier
    }

    /// The programs it runs with.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// What had to be done to bring it up.
    pub fn change(&self) -> Change {
        self.change
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.cluster.port
    }

    /// Whether it was made with the application's tables.
    pub fn has_tables(&self) -> bool {
        self.cluster.tables
    }
}

/// An application's settings hold the port.
fn tell_of_the_port(asked: u16, port: u16, notes: &mut dyn FnMut(&str)) {
    if asked != port {
        notes(&format!("another program has port {asked}: the local database listens on {port} now"));
    }
}

async fn system_identifier(session: &mut DirectConnection) -> Result<String> {
    let query = sqlx::query_scalar("SELECT system_identifier::text FROM pg_control_system()");
    let asked = query.fetch_one(session.connection()).await;
    Ok(asked.map_err(SqlError::query("reading the system identifier"))?)
}
