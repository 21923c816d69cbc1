//! Starts or finds the one server of a test run, shared by every test binary that was built into the same folder.
//!
//! The first process of a run starts it, through `guardian.rs`. The others find it by the name of its folder. A process
//! that looks for it holds a lock on the folder of the test binaries, so that two do not start it at once.

use std::fs::{File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use local_db::server::Server;
use local_db::server::account::Account;
use local_db::server::files::{can_name, log_tail};
use local_db::server::pid::is_running;
use local_db::server::ports::free_port;
use local_db::server::programs::ProgramRequest;
use local_db::{ClusterSecret, Error, LocalDb, LocalOptions, Programs, Result, Role, schema};
use tenancy_config::settings::SettingsError;
use tenancy_config::{DatabaseUrl, environment};
use tenant_rls::{DirectConnection, Error as SqlError};
use tokio::sync::OnceCell;

use crate::guardian::{self, FoundServer, ServerHold};

/// How long the server outlives its last user: long enough for the next test binary of the run to start.
const GRACE: Duration = Duration::from_secs(3);

/// Where Linux keeps files in memory. A database has hundreds of files, and tests make and drop thousands of databases: on a disk that
/// took a third of their time.
const MEMORY: &str = "/dev/shm";

/// How large it must be, in bytes. The suite was seen to use 1.4 GB.
const ENOUGH: u64 = 6 << 30;

/// How many times a server is started if another program takes its port first.
const ATTEMPTS: u32 = 3;

/// The server of this test run, held until this process ends.
#[derive(Debug)]
pub(crate) struct SharedServer {
    port: u16,
    secret: ClusterSecret,
    log: PathBuf,
    _hold: ServerHold,
}

impl SharedServer {
    /// Finds the run's server, or starts it.
    pub(crate) async fn join() -> Result<&'static Self> {
        static SERVER: OnceCell<SharedServer> = OnceCell::const_new();
        SERVER.get_or_try_init(join).await
    }

    /// A session of the superuser, for creating databases.
    pub(crate) async fn session(&self) -> Result<DirectConnection> {
        let url = self.url(Role::Superuser, "postgres")?;
        DirectConnection::as_application(&url, "tests").await.map_err(|error| self.stopped().unwrap_or(error.into()))
    }

    /// What the log says about a server that is gone, although only its guardian should end it.
    fn stopped(&self) -> Option<Error> {
        let home = self.log.parent()?;
        if is_running(&home.join("data")) {
            return None;
        }
        let reason = log_tail(&self.log, 0).unwrap_or_else(|| "its folder is gone".to_owned());
        Some(Error::Program {
            program: "the server of this test run".to_owned(),
            output: format!("it has ended: {reason}"),
        })
    }

    pub(crate) fn url(&self, role: Role, database: &str) -> Result<DatabaseUrl> {
        self.secret.url(self.port, role, database)
    }
}

async fn join() -> Result<SharedServer> {
    let (_lock, folder, account) = locked().await?;
    for attempt in 1.. {
        let (hold, server) = match guardian::find(&folder)? {
            FoundServer::Guarded(hold) if account.owns_folder(&folder) => {
                // Only the folder is needed, because the programs are those of the process that started the server.
                (hold, Server { programs: Programs::known(Path::new(""), 0), account, home: folder.clone() })
            }
            FoundServer::Guarded(_) => return Err(foreign(&folder)),
            FoundServer::Abandoned if !account.owns_folder(&folder) => return Err(foreign(&folder)),
            FoundServer::Abandoned | FoundServer::Nothing => {
                guardian::sweep(&folder).await?;
                let server = Server { programs: programs(account, None).await?, account, home: folder.clone() };
                (guardian::begin(&server, &ClusterSecret::random()?, free_port()?, GRACE).await?, server)
            }
        };
        match ready(&server, &hold).await {
            Ok((port, secret)) => return Ok(SharedServer { port, secret, log: server.log(), _hold: hold }),
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(_) => {
                drop(hold);
                until_gone(&folder).await;
            }
        }
    }
    unreachable!("the last attempt returns")
}

