//! What the tests share: rollouts to the end, and everything that the catalog says of the tables.

use local_db::Role;
use rls_rollout::{
    Error, Goal, RollbackOptions, RollbackReport, RolloutEvent, RolloutOptions, RolloutReport, TableOutcome, rollback,
    rollout,
};
use sqlx::Row;
use tenancy_config::{DatabaseUrl, Tenancy};
use tenant_inventory::Phase;
use tenant_rls::{ConnectOptions, Database, DirectConnection};
use test_support::{Standby, TestDb, TestServer};
use tokio::sync::watch;

/// Whatever one can log in to: a database of the shared server, a server of the test's own, or its standby.
pub(crate) trait Logins {
    fn login(&self, role: Role) -> DatabaseUrl;
}

impl Logins for TestDb {
    fn login(&self, role: Role) -> DatabaseUrl {
        self.url(role)
    }
}

impl Logins for TestServer {
    fn login(&self, role: Role) -> DatabaseUrl {
        self.url(role)
    }
}

impl Logins for Standby {
    fn login(&self, role: Role) -> DatabaseUrl {
        self.url(role)
    }
}

pub(crate) async fn connect(db: &impl Logins, role: Role) -> Database {
    Database::connect(&db.login(role), &ConnectOptions::default()).await.unwrap()
}

pub(crate) async fn session(db: &impl Logins, role: Role) -> DirectConnection {
    DirectConnection::as_application(&db.login(role), "tests").await.unwrap()
}

/// Two tenants with a few rows in each kind of table.
pub(crate) async fn clean() -> TestDb {
    let db = test_support::database().await;
    plant(&db).await;
    db
}

/// The same on a server that a test has to itself.
pub(crate) async fn clean_server() -> TestServer {
    let server = test_support::throwaway_server(None).await;
    plant(&server).await;
    server
}

pub(crate) async fn plant(db: &impl Logins) {
    as_superuser(db, include_str!("clean_rows.sql")).await;
}

pub(crate) async fn as_superuser(db: &impl Logins, sql: &'static str) {
    let mut superuser = session(db, Role::Superuser).await;
    script(&mut superuser, sql).await;
    superuser.close().await;
}

/// Ends the lease of a run that died; by itself it would after ten seconds.
pub(crate) async fn bury(db: &impl Logins) {
    let expire = "DO $$ BEGIN IF to_regclass('tenant_ops.lease') IS NOT NULL THEN
                  UPDATE tenant_ops.lease SET released_at = now(); END IF; END $$";
    as_superuser(db, expire).await;
}

pub(crate) fn to(phase: Phase) -> RolloutOptions {
    RolloutOptions { goal: Goal::Phase(phase), ..RolloutOptions::default() }
}

pub(crate) fn auto() -> RolloutOptions {
    RolloutOptions::default()
}

pub(crate) async fn roll(db: &impl Logins, options: &RolloutOptions) -> Result<RolloutReport, Error> {
    roll_with(db, &Tenancy::default(), options, &mut |_| ()).await
}

pub(crate) async fn roll_with(
    db: &impl Logins,
    tenancy: &Tenancy,
    options: &RolloutOptions,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<RolloutReport, Error> {
    let database = connect(db, Role::Owner).await;
    let (_go, stop) = watch::channel(false);
    let report = rollout(&database, tenancy, options, "a test", stop, progress).await;
    database.close().await;
    report
}

pub(crate) async fn back(db: &impl Logins, to: Phase) -> Result<RollbackReport, Error> {
    back_with(db, &RollbackOptions { to, ..all_the_way_back() }).await
}

pub(crate) fn all_the_way_back() -> RollbackOptions {
    RollbackOptions::default()
}

pub(crate) async fn back_with(db: &impl Logins, options: &RollbackOptions) -> Result<RollbackReport, Error> {
    let database = connect(db, Role::Owner).await;
    let (_go, stop) = watch::channel(false);
    let report = rollback(&database, &Tenancy::default(), options, "a test", stop, &mut |_| ()).await;
    database.close().await;
    report
}

/// Every definition of every table outside of `tenant_ops`, a line each: what a rollback must bring back. It is this test's own
/// query, and asks more than the rollout itself looks at.
pub(crate) async fn catalog(db: &impl Logins) -> Vec<String> {
    let mut session = session(db, Role::Superuser).await;
    let rows = sqlx::query(include_str!("catalog.sql")).fetch_all(session.connection()).await.unwrap();
    session.close().await;
    rows.iter().map(|row| row.get(0)).collect()
}

pub(crate) async fn script(session: &mut DirectConnection, sql: &'static str) {
    session.run_script("preparing a test", sql).await.unwrap();
}

/// Whether every table is where it should be. One whose rows may have no tenant needs no bridge, and is ahead.
pub(crate) fn all_at(report: &RolloutReport, phase: Phase) -> bool {
    let ahead = ["audit_logs", "audit_events"];
    let may = |table: &TableOutcome| ahead.contains(&table.table.name().as_str()) && table.after > phase;
    report.tables.iter().all(|table| table.after == phase || may(table))
}

/// A database with these tables alone.
pub(crate) async fn small(made: &str) -> TestDb {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    owner.run_script("preparing a test", tenant_rls::Sql::from_catalog(made.to_owned())).await.unwrap();
    owner.close().await;
    db
}

/// A tenancy whose tables are only these.
pub(crate) fn tables_of(tables: &str) -> Tenancy {
    let text = format!("[tenant]\ntable = \"Tenant\"\n[tables]\n{tables}");
    Tenancy::from_toml(&text, std::path::Path::new("tenancy.toml")).unwrap()
}

/// How far a rollout took a table.
pub(crate) fn after(report: &RolloutReport, table: &str) -> Phase {
    let found = report.tables.iter().find(|found| found.table.name().as_str() == table);
    found.unwrap_or_else(|| panic!("{table} in {report:#?}")).after
}

/// The number that a query gives the application in a tenant's scope; none is the empty string.
pub(crate) async fn as_tenant(db: &impl Logins, tenant: &str, sql: &'static str) -> i64 {
    let mut app = session(db, Role::AppUser).await;
    let scope = "SELECT set_config('app.current_tenant_id', $1, false)";
    sqlx::query(scope).bind(tenant).execute(app.connection()).await.unwrap();
    let number = sqlx::query_scalar(sql).fetch_one(app.connection()).await.unwrap();
    app.close().await;
    number
}
