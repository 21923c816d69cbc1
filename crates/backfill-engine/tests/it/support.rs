//! What the tests share: a database, its settings, and a backfill of its bookings.

use backfill_engine::{Backfill, BackfillReport, Error, Options, Plan, Progress};
use local_db::testing::{self, TestDb};
use local_db::{Planted, Role, Seed, seed};
use sqlx::postgres::PgRow;
use tenant_rls::{Catalog, ConnectOptions, Database, DirectConnection, Tenancy};
use tokio::sync::watch;

/// Enough that there is more than one batch, and each kind of row.
pub(crate) const SMALL: Seed = Seed { tenants: 5, bookings: 5_000, seed: 7 };

pub(crate) async fn planted(seed_: &Seed) -> (TestDb, Planted) {
    let db = testing::database().await;
    let planted = seed::plant(&db.url(Role::Superuser), seed_, &mut |_| {}).await.unwrap();
    (db, planted)
}

pub(crate) async fn connect(db: &TestDb, role: Role) -> Database {
    Database::connect(&db.url(role), &ConnectOptions::default()).await.unwrap()
}

/// Backfills bookings as `role`, to the end.
pub(crate) async fn backfill(db: &TestDb, role: Role, options: &Options) -> Result<BackfillReport, Error> {
    backfill_table(db, role, "bookings", &Tenancy::default(), options, &mut |_| {}).await
}

pub(crate) async fn backfill_table(
    db: &TestDb,
    role: Role,
    table: &str,
    tenancy: &Tenancy,
    options: &Options,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<BackfillReport, Error> {
    let database = connect(db, role).await;
    let catalog = Catalog::load(&database, tenancy).await?;
    let plan = Plan::new(&catalog, tenancy, table)?;
    let (_go, stop) = watch::channel(false);
    let backfill = Backfill { database: &database, tenancy, plan: &plan, job: "test", holder: "a test", options };
    let report = backfill.run(stop, progress).await;
    database.close().await;
    report
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
