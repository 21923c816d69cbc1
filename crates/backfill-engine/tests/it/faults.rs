//! Lost connections, and a worker that is held back.

use backfill_engine::{Options, Progress};
use local_db::Role;
use tenant_rls::Tenancy;

use crate::support::{SMALL, backfill_table, number, planted, script};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_connections_are_cut_goes_on_by_itself() {
    let (db, planted) = planted(&SMALL).await;
    let superuser = db.url(Role::Superuser);
    let mut cuts = 0;
    let mut cut = move |event: Progress| {
        if !matches!(event, Progress::Batch { .. }) || cuts == 3 {
            return;
        }
        cuts += 1;
        let superuser = superuser.clone();
        // From a callback, so that it falls between two batches: the pool hands out a dead connection.
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async move {
                let mut session = tenant_rls::DirectConnection::connect(&superuser, "cutter").await.unwrap();
                let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE usename = 'app_owner' AND datname = current_database()";
                sqlx::query(all).execute(session.connection()).await.unwrap();
            });
        });
    };
    let options = Options { batch_time: std::time::Duration::from_millis(1), ..Options::default() };
    let report = backfill_table(&db, Role::Owner, "bookings", &Tenancy::default(), &options, &mut cut).await.unwrap();
    assert_eq!(report.assigned, planted.assignable());
}

/// Waits, for one row, until nobody holds the advisory lock 7.
const HOLD_THE_FIRST_ROW: &str = r#"
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END $$;
    DO $do$ BEGIN EXECUTE format('CREATE TRIGGER hold BEFORE UPDATE ON bookings FOR EACH ROW WHEN (OLD.id = %L) EXECUTE FUNCTION hold()',
        (SELECT id FROM bookings WHERE "tenantId" IS NULL AND "serviceRequestId" IS NULL ORDER BY ctid LIMIT 1)); END $do$"#;

#[tokio::test]
async fn no_checkpoint_passes_a_range_that_another_worker_has_not_finished() {
    let (db, planted) = planted(&SMALL).await;
    script(&mut db.owner().await, HOLD_THE_FIRST_ROW).await;
    let mut gate = db.superuser().await;
    script(&mut gate, "SELECT pg_advisory_lock(7)").await;
    let (ahead, mut others_are_ahead) = tokio::sync::mpsc::unbounded_channel();
    let mut progress = |event| {
        if let Progress::Batch { assigned, .. } = event {
            let _ = ahead.send(assigned);
        }
    };
    let watch = async {
        while others_are_ahead.recv().await.unwrap() < 1_000 {}
        let moved = "SELECT count(*) FROM tenant_ops.run WHERE next_tid > '(0,0)'";
        let moved = number(&mut db.superuser().await, moved).await;
        script(&mut gate, "SELECT pg_advisory_unlock(7)").await;
        moved
    };
    let options = Options { batch_time: std::time::Duration::from_millis(1), ..Options::default() };
    let tenancy = Tenancy::default();
    let run = backfill_table(&db, Role::Owner, "bookings", &tenancy, &options, &mut progress);
    let (report, moved) = tokio::join!(run, watch);
    assert_eq!(moved, 0, "the first range was still held");
    assert_eq!(report.unwrap().assigned, planted.assignable());
}
