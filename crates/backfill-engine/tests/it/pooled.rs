//! Behind a PgBouncer in transaction mode: the same result as without.

use backfill_engine::{BackfillOptions, BackfillPlan, BackfillReport};
use local_db::Role;
use tenancy_config::Tenancy;
use tenant_inventory::Catalog;
use tenant_rls::{ConnectOptions, Database, Pooler};
use test_support::{TestDb, TestPooler};

use crate::row_security::{BRIDGE, STRICT, protect};
use crate::support::{SMALL, planted, run};

/// Backfills bookings as the owner through a pooler, whose presence the URL tells or not.
async fn backfill_through(db: &TestDb, url_tells: bool) -> Option<BackfillReport> {
    let pooler = TestPooler::before(db, 6).await?;
    let url = if url_tells { pooler.url(Role::Owner) } else { pooler.silent_url(Role::Owner) };
    let database = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
    assert!(matches!(database.session().pooler, Pooler::Suspected(_)));
    let tenancy = Tenancy::default();
    let catalog = Catalog::load(&database, &tenancy).await.unwrap();
    let plan = BackfillPlan::new(&catalog, &tenancy, "bookings").unwrap();
    let report = run(&database, &tenancy, &plan, &BackfillOptions::default(), &mut |_| {}).await.unwrap();
    database.close().await;
    Some(report)
}

#[tokio::test]
async fn under_strict_force_the_maintenance_role_assigns_exactly_what_was_planted() {
    let (db, planted) = planted(&SMALL).await;
    protect(&db, STRICT, true).await;
    let Some(report) = backfill_through(&db, true).await else { return };
    assert_eq!(report.role, "tenant_maintenance");
    assert_eq!(report.assigned, planted.assignable());
    assert_eq!((report.conflicts, report.unresolved), (planted.conflicts, planted.unresolvable));
}

#[tokio::test]
async fn under_the_bridging_policy_too_where_the_url_does_not_tell_of_the_pooler() {
    let (db, planted) = planted(&SMALL).await;
    protect(&db, BRIDGE, true).await;
    let Some(report) = backfill_through(&db, false).await else { return };
    assert_eq!(report.assigned, planted.assignable());
    assert_eq!((report.conflicts, report.unresolved), (planted.conflicts, planted.unresolvable));
}
