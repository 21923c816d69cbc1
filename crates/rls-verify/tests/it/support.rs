//! What the tests share: clean databases, connections to them, and a rollout.

use local_db::Role;
use rls_rollout::{Error, RolloutOptions, RolloutReport, rollout};
use tenancy_config::Tenancy;
use tenant_rls::{ConnectOptions, Database, DirectConnection};
use test_support::TestDb;
use tokio::sync::watch;

pub(crate) async fn connect(db: &TestDb, role: Role) -> Database {
    Database::connect(&db.url(role), &ConnectOptions::default()).await.unwrap()
}

/// Two tenants with a few rows in each kind of table.
pub(crate) async fn clean() -> TestDb {
    let db = test_support::database().await;
    let mut superuser = DirectConnection::as_application(&db.url(Role::Superuser), "tests").await.unwrap();
    script(&mut superuser, include_str!("clean_rows.sql")).await;
    superuser.close().await;
    db
}

/// A rollout as far as the data allows.
pub(crate) async fn roll(db: &TestDb) -> Result<RolloutReport, Error> {
    roll_as(db, &Tenancy::default()).await
}

/// The same, with what this `tenancy.toml` declares.
pub(crate) async fn roll_as(db: &TestDb, tenancy: &Tenancy) -> Result<RolloutReport, Error> {
    let database = connect(db, Role::Owner).await;
    let (_go, stop) = watch::channel(false);
    let options = RolloutOptions::default();
    let report = rollout(&database, tenancy, &options, "a test", stop, &mut |_| ()).await;
    database.close().await;
    report
}

pub(crate) async fn script(session: &mut DirectConnection, sql: &'static str) {
    session.run_script("preparing a test", sql).await.unwrap();
}
