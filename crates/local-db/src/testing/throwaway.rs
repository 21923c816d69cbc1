//! A server that one test has to itself, to kill it, restart it, or run it in another version.

use std::time::Duration;

use tenant_rls::{DatabaseUrl, DirectConnection};

use super::database::{connect, unique_name};
use super::guardian::{self, Hold};
use super::run;
use crate::server::{self, End, Purpose, Server};
use crate::{Result, Role, schema};

const DATABASE: &str = "app";

/// A server of its own, with the roles and the database `app`. It ends with this guard, or with the process.
#[derive(Debug)]
pub struct TestServer {
    server: Server,
    port: u16,
    _hold: Hold,
}

impl TestServer {
    pub(super) async fn start(version: Option<u32>, tables: bool) -> Result<Self> {
        let (lock, shared, account) = run::locked().await?;
        let programs = run::programs(account, version).await?;
        let home = shared.with_extension(unique_name());
        let server = Server { programs, account, home };
        let port = server::free_port()?;
        let hold = guardian::begin(&server, port, Duration::ZERO).await?;
        drop(lock);
        guardian::until_ready(&server, &hold).await?;
        let superuser = server::url(port, Role::Superuser, "postgres")?;
        run::prepare(&superuser).await?;
        let mut session = DirectConnection::connect(&superuser, "tests").await?;
        schema::create_database(&mut session, DATABASE, None).await?;
        session.close().await;
        if tables {
            schema::create_tables(&server::url(port, Role::Owner, DATABASE)?).await?;
        }
        Ok(Self { server, port, _hold: hold })
    }

    /// How to log in to its database `app`.
    pub fn url(&self, role: Role) -> DatabaseUrl {
        server::url(self.port, role, DATABASE).expect("a URL of our own making is one")
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
        match self.server.start(Purpose::Tests, Some(self.port)).await {
            Ok(port) => assert_eq!(port, self.port, "somebody took the server's port in between"),
            Err(error) => panic!("{error}"),
        }
    }
}
