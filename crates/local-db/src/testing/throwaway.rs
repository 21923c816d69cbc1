//! A server that one test has to itself, to kill it, restart it, give it a standby, or run it in another version.

use std::fs;
use std::time::Duration;

use tenancy_config::DatabaseUrl;
use tenant_rls::DirectConnection;

use super::database::{connect, unique_name};
use super::guardian::{self, Hold};
use super::run;
use crate::account::run as run_program;
use crate::secret::Secret;
use crate::server::{self, End, Purpose, Server};
use crate::{Error, Result, Role, schema};

const DATABASE: &str = "app";

/// What a standby calls itself.
const STANDBY: &str = "standby";

/// A server of its own, with the roles and the database `app`. It ends with this guard, or with the process.
#[derive(Debug)]
pub struct TestServer {
    server: Server,
    port: u16,
    secret: Secret,
    _hold: Hold,
}

impl TestServer {
    pub(super) async fn start(version: Option<u32>, tables: bool) -> Result<Self> {
        let (lock, shared, account) = run::locked().await?;
        let programs = run::programs(account, version).await?;
        let home = shared.with_extension(unique_name());
        let server = Server { programs, account, home };
        let port = server::free_port()?;
        let secret = Secret::random()?;
        let hold = guardian::begin(&server, &secret, port, Duration::ZERO).await?;
        drop(lock);
        guardian::until_ready(&server, &hold).await?;
        let superuser = server::url(port, &secret, Role::Superuser, "postgres")?;
        run::prepare(&superuser, &secret).await?;
        let mut session = DirectConnection::as_application(&superuser, "tests").await?;
        schema::create_database(&mut session, DATABASE, None).await?;
        session.close().await;
        if tables {
            schema::create_tables(&server::url(port, &secret, Role::Owner, DATABASE)?).await?;
        }
        Ok(Self { server, port, secret, _hold: hold })
    }

    /// How to log in to its database `app`.
    pub fn url(&self, role: Role) -> DatabaseUrl {
        server::url(self.port, &self.secret, role, DATABASE).expect("a URL of our own making is one")
    }

    /// A session of one of the logins.
    ///
    /// # Panics
    /// If the server refuses it.
    pub async fn connect(&self, role: Role) -> DirectConnection {
        connect(&self.url(role)).await
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.server.programs.major()
    }

    /// Ends the server as a power failure would, and waits until it is gone.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn crash(&self) {
        self.end(End::Crash).await;
    }

    /// Ends the server and its sessions in good order, and waits until it is gone.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn stop(&self) {
        self.end(End::Shutdown).await;
    }

    /// A streaming standby of this server. The server is restarted for it, which ends its sessions.
    ///
    /// # Panics
    /// If it cannot be had.
    pub async fn standby(&self) -> Standby {
        match self.replicate().await {
            Ok(standby) => standby,
            Err(error) => panic!("no standby for this test: {error}"),
        }
    }

    /// Copies the data of the stopped server, as not every package brings `pg_basebackup`.
    async fn replicate(&self) -> Result<Standby> {
        let mut session = self.connect(Role::Superuser).await;
        session.run_script("writing what a standby needs", "ALTER SYSTEM SET wal_level = 'replica'").await?;
        session.run_script("letting a standby connect", "ALTER SYSTEM SET max_wal_senders = 4").await?;
        session.close().await;
        // Twice: what a standby begins with must have been written under these settings.
        self.stop().await;
        self.start_again().await;
        self.stop().await;
        let standby = Server { home: self.server.home.join("standby"), ..self.server.clone() };
        fs::create_dir(&standby.home).map_err(Error::file("creating", &standby.home))?;
        standby.account.own(&standby.home)?;
        let mut copy = standby.account.command("cp");
        run_program("cp", copy.arg("-Rp").arg(self.server.data()).arg(standby.data())).await?;
        for (name, text) in [("standby.signal", String::new()), ("postgresql.auto.conf", self.follow()?)] {
            let path = standby.data().join(name);
            fs::write(&path, text).map_err(Error::file("writing", &path))?;
            standby.account.own(&path)?;
        }
        self.start_again().await;
        let port = standby.start(Purpose::Tests, None).await?;
        Ok(Standby { server: standby, port, secret: self.secret.clone() })
    }

    /// What `ALTER SYSTEM` has set, and whom to follow.
    fn follow(&self) -> Result<String> {
        let path = self.server.data().join("postgresql.auto.conf");
        let set = fs::read_to_string(&path).map_err(Error::file("reading", &path))?;
        let (user, password, port) = (Role::Superuser.name(), self.secret.password(Role::Superuser), self.port);
        let primary = format!("host=127.0.0.1 port={port} user={user} password={password} application_name={STANDBY}");
        Ok(format!("{set}primary_conninfo = '{primary}'\n"))
    }

    async fn end(&self, end: End) {
        if let Err(error) = server::end(&self.server.data(), end).await {
            panic!("{error}");
        }
    }

    /// Starts the server again, on the same port, after [`crash`](Self::crash) or [`stop`](Self::stop).
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start_again(&self) {
        // A client that tries to connect meanwhile may have been given this very port for its own end.
        for _ in 0..1000 {
            if server::is_free(self.port) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        match self.server.start(Purpose::Tests, Some(self.port)).await {
            Ok(port) => assert_eq!(port, self.port, "somebody took the server's port in between"),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A streaming standby of a [`TestServer`], in a folder of that one. It ends with this guard; where that never runs, it
/// notices within a minute that its folder is gone.
#[derive(Debug)]
pub struct Standby {
    server: Server,
    port: u16,
    secret: Secret,
}

impl Standby {
    /// How to log in to its database `app`.
    pub fn url(&self, role: Role) -> DatabaseUrl {
        server::url(self.port, &self.secret, role, DATABASE).expect("a URL of our own making is one")
    }

    /// A session of one of the logins.
    ///
    /// # Panics
    /// If the server refuses it.
    pub async fn connect(&self, role: Role) -> DirectConnection {
        connect(&self.url(role)).await
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        if let Some(pid) = crate::pid::running_pid(&self.server.data()) {
            // One that is gone already is what is wanted.
            let _ = server::kill_family(pid);
        }
    }
}
