//! What is done and told after the last row.

use backfill_engine::{Cleanup, Vacuum};
use local_db::Role;
use tenancy_config::TableName;

use crate::support::{SMALL, backfill, connect, fast, number, planted, script};

/// Rows that the planner expects for one tenant.
const EXPECTED: &str =
    r#"SELECT count(*) FROM pg_stats WHERE tablename = 'bookings' AND attname = 'tenantId' AND null_frac < 0.1"#;

async fn analyze(db: &test_support::TestDb, role: Role) -> Cleanup {
    let table = TableName::parse("bookings", "public").unwrap();
    Cleanup::analyze(&connect(db, role).await, &table).await.unwrap()
}

#[tokio::test]
async fn the_planner_knows_the_tenants_and_people_the_dead_rows() {
    let (db, _) = planted(&SMALL).await;
    script(&mut db.owner().await, "ALTER TABLE bookings SET (autovacuum_enabled = false); ANALYZE bookings").await;
    assert_eq!(number(&mut db.owner().await, EXPECTED).await, 0);
    let cleanup = backfill(&db, Role::Owner, &fast()).await.unwrap().cleanup.unwrap();
    assert_eq!(number(&mut db.owner().await, EXPECTED).await, 1);
    assert_eq!((cleanup.analyzed, cleanup.vacuum), (true, Vacuum::Off));
    // ANALYZE counts them in a sample; pages may have been pruned meanwhile, and the server's own counts come late.
    assert!(cleanup.dead_rows > 0 && cleanup.dead_bytes > 0, "{cleanup:?}");

    script(&mut db.owner().await, "ALTER TABLE bookings RESET (autovacuum_enabled)").await;
    script(&mut db.owner().await, "ALTER TABLE bookings SET (autovacuum_vacuum_threshold = 1000000)").await;
    assert_eq!(analyze(&db, Role::Owner).await.vacuum, Vacuum::TooFew);
}

#[tokio::test]
async fn a_login_that_may_not_analyze_says_who_may() {
    let (db, _) = planted(&SMALL).await;
    let before = number(&mut db.superuser().await, "SELECT count(*) FROM pg_stats WHERE tablename = 'bookings'").await;
    let cleanup = analyze(&db, Role::AppUser).await;
    assert!(!cleanup.analyzed);
    assert_eq!(cleanup.not_analyzed.unwrap(), "app_user does not own the table; its owner runs ANALYZE");
    let after = number(&mut db.superuser().await, "SELECT count(*) FROM pg_stats WHERE tablename = 'bookings'").await;
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_lock_that_is_not_to_be_had_is_said_and_fails_nothing() {
    let db = test_support::database().await;
    let mut holder = db.superuser().await;
    script(&mut holder, "BEGIN; LOCK TABLE bookings IN SHARE UPDATE EXCLUSIVE MODE").await;
    let cleanup = analyze(&db, Role::Owner).await;
    assert!(cleanup.not_analyzed.unwrap().contains("lock timeout"));
}
