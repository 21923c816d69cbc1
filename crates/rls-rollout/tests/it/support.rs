//! What the tests share: rollouts to the end, and everything that the catalog says of the tables.

use local_db::Role;
use local_db::testing::{self, TestDb};
use rls_rollout::{
    Error, Goal, Patience, Phase, Progress, RollbackOptions, RollbackReport, RolloutOptions, RolloutReport,
    TableOutcome, rollback, rollout,
};
use sqlx::Row;
use tenant_rls::{ConnectOptions, Database, DirectConnection, Tenancy};
use tokio::sync::watch;

pub(crate) async fn connect(db: &TestDb, role: Role) -> Database {
    Database::connect(&db.url(role), &ConnectOptions::default()).await.unwrap()
}

/// Two tenants with a few rows in each kind of table.
pub(crate) async fn clean() -> TestDb {
    let db = testing::database().await;
    script(&mut db.superuser().await, include_str!("clean_rows.sql")).await;
    db
}

pub(crate) fn to(phase: Phase) -> RolloutOptions {
    RolloutOptions { goal: Goal::Phase(phase), ..RolloutOptions::default() }
}

pub(crate) fn auto() -> RolloutOptions {
    RolloutOptions::default()
}

pub(crate) async fn roll(db: &TestDb, options: &RolloutOptions) -> Result<RolloutReport, Error> {
    roll_with(db, &Tenancy::default(), options, &mut |_| ()).await
}

pub(crate) async fn roll_with(
    db: &TestDb,
    tenancy: &Tenancy,
    options: &RolloutOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<RolloutReport, Error> {
    let database = connect(db, Role::Owner).await;
    let (_go, stop) = watch::channel(false);
    let report = rollout(&database, tenancy, options, "a test", stop, progress).await;
    database.close().await;
    report
}

pub(crate) async fn back(db: &TestDb, to: Phase) -> Result<RollbackReport, Error> {
    let options = RollbackOptions { to, rollout: None, tables: Vec::new(), patience: Patience::default() };
    back_with(db, &options).await
}

pub(crate) async fn back_with(db: &TestDb, options: &RollbackOptions) -> Result<RollbackReport, Error> {
    let database = connect(db, Role::Owner).await;
    let (_go, stop) = watch::channel(false);
    let report = rollback(&database, &Tenancy::default(), options, "a test", stop, &mut |_| ()).await;
    database.close().await;
    report
}

/// Every definition of every table outside of `tenant_ops`, a line each: what a rollback must bring back. It is this test's own
/// query, and asks more than the rollout itself looks at.
pub(crate) async fn catalog(db: &TestDb) -> Vec<String> {
    let mut session = db.superuser().await;
    let rows = sqlx::query(include_str!("catalog.sql")).fetch_all(session.connection()).await.unwrap();
    session.close().await;
    rows.iter().map(|row| row.get(0)).collect()
}

pub(crate) async fn script(session: &mut DirectConnection, sql: &'static str) {
    session.run_script("preparing a test", sql).await.unwrap();
}

/// Whether every table is where it should be. One whose tenant column was NOT NULL all along, or whose rows may have none, needs no
/// bridge, and is ahead.
pub(crate) fn all_at(report: &RolloutReport, phase: Phase) -> bool {
    let ahead = ["organization_settings", "security_settings", "tenant_memberships", "audit_logs", "audit_events"];
    let may = |table: &TableOutcome| ahead.contains(&table.table.name().as_str()) && table.after > phase;
    report.tables.iter().all(|table| table.after == phase || may(table))
}
