//! The benchmark compares candidates that do the same work, and leaves nothing behind. Its figures are nobody's test.

use bench::{BackfillBench, Candidate};
use local_db::Role;
use local_db::testing::{self, TestDb};

const SMALL: BackfillBench = BackfillBench { rows: 2_000, tenants: 5, slice: 100 };

async fn databases_left(db: &TestDb) -> i64 {
    let mut session = db.superuser().await;
    let sql = "SELECT count(*) FROM pg_database WHERE datname LIKE 'bench\\_%'";
    sqlx::query_scalar(sql).fetch_one(session.connection()).await.expect("a superuser may count databases")
}

/// One test, as benchmarks of one server wait for each other.
#[tokio::test]
async fn every_candidate_gives_a_booking_the_same_tenant_and_no_database_is_left() {
    let db = testing::empty_database().await;
    let url = db.url(Role::Superuser);
    let mut steps = Vec::new();
    let report = bench::backfill(&url, &SMALL, &mut |step| steps.push(step.to_owned())).await.unwrap();

    assert!(report.candidates_agree(), "{report:#?}");
    assert_eq!(report.bookings, 2_000);
    assert_eq!(report.role, "tenant_maintenance");
    let order: Vec<_> = report.candidates.iter().map(|line| line.candidate).collect();
    assert_eq!(order, [Candidate::RowByRow, Candidate::OneUpdate, Candidate::Backfill]);
    assert!(report.candidates.iter().all(|line| line.rows > 0 && line.rows <= line.examined), "{report:#?}");
    assert!(steps.iter().any(|step| step == "one UPDATE"), "{steps:?}");
    assert_eq!(databases_left(&db).await, 0);

    // Dropped in the middle, as Ctrl-C does it.
    let (reached, arrived) = tokio::sync::oneshot::channel();
    let mut reached = Some(reached);
    let mut progress = |step: &str| {
        if step == "one UPDATE" {
            reached.take().map(|sender| sender.send(()));
        }
    };
    tokio::select! {
        _ = bench::backfill(&url, &SMALL, &mut progress) => panic!("it was to be stopped before its end"),
        _ = arrived => {}
    }
    assert!(databases_left(&db).await > 0);
    bench::remove(&url).await.unwrap();
    assert_eq!(databases_left(&db).await, 0);
}
