//! A real PostgreSQL for tests. Each test run has one server, each schema a template database, and each test a clone of
//! it.
//!
//! ```no_run
//! # async fn test() {
//! let db = test_support::database().await;
//! let mut app = db.app_user().await;
//! # }
//! ```
//! The first test that needs the server starts it (`shared_server.rs`). Every test binary of the run shares it. When the
//! last of them is gone, however it ended, a guardian process ends the server and removes its files. A test needs no
//! set-up, and cannot see what another one does. `PG_BIN` and `PG_VERSION` choose the server programs, as for the
//! developer's database.
//!
//! Functions of this crate panic if they cannot do what a test asks for, as an assertion would.

mod database;
mod guardian;
mod own_server;
mod pooler;
mod proxy;
mod shared_server;

pub use database::TestDb;
pub use own_server::{Standby, TestServer};
pub use pooler::TestPooler;
pub use proxy::{Limit, Proxy};

use std::hash::{DefaultHasher, Hash, Hasher};

use local_db::demo::{self, Seed};
use local_db::{Error, Result, schema};
use tenancy_config::UserError;

/// A database with every table of `sql/local-db/schema/`, all empty.
///
/// # Panics
/// If there is no server; the message has the reason and a hint.
pub async fn database() -> TestDb {
    let made = async {
        let template =
            database::template("tables", schema::fingerprint(), async |_, owner| schema::create_tables(owner).await);
        TestDb::clone_of(Some(&template.await?)).await
    };
    or_panic(made.await)
}

/// A database with the demo data of a [`Seed`], which is planted once for each run and copied.
///
/// # Panics
/// If there is no server; the message has the reason and a hint.
pub async fn seeded(seed: Seed) -> TestDb {
    let made = async {
        let mut key = DefaultHasher::new();
        (schema::fingerprint(), seed).hash(&mut key);
        let template = database::template("seeded", key.finish(), async |superuser, owner| {
            schema::create_tables(owner).await?;
            demo::plant(superuser, &seed, &mut |_| ()).await?;
            Ok(())
        });
        TestDb::clone_of(Some(&template.await?)).await
    };
    or_panic(made.await)
}

/// A database without any table.
///
/// # Panics
/// If there is no server; the message has the reason and a hint.
pub async fn empty_database() -> TestDb {
    or_panic(TestDb::clone_of(None).await)
}

/// A server that a test may kill and restart, with the tables of `sql/local-db/schema/`, and of a given major version
/// if one is named.
///
/// # Panics
/// If there is no server; the message has the reason and a hint.
pub async fn throwaway_server(version: Option<u32>) -> TestServer {
    or_panic(TestServer::start(version, true).await)
}

/// A throwaway server of a version that this machine may not have.
///
/// # Errors
/// [`Error::NoPrograms`]: the machine does not have it and cannot install it. This is the only error.
///
/// # Panics
/// If there is no server for any other reason.
pub async fn server_of_version(version: u32) -> Result<TestServer> {
    match TestServer::start(Some(version), true).await {
        Err(error @ Error::NoPrograms { .. }) => Err(error),
        made => Ok(or_panic(made)),
    }
}

fn or_panic<T>(made: Result<T>) -> T {
    match made {
        Ok(made) => made,
        Err(error) => panic!("no database for this test: {error}\nhint: {}", hint(&error)),
    }
}

fn hint(error: &Error) -> String {
    error.hint().map_or("the log of the server tells more, while the test runs".to_owned(), |hint| hint.to_string())
}