/// Waits for the server, creates its roles unless they exist, and returns its port and its secret.
async fn ready(server: &Server, hold: &ServerHold) -> Result<(u16, ClusterSecret)> {
    guardian::until_ready(server, hold).await?;
    let port = server.configured_port()?;
    let secret = server.stored_secret()?;
    prepare(&secret.url(port, Role::Superuser, "postgres")?, &secret).await?;
    Ok((port, secret))
}

/// Creates the roles, unless the process that started the server did so before it was killed.
pub(crate) async fn prepare(superuser: &DatabaseUrl, secret: &ClusterSecret) -> Result<()> {
    let mut session = DirectConnection::as_application(superuser, "tests").await?;
    let query = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)");
    let there: bool = query
        .bind(Role::AppUser.name())
        .fetch_one(session.connection())
        .await
        .map_err(SqlError::query("looking for the roles"))?;
    if !there {
        schema::create_roles(&mut session, secret).await?;
    }
    session.close().await;
    Ok(())
}

/// The lock under which servers are looked for and started, the folder of the run's server, and the user that it runs
/// as.
pub(crate) async fn locked() -> Result<(File, PathBuf, Account)> {
    let unknown = Error::file("finding", Path::new("the test binary"));
    let program = std::env::current_exe().map_err(unknown)?;
    let built_in = program.parent().unwrap_or(Path::new("/"));
    let lock = File::open(built_in).map_err(Error::file("opening", built_in))?;
    while let Err(refused) = lock.try_lock() {
        if let TryLockError::Error(error) = refused {
            return Err(Error::file("locking", built_in)(error));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let account = Account::current()?;
    let mut key = DefaultHasher::new();
    (built_in, environment::path("PG_BIN"), environment::path("PG_VERSION")).hash(&mut key);
    let name = format!("local-db-tests-{}-{:016x}", account.uid(), key.finish());
    Ok((lock, temporary_folder(account).await.join(name), account))
}

/// The folder for servers of tests: in memory where that is large enough, else the system's for temporary files, else `/tmp`. `TMPDIR` decides
/// if it is set. The server's user must be able to write there.
pub(crate) async fn temporary_folder(account: Account) -> PathBuf {
    let folder = if environment::path("TMPDIR").is_none() && is_large(MEMORY) {
        PathBuf::from(MEMORY)
    } else {
        std::env::temp_dir()
    };
    let folder = folder.canonicalize().unwrap_or(folder);
    if can_name(&folder) && account.can_write(&folder).await { folder } else { PathBuf::from("/tmp") }
}

/// Whether a folder's file system is large enough for the databases that tests have at one time. Its size decides, and not what is free of it:
/// each process of a run must come to the same answer, or it looks for the server elsewhere.
fn is_large(folder: &str) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|found| found.f_blocks.saturating_mul(found.f_frsize) >= ENOUGH)
}

/// The server programs for tests: of the given version, or those that `PG_BIN` and `PG_VERSION` name, or the newest
/// installed.
pub(crate) async fn programs(account: Account, version: Option<u32>) -> Result<Programs> {
    let request = match version {
        Some(version) => ProgramRequest { bin: None, version: Some((version, "the test asks for it".to_owned())) },
        None => ProgramRequest {
            bin: environment::path("PG_BIN").map(PathBuf::from),
            version: environment::text("PG_VERSION")
                .map_err(|error| SqlError::from(SettingsError::from(error)))?
                .and_then(|version| version.split('.').next()?.parse().ok()) // containers set it to `18.4-1.pgdg13+1`
                .map(|version| (version, "PG_VERSION asks for it".to_owned())),
        },
    };
    let workspace = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let workspace = workspace.canonicalize().unwrap_or(workspace.to_owned());
    LocalDb::at(&workspace, LocalOptions::default()).programs(&request, account, &mut |_| ()).await
}

/// Waits until the guardian of a server that did not start has removed it.
async fn until_gone(folder: &Path) {
    for _ in 0..200 {
        if !folder.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The error that another user made a folder with our name. It is not used, whatever it contains.
fn foreign(folder: &Path) -> Error {
    Error::file("using", folder)(std::io::Error::other("it belongs to another user; remove it"))
}
