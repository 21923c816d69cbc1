//! Rows with known faults, and an audit of them.

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_audit::{AuditOptions, AuditReport, Result, TableReport, UncountedTable, audit};
use tenant_rls::{ConnectOptions, Database};
use test_support::TestDb;

/// Two tenants, and bookings with each fault: 2 NULL, 1 empty, 1 ghost; 2 cross tenants by client, 2 by service.
pub(crate) async fn plant(db: &TestDb) {
    let script = include_str!("plant.sql");
    db.superuser().await.run_script("planting faults", script).await.unwrap();
}

pub(crate) async fn connect(db: &TestDb, role: Role) -> Database {
    Database::connect(&db.url(role), &ConnectOptions::default()).await.unwrap()
}

/// Audits these tables, or all, as the login of `role`.
pub(crate) async fn audit_as(db: &TestDb, role: Role, tenancy: &Tenancy, tables: &[&str]) -> Result<AuditReport> {
    let database = connect(db, role).await;
    let options = AuditOptions { tables: tables.iter().map(ToString::to_string).collect(), ..Default::default() };
    audit(&database, tenancy, &options, &mut |_| {}).await
}

pub(crate) async fn run(db: &TestDb, script: &'static str) {
    db.superuser().await.run_script("preparing the test", script).await.unwrap();
}

pub(crate) fn table<'a>(report: &'a AuditReport, name: &str) -> &'a TableReport {
    report.tables.iter().find(|table| table.table.to_string() == name).unwrap()
}

/// The table that could not be counted.
pub(crate) fn uncounted<'a>(report: &'a AuditReport, name: &str) -> &'a UncountedTable {
    report.uncounted.iter().find(|table| table.table.to_string() == name).unwrap()
}

/// The settings of a database in which no table but those that are found is meant to be.
pub(crate) fn no_expected_tables() -> Tenancy {
    Tenancy { tables: Default::default(), ..Tenancy::default() }
}
