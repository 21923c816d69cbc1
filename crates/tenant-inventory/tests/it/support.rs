//! A connection to a test's database.

use local_db::Role;
use tenant_rls::{ConnectOptions, Database};
use test_support::TestDb;

/// A pool of one connection.
pub(crate) async fn connect(db: &TestDb, role: Role) -> Database {
    let options = ConnectOptions { max_connections: 1, ..ConnectOptions::default() };
    Database::connect(&db.url(role), &options).await.unwrap()
}
