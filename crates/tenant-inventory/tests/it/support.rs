//! A connection to a test's database.

use local_db::Role;
use local_db::testing::TestDb;
use tenant_rls::{ConnectOptions, Database};

/// A pool of one connection.
pub(crate) async fn connect(db: &TestDb, role: Role) -> Database {
    let options = ConnectOptions { max_connections: 1, ..ConnectOptions::default() };
    Database::connect(&db.url(role), &options).await.unwrap()
}
