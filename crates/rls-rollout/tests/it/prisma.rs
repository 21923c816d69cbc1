//! The migration that a plan writes makes what the rollout makes.

use local_db::Role;
use rls_rollout::{PlanReport, plan};
use tenancy_config::Tenancy;
use tenant_inventory::Phase;
use tenant_rls::Sql;

use crate::support::{all_at, auto, catalog, clean, connect, roll, script, to};

async fn planned(db: &test_support::TestDb, options: &rls_rollout::RolloutOptions) -> PlanReport {
    let database = connect(db, Role::Owner).await;
    let report = plan(&database, &Tenancy::default(), options).await.unwrap();
    database.close().await;
    report
}

#[tokio::test]
async fn the_migration_makes_the_same_catalog_as_the_rollout() {
    let (rolled_out, migrated) = (clean().await, clean().await);
    // So that an index is among what is made.
    for db in [&rolled_out, &migrated] {
        script(&mut db.superuser().await, "DROP INDEX \"bookings_tenantId_idx\"").await;
    }
    let migration = planned(&rolled_out, &auto()).await.prisma_migration(None).unwrap();
    assert!(!migration.statements.contains(" INDEX CONCURRENTLY "), "{}", migration.statements);
    assert!(migration.statements.contains("CREATE INDEX \"bookings_tenantId_idx\""), "{}", migration.statements);
    assert!(all_at(&roll(&rolled_out, &auto()).await.unwrap(), Phase::Enforce));
    let mut owner = migrated.owner().await;
    owner.run_script("migrating", Sql::from_catalog(migration.statements)).await.unwrap();
    owner.close().await;
    assert_eq!(catalog(&migrated).await, catalog(&rolled_out).await);
    assert_eq!(planned(&rolled_out, &auto()).await.prisma_migration(None), None, "no step is left");
}

#[tokio::test]
async fn the_schema_says_what_the_phase_makes_of_each_table() {
    let db = clean().await;
    script(&mut db.superuser().await, "DROP INDEX \"bookings_tenantId_idx\"").await;
    let edit = |report: &PlanReport, name: &str| {
        let edit = report.schema_edits.iter().find(|edit| edit.table.to_string() == name).unwrap();
        (edit.required, edit.default.clone(), edit.indexes.clone())
    };
    let index = |name: &str| vec![format!("{name}_tenantId_idx")];
    let prepared = planned(&db, &to(Phase::Prepare)).await;
    assert_eq!(edit(&prepared, "public.bookings"), (false, None, index("bookings")));
    let enforced = planned(&db, &auto()).await;
    assert_eq!(edit(&enforced, "public.bookings"), (true, None, index("bookings")));
    assert_eq!(edit(&enforced, "public.audit_logs"), (false, None, index("audit_logs")), "its rows may have none");
    // Its unique key leads with the tenant column already.
    assert_eq!(edit(&enforced, "public.services"), (true, None, Vec::new()));
    assert!(all_at(&roll(&db, &auto()).await.unwrap(), Phase::Enforce));
    let afterwards = planned(&db, &auto()).await;
    assert_eq!(afterwards.schema_edits, enforced.schema_edits, "it must not depend on what is done already");
}
