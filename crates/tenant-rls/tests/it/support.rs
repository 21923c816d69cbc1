//! A small database with two tenants under a strict policy and FORCE.

use std::time::Duration;

use local_db::Role;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Access, ConnectOptions, Database, OwnerTx, Registry, TenantId};
use test_support::TestDb;

const VARIABLE: &str = "SELECT coalesce(current_setting('app.current_tenant_id', true), '')";

/// Two tenants with two notes each.
pub(crate) async fn notes() -> TestDb {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    owner.run_script("preparing a test", include_str!("notes.sql")).await.unwrap();
    db
}

/// A pool of this many connections. With one, the next user gets the same session.
pub(crate) async fn connect(db: &TestDb, role: Role, max_connections: u32) -> Database {
    let options = ConnectOptions { max_connections, ..ConnectOptions::default() };
    Database::connect(&db.url(role), &options).await.unwrap()
}

pub(crate) fn access(table: &str, columns: &[&str]) -> Access {
    let read = columns.iter().map(|column| Ident::new(*column).unwrap()).collect();
    Access { table: TableName::parse(table, "public").unwrap(), read, write: None }
}

/// The id of a tenant, from the tenant table, as every caller gets it.
pub(crate) async fn tenant(database: &Database, name: &str) -> TenantId {
    let mut tenants = Registry::open(database, &Tenancy::default()).await.unwrap();
    let found = tenants.find(name).await.unwrap();
    tenants.close().await.unwrap();
    found.id
}

/// The value of the session variable that the next user of the only connection finds.
pub(crate) async fn left_behind(database: &Database) -> String {
    let mut tx = OwnerTx::begin(database, Duration::from_secs(1)).await.unwrap();
    let left = sqlx::query_scalar(VARIABLE).fetch_one(tx.connection()).await.unwrap();
    tx.rollback().await.unwrap();
    left
}
