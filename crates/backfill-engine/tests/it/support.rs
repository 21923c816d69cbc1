//! What the tests share: a database, its settings, and a backfill of its bookings.

use backfill_engine::throttle::ThrottleLimits;
use backfill_engine::{Backfill, BackfillEvent, BackfillOptions, BackfillPlan, BackfillReport, Error};
use local_db::{Planted, Role, Seed, demo};
use sqlx::postgres::PgRow;
use tenancy_config::Tenancy;
use tenant_inventory::Catalog;
use tenant_rls::{ConnectOptions, Database, DirectConnection};
use test_support::TestDb;
use tokio::sync::watch;

/// Enough that there is more than one batch, and each kind of row.
pub(crate) const SMALL: Seed = Seed { tenants: 5, bookings: 5_000, seed: 7 };

pub(crate) async fn planted(seed_: &Seed) -> (TestDb, Planted) {
    let db = test_support::database().await;
    let planted = demo::plant(&db.url(Role::Superuser), seed_, &mut |_| {}).await.unwrap();
    (db, planted)
}

pub(crate) async fn connect(db: &TestDb, role: Role) -> Database {
    Database::connect(&db.url(role), &ConnectOptions::default()).await.unwrap()
}

/// Backfills bookings as `role`, to the end.
pub(crate) async fn backfill(db: &TestDb, role: Role, options: &BackfillOptions) -> Result<BackfillReport, Error> {
    backfill_table(db, role, "bookings", &Tenancy::default(), options, &mut |_| {}).await
}

/// Backfills chat messages as `role`, to the end.
pub(crate) async fn backfill_chat(db: &TestDb, role: Role, options: &BackfillOptions) -> Result<BackfillReport, Error> {
    backfill_table(db, role, "chat_messages", &Tenancy::default(), options, &mut |_| {}).await
}

/// Rows by what decided, in order.
pub(crate) fn by_source(report: &BackfillReport) -> Vec<(&str, u64)> {
    report.assigned_by_source.iter().map(|source| (source.source.as_str(), source.rows)).collect()
}

pub(crate) async fn backfill_table(
    db: &TestDb,
    role: Role,
    table: &str,
    tenancy: &Tenancy,
    options: &BackfillOptions,
    progress: &mut (dyn FnMut(BackfillEvent) + Send),
) -> Result<BackfillReport, Error> {
    let database = connect(db, role).await;
    let catalog = Catalog::load(&database, tenancy).await?;
    let plan = BackfillPlan::new(&catalog, tenancy, table)?;
    let report = run(&database, tenancy, &plan, options, progress).await;
    database.close().await;
    report
}

pub(crate) async fn run(
    database: &Database,
    tenancy: &Tenancy,
    plan: &BackfillPlan,
    options: &BackfillOptions,
    progress: &mut (dyn FnMut(BackfillEvent) + Send),
) -> Result<BackfillReport, Error> {
    let (_go, stop) = watch::channel(false);
    Backfill { database, tenancy, plan, job: "test", holder: "a test", options }.run(stop, progress).await
}

/// One number.
pub(crate) async fn number(session: &mut DirectConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(session.connection()).await.unwrap()
}

pub(crate) async fn rows(session: &mut DirectConnection, sql: &'static str) -> Vec<PgRow> {
    sqlx::query(sql).fetch_all(session.connection()).await.unwrap()
}

pub(crate) async fn script(session: &mut DirectConnection, sql: &'static str) {
    session.run_script("preparing a test", sql).await.unwrap();
}

/// The default application, whose bookings may have these triggers.
pub(crate) fn allowing(triggers: &[&str]) -> Tenancy {
    let mut tenancy = Tenancy::default();
    tenancy.tables.get_mut("bookings").unwrap().allow_triggers = triggers.iter().map(|&name| name.to_owned()).collect();
    tenancy
}

/// All workers at once, whoever else is on the server: the other tests are.
pub(crate) fn fast() -> BackfillOptions {
    BackfillOptions {
        throttle: ThrottleLimits { full_speed: true, ..ThrottleLimits::default() },
        ..BackfillOptions::default()
    }
}
