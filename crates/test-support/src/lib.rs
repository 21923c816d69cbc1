//! A real PostgreSQL for tests: one server a test run, a template database a schema, a clone of it a test.
//!
//! ```no_run
//! # async fn test() {
//! let db = test_support::database().await;
//! let mut app = db.app_user().await;
//! # }
//! ```
//! The server is made by the first test that wants one, shared by every test binary of the run, and ended, with its files,
//! by a guardian process when the last of them is gone, however it went. A test needs no set-up, and none can see
//! what another does. `PG_BIN` and `PG_VERSION` choose the server programs, as for the developer's database.
//!
//! Functions of this crate panic where they cannot do what a test asks for, as an assertion would.

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
/// If there is no server to have, with the reason and a hint.
pub async fn database() -> TestDb {
    let made = async {
        let template =
            database::template("tables", schema::fingerprint(), async |_, owner| schema::create_tables(owner).await);
        TestDb::clone_of(Some(&template.await?)).await
    };
    or_panic(made.await)
}

/// A database with the demo data of a [`Seed`], planted once a run and copied.
///
/// # Panics
/// As [`database`].
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
/// As [`database`].
pub async fn empty_database() -> TestDb {
    or_panic(TestDb::clone_of(None).await)
}

/// A server that a test may kill and restart, with the tables of `sql/local-db/schema/`; of a major version, where one is named.
///
/// # Panics
/// As [`database`].
pub async fn throwaway_server(version: Option<u32>) -> TestServer {
    or_panic(TestServer::start(version, true).await)
}

/// As [`throwaway_server`], of a version that this machine may not have: the reason, where it neither has it nor can bring it.
///
/// # Errors
/// [`Error::NoPrograms`] alone.
///
/// # Panics
/// As [`database`], for every other reason.
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
    error.hint().unwrap_or_else(|| "the log of the server tells more, while the test runs".to_owned())
}
