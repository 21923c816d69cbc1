//! A PgBouncer in transaction mode in front of a test's database. A session of the server serves whichever client has a
//! transaction next.

use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use local_db::server::account::Account;
use local_db::server::ports::free_port;
use local_db::{Error, Result, Role};
use tenancy_config::{DatabaseUrl, environment};
use tenant_rls::DirectConnection;

use crate::database::{TestDb, unique_name};
use crate::shared_server;

/// How long it may take to answer on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Where packages install the program, besides the folders of PATH, which may lack them.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/// A PgBouncer of one test, with the logins of the local database. It ends with this guard, or with the process.
#[derive(Debug)]
pub struct TestPooler {
    guardian: Child,
    port: u16,
    superuser: DatabaseUrl,
}

impl TestPooler {
    /// Starts a PgBouncer that opens at most `sessions` sessions of the server for each login. If the machine has no
    /// PgBouncer, it prints a line that says so and returns `None`.
    ///
    /// # Panics
    /// If there is no PgBouncer although `CI` is set, or if it does not start.
    pub async fn before(db: &TestDb, sessions: u32) -> Option<Self> {
        let Some(program) = program() else {
            let why = "there is no pgbouncer in PATH or /usr/sbin";
            assert!(environment::path("CI").is_none(), "{why}: install the package pgbouncer");
            // Not captured by the test harness: it must be seen that nothing was tried.
            let _ = writeln!(std::io::stderr(), "SKIPPED, not tried behind a pooler: {why}");
            return None;
        };
        match Self::start(&program, db, sessions).await {
            Ok(pooler) => Some(pooler),
            Err(error) => panic!("no PgBouncer for this test: {error}"),
        }
    }

    async fn start(program: &Path, db: &TestDb, sessions: u32) -> Result<Self> {
        let account = Account::current()?;
        let port = free_port()?;
        // Not beside the servers of other runs, which go through all folders whose names begin like theirs.
        let folder = shared_server::temporary_folder(account).await.join(format!("local-db-pooler-{}", unique_name()));
        DirBuilder::new().mode(0o700).create(&folder).map_err(Error::file("creating", &folder))?;
        account.own(&folder)?;
        let users = [Role::Superuser, Role::Owner, Role::AppUser];
        let urls = users.map(|role| db.url(role));
        let users: String = urls
            .iter()
            .map(|url| format!("\"{}\" \"{}\"\n", url.user(), url.expose_password().unwrap_or_default()))
            .collect();
        write(account, &folder.join("users"), &users)?;
        let settings = settings(&folder, port, db.url(Role::Superuser).port(), sessions);
        write(account, &folder.join("pgbouncer.ini"), &settings)?;

        let mut guardian = account.std_command("/bin/sh");
        guardian.args(["-c", include_str!("pooler.sh"), "guardian"]).arg(program).arg(&folder);
        // In a process group of its own, which Ctrl-C in the terminal does not reach.
        guardian.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let guardian = guardian.spawn().map_err(Error::file("starting", Path::new("/bin/sh")))?;
        let pooler = Self { guardian, port, superuser: db.url(Role::Superuser) };
        pooler.until_ready(&folder.join("log")).await?;
        Ok(pooler)
    }

    async fn until_ready(&self, log: &Path) -> Result<()> {
        let begun = Instant::now();
        loop {
            let refused = match DirectConnection::as_application(&self.url(Role::Superuser), "tests").await {
                Ok(session) => {
                    session.close().await;
                    return Ok(());
                }
                Err(error) => error,
            };
            if begun.elapsed() > READY_WITHIN {
                let output = format!("{refused}\n{}", fs::read_to_string(log).unwrap_or_default());
                return Err(Error::Program { program: "pgbouncer".to_owned(), output });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The URL of the database through the pooler, without a parameter that says so.
    pub fn silent_url(&self, role: Role) -> DatabaseUrl {
        local_db::login(&self.superuser.with_port(self.port), role)
    }

    /// The URL of the database through the pooler, with `pgbouncer=true`.
    pub fn url(&self, role: Role) -> DatabaseUrl {
        let text = format!("{}?pgbouncer=true", self.silent_url(role).expose());
        DatabaseUrl::parse(&text).expect("a URL of our own making is one")
    }
}

impl Drop for TestPooler {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        // It ends by itself and removes its files; without this wait it would stay in the process table.
        let _ = self.guardian.wait();
    }
}

fn settings(folder: &Path, port: u16, server: u16, sessions: u32) -> String {
    let users = folder.join("users");
    format!(
        "[databases]\n* = host=127.0.0.1 port={server}\n\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = {sessions}\n",
        users.display()
    )
}

fn write(account: Account, path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::file("writing", path))?;
    account.own(path)
}

fn program() -> Option<PathBuf> {
    let folders = environment::program_folders().into_iter().chain(FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file())
}
