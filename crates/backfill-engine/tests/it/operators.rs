//! Two operators, and neighbours that hold locks.

use backfill_engine::BackfillEvent;
use local_db::Role;
use tenancy_config::Tenancy;
use tenant_ops::{Lease, NewRun, Run, RunState};

use crate::support::{SMALL, backfill, backfill_table, connect, fast, planted, script};

#[tokio::test]
async fn the_second_operator_is_told_who_holds_the_lease() {
    let (db, _) = planted(&SMALL).await;
    let database = connect(&db, Role::Owner).await;
    tenant_ops::install(&database, &Tenancy::default()).await.unwrap();
    let lease = Lease::acquire(&database, "backfill of public.bookings", "ada on host one", &mut |_| {}).await.unwrap();
    let alive = tokio::spawn({
        let (database, lease) = (database.clone(), lease.clone());
        async move {
            loop {
                lease.heartbeat(&database).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
        }
    });
    let error = backfill(&db, Role::Owner, &fast()).await.unwrap_err();
    assert!(error.to_string().starts_with("ada on host one has been working on"), "{error}");
    alive.abort();
}

#[tokio::test]
async fn whoever_lost_the_lease_begins_no_pass_and_ends_no_run() {
    let (db, _) = planted(&SMALL).await;
    let (database, tenancy) = (connect(&db, Role::Owner).await, Tenancy::default());
    tenant_ops::install(&database, &tenancy).await.unwrap();
    let old = Lease::acquire(&database, "backfill of public.bookings", "the old one", &mut |_| {}).await.unwrap();
    let new_run =
        NewRun { job: "t".into(), table: "public.bookings".into(), on_conflict: "report", sources: vec!["s".into()] };
    let mut run = Run::resume_or_open(&database, &new_run, "the old one", &[]).await.unwrap();
    script(&mut db.superuser().await, "UPDATE tenant_ops.lease SET released_at = now()").await;
    let new = Lease::acquire(&database, "backfill of public.bookings", "the new one", &mut |_| {}).await.unwrap();
    assert!(new.fence > old.fence);
    assert!(old.heartbeat(&database).await.is_err());
    for refused in [run.next_pass(&database, &old, &[]).await, run.end(&database, &old, "the old one", true).await] {
        assert!(matches!(refused, Err(tenant_ops::Error::LeaseLost { .. })), "{refused:?}");
    }
    assert_eq!(run.progress(&database).await.unwrap().state, RunState::Running);
}

#[tokio::test]
async fn rows_that_a_neighbour_holds_are_left_and_taken_when_it_lets_go() {
    let (db, planted) = planted(&SMALL).await;
    let mut neighbour = db.owner().await;
    script(&mut neighbour, r#"BEGIN; SELECT FROM bookings WHERE "tenantId" IS NULL ORDER BY id LIMIT 50 FOR UPDATE"#)
        .await;
    let (next_pass, mut passed) = tokio::sync::mpsc::unbounded_channel();
    let release = tokio::spawn(async move {
        passed.recv().await;
        script(&mut neighbour, "COMMIT").await;
    });
    let mut progress = |event| {
        if let BackfillEvent::NextPass { assignable, .. } = event {
            let _ = next_pass.send(assignable);
        }
    };
    let (tenancy, options) = (Tenancy::default(), fast());
    let report = backfill_table(&db, Role::Owner, "bookings", &tenancy, &options, &mut progress).await.unwrap();
    release.await.unwrap();
    assert_eq!(report.assigned, planted.assignable());
    assert!(report.passes > 1, "the held rows needed another pass");
}
