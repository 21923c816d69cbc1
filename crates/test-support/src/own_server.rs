//! A server of one test, which may kill it, restart it, give it a standby, or run another version of it.

use std::fs;
use std::time::Duration;

use local_db::server::Server;
use local_db::server::account::run;
use local_db::server::ports::{free_port, is_free};
use local_db::server::shutdown::{self, Shutdown};
use local_db::{ClusterSecret, Error, Result, Role, schema};
use tenancy_config::DatabaseUrl;
use tenant_rls::DirectConnection;

use crate::database::{connect, unique_name};
use crate::guardian::{self, SETTINGS, ServerHold};
use crate::shared_server;

const DATABASE: &str = "app";

/// The name that a standby gives itself.
const STANDBY: &str = "standby";

/// A server of one test, with the roles and the database `app`. It ends with this guard, or with the process.
#[derive(Debug)]
pub struct TestServer {
    server: Server,
    port: u16,
    secret: ClusterSecret,
    _hold: ServerHold,
}

impl TestServer {
    pub(crate) async fn start(version: Option<u32>, tables: bool) -> Result<Self> {
        let (lock, shared, account) = shared_server::locked().await?;
        let programs = shared_server::programs(account, version).await?;
        let home = shared.with_extension(unique_name());
        let server = Server { programs, account, home };
        let port = free_port()?;
        let secret = ClusterSecret::random()?;
        let hold = guardian::begin(&server, &secret, port, Duration::ZERO).await?;
        drop(lock);
        guardian::until_ready(&server, &hold).await?;
        let superuser = secret.url(port, Role::Superuser, "postgres")?;
        shared_server::prepare(&superuser, &secret).await?;
        let mut session = DirectConnection::as_application(&superuser, "tests").await?;
        schema::create_database(&mut session, DATABASE, None).await?;
        session.close().await;
        if tables {
            schema::create_tables(&secret.url(port, Role::Owner, DATABASE)?).await?;
        }
        Ok(Self { server, port, secret, _hold: hold })
    }

    /// The URL of its database `app` for a role.
    pub fn url(&self, role: Role) -> DatabaseUrl {
        self.secret.url(self.port, role, DATABASE).expect("a URL of our own making is one")
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

    /// Kills the server, as a power failure would, and waits until it is gone.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn crash(&self) {
        self.end(Shutdown::Crash).await;
    }

    /// Stops the server and its sessions in an orderly way, and waits until it is gone.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn stop(&self) {
        self.end(Shutdown::Fast).await;
    }

    /// Makes a streaming standby of this server. The server is restarted for it, which ends its sessions.
    ///
    /// # Panics
    /// If there can be no standby.
    pub async fn standby(&self) -> Standby {
        match self.replicate().await {
            Ok(standby) => standby,
            Err(error) => panic!("no standby for this test: {error}"),
        }
    }

    /// Copies the data of the stopped server, because not every package has `pg_basebackup`.
    async fn replicate(&self) -> Result<Standby> {
        let mut session = self.connect(Role::Superuser).await;
        session.run_script("writing what a standby needs", "ALTER SYSTEM SET wal_level = 'replica'").await?;
        session.run_script("letting a standby connect", "ALTER SYSTEM SET max_wal_senders = 4").await?;
        session.close().await;
        // The server is started twice, because the data that a standby begins with must have been written under these
        // settings.
        self.stop().await;
        self.start_again().await;
        self.stop().await;
        let standby = Server { home: self.server.home.join("standby"), ..self.server.clone() };
        fs::create_dir(&standby.home).map_err(Error::file("creating", &standby.home))?;
        standby.account.own(&standby.home)?;
        let mut copy = standby.account.command("cp");
        run("cp", copy.arg("-Rp").arg(self.server.data()).arg(standby.data())).await?;
        for (name, text) in [("standby.signal", String::new()), ("postgresql.auto.conf", self.follow()?)] {
            let path = standby.data().join(name);
            fs::write(&path, text).map_err(Error::file("writing", &path))?;
            standby.account.own(&path)?;
        }
        self.start_again().await;
        let port = standby.start(SETTINGS, None).await?;
        Ok(Standby { server: standby, port, secret: self.secret.clone() })
    }

    /// The settings of the standby: what `ALTER SYSTEM` has set, and which server it follows.
    fn follow(&self) -> Result<String> {
        let path = self.server.data().join("postgresql.auto.conf");
        let set = fs::read_to_string(&path).map_err(Error::file("reading", &path))?;
        let (user, password, port) = (Role::Superuser.name(), self.secret.password(Role::Superuser), self.port);
        let primary = format!("host=127.0.0.1 port={port} user={user} password={password} application_name={STANDBY}");
        Ok(format!("{set}primary_conninfo = '{primary}'\n"))
    }

    async fn end(&self, how: Shutdown) {
        if let Err(error) = shutdown::end(&self.server.data(), how).await {
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
            if is_free(self.port) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        match self.server.start(SETTINGS, Some(self.port)).await {
            Ok(port) => assert_eq!(port, self.port, "somebody took the server's port in between"),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A streaming standby of a [`TestServer`], in a folder of that server. It ends with this guard. If the guard is never
/// dropped, the standby notices within a minute that its folder is gone, and ends.
#[derive(Debug)]
pub struct Standby {
    server: Server,
    port: u16,
    secret: ClusterSecret,
}

impl Standby {
    /// The URL of its database `app` for a role.
    pub fn url(&self, role: Role) -> DatabaseUrl {
        self.secret.url(self.port, role, DATABASE).expect("a URL of our own making is one")
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
        shutdown::kill(&self.server.data());
    }
}
