//! The whole way, and back.

use local_db::Role;
use rls_rollout::RolloutOptions;
use tenancy_config::Tenancy;
use tenant_audit::AuditOptions;
use tenant_inventory::Phase;

use crate::support::{all_at, auto, back, catalog, clean, connect, roll, script, to};

#[tokio::test]
async fn clean_tables_go_the_whole_way_and_a_second_run_has_nothing_to_do() {
    let db = clean().await;
    let first = roll(&db, &auto()).await.unwrap();
    assert!(first.is_complete(), "{first:#?}");
    assert!(all_at(&first, Phase::Enforce), "{first:#?}");
    let before = catalog(&db).await;
    let second = roll(&db, &auto()).await.unwrap();
    assert_eq!(second.tables.iter().map(|table| table.steps).sum::<usize>(), 0, "{second:#?}");
    assert_eq!(catalog(&db).await, before);
}

#[tokio::test]
async fn a_rollback_from_every_phase_leaves_no_trace() {
    let db = clean().await;
    let untouched = catalog(&db).await;
    for phase in Phase::ROLLED_OUT {
        let report = roll(&db, &to(phase)).await.unwrap();
        assert!(all_at(&report, phase), "{report:#?}");
        let undone = back(&db, Phase::None).await.unwrap();
        assert!(!undone.tables.is_empty());
        pretty_assertions(&untouched, &catalog(&db).await, phase);
    }
}

#[tokio::test]
async fn a_rollback_to_a_phase_brings_back_that_phase() {
    let db = clean().await;
    roll(&db, &to(Phase::Prepare)).await.unwrap();
    let prepared = catalog(&db).await;
    roll(&db, &to(Phase::Tighten)).await.unwrap();
    let tightened = catalog(&db).await;
    roll(&db, &auto()).await.unwrap();
    back(&db, Phase::Tighten).await.unwrap();
    pretty_assertions(&tightened, &catalog(&db).await, Phase::Tighten);
    back(&db, Phase::Prepare).await.unwrap();
    pretty_assertions(&prepared, &catalog(&db).await, Phase::Prepare);
}

#[tokio::test]
async fn rows_without_a_tenant_stop_their_table_and_no_other() {
    let db = clean().await;
    script(&mut db.superuser().await, "UPDATE bookings SET \"tenantId\" = NULL WHERE id = 'b_a'").await;
    let report = roll(&db, &auto()).await.unwrap();
    assert!(!report.is_complete());
    for table in &report.tables {
        if table.table.to_string() == "public.bookings" {
            assert_eq!(table.after, Phase::Prepare);
            assert_eq!(table.stopped_by, [rls_rollout::Stop::RowsWithoutTenant { rows: 1 }]);
        } else {
            assert_eq!(table.after, Phase::Enforce, "{table:?}");
        }
    }
}

#[tokio::test]
async fn where_only_some_tables_are_forced_an_audit_of_all_counts_every_row_as_the_auditor() {
    let db = clean().await;
    let untouched = catalog(&db).await;
    // Bookings refer to services, which are not rolled out; what refers to bookings is not either.
    let options = RolloutOptions { tables: vec!["bookings".to_owned()], ..auto() };
    assert!(all_at(&roll(&db, &options).await.unwrap(), Phase::Enforce));
    let database = connect(&db, Role::Owner).await;
    let tenancy = Tenancy::default();
    let audit = tenant_audit::audit(&database, &tenancy, &AuditOptions::default(), &mut |_| {}).await.unwrap();
    assert_eq!(
        audit.role.unwrap().to_string(),
        "tenant_auditor",
        "the owner sees no bookings, and the auditor all tables"
    );
    assert_eq!(audit.totals.rows, 8);
    let status = rls_rollout::status(&database, &tenancy, None).await.unwrap();
    assert_eq!(status.audited_as.as_deref(), Some("tenant_auditor"));
    database.close().await;
    back(&db, Phase::None).await.unwrap();
    pretty_assertions(&untouched, &catalog(&db).await, Phase::None);
}

/// Lines that one catalog has and the other has not.
fn pretty_assertions(wanted: &[String], found: &[String], phase: Phase) {
    let lost: Vec<_> = wanted.iter().filter(|line| !found.contains(line)).collect();
    let added: Vec<_> = found.iter().filter(|line| !wanted.contains(line)).collect();
    assert!(lost.is_empty() && added.is_empty(), "{phase}: lost {lost:#?}, added {added:#?}");
}

#[tokio::test]
async fn after_the_last_phase_an_audit_as_the_auditor_still_counts_every_row() {
    let db = clean().await;
    let report = roll(&db, &auto()).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "{report:#?}");
    let database = connect(&db, Role::Owner).await;
    let audit =
        tenant_audit::audit(&database, &Tenancy::default(), &AuditOptions::default(), &mut |_| {}).await.unwrap();
    assert_eq!(audit.role.unwrap().to_string(), "tenant_auditor", "the owner is filtered now");
    assert_eq!((audit.totals.rows, audit.totals.findings), (8, 0));
}
