//! The benchmark compares candidates that do the same work, and leaves nothing behind. Its figures are nobody's test.

use std::time::Duration;

use bench::{BackfillBench, Method, RlsBench, ScaleBench, SeedBench, SeedCandidate};
use local_db::Role;
use test_support::TestDb;
use tokio::sync::Mutex;

const SMALL: BackfillBench = BackfillBench { rows: 2_000, tenants: 5, slice: 100, load: None, profile: true };

/// Benchmarks of one server wait for each other, and not for long.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn databases_left(db: &TestDb) -> i64 {
    let mut session = db.superuser().await;
    let sql = "SELECT count(*) FROM pg_database WHERE datname LIKE 'bench\\_%'";
    sqlx::query_scalar(sql).fetch_one(session.connection()).await.expect("a superuser may count databases")
}

#[tokio::test]
async fn every_candidate_gives_a_booking_the_same_tenant_and_no_database_is_left() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let db = test_support::empty_database().await;
    let url = db.url(Role::Superuser);
    let mut steps = Vec::new();
    let report = bench::backfill(&url, &SMALL, &mut |step| steps.push(step.to_owned())).await.unwrap();

    assert!(report.candidates_agree(), "{report:#?}");
    assert_eq!(report.bookings, 2_000);
    assert_eq!(report.role, "tenant_maintenance");
    let order: Vec<_> = report.candidates.iter().map(|line| (line.candidate, line.workers)).collect();
    let job = |workers| (Method::Backfill, Some(workers));
    let others = [(Method::RowByRow, None), (Method::KeyOrder, None), (Method::OneUpdate, None)];
    assert_eq!(order, [&others[..], &[job(1), job(2), job(4)]].concat());
    for line in &report.candidates {
        let figures = &line.figures;
        assert!(figures.rows > 0 && figures.rows <= line.examined, "{line:#?}");
        assert!(figures.wal_bytes > 0 && figures.longest_locks_ms <= figures.longest_transaction_ms, "{line:#?}");
        assert!(figures.peak_memory_kib.is_some() || !cfg!(target_os = "linux"), "{line:#?}");
    }
    assert!(report.candidates.iter().any(|line| line.figures.longest_locks_ms > 0.0), "{report:#?}");
    assert!(report.candidates.iter().any(|line| !line.figures.waits.is_empty()), "{report:#?}");
    assert!(report.beside_load.is_empty(), "{report:#?}");
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

#[tokio::test]
async fn a_load_is_measured_before_and_beside_each_candidate() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let db = test_support::empty_database().await;
    let bench = BackfillBench { load: Some(Duration::from_millis(300)), profile: false, ..SMALL };
    let report = bench::backfill(&db.url(Role::Superuser), &bench, &mut |_| ()).await.unwrap();
    let order: Vec<_> = report.beside_load.iter().map(|line| (line.candidate, line.workers, line.full_speed)).collect();
    let job = |workers, full_speed| (Method::Backfill, Some(workers), full_speed);
    assert_eq!(order, [(Method::OneUpdate, None, false), job(1, true), job(2, true), job(2, false)]);
    for line in &report.beside_load {
        let stages: Vec<_> = line.stages.iter().map(|stage| stage.stage).collect();
        assert_eq!(stages, ["before", "during"]);
        assert!(line.stages.iter().all(|stage| stage.statements > 0 && stage.failed.is_empty()), "{line:#?}");
    }
    assert_eq!(report.goals.len(), if cfg!(target_os = "linux") { 6 } else { 5 }, "{:#?}", report.goals);
    assert!(report.candidates.iter().all(|line| line.figures.waits.is_empty()), "{report:#?}");
}

#[tokio::test]
async fn each_size_has_its_own_database_and_its_own_line() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let db = test_support::empty_database().await;
    let bench = ScaleBench { rows: vec![1_000, 3_000], tenants: 5, workers: 2, profile: false };
    let report = bench::scale(&db.url(Role::Superuser), &bench, &mut |_| ()).await.unwrap();
    let sizes: Vec<_> = report.points.iter().map(|point| point.bookings).collect();
    assert_eq!(sizes, [1_000, 3_000]);
    assert!(report.points[0].figures.rows < report.points[1].figures.rows, "{report:#?}");
    assert_eq!(report.points[0].times_per_row, 1.0);
    assert_eq!(databases_left(&db).await, 0);
}

#[tokio::test]
async fn every_way_to_seed_leaves_each_tenant_the_same_settings() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let db = test_support::empty_database().await;
    let url = db.url(Role::Superuser);
    let report = bench::seed(&url, &SeedBench { tenants: 60, few: 20 }, &mut |_| ()).await.unwrap();
    assert!(report.same_result, "{report:#?}");
    let order: Vec<_> = report.candidates.iter().map(|line| (line.candidate, line.tenants)).collect();
    assert_eq!(order, [(SeedCandidate::RoundTrips, 60), (SeedCandidate::OneConnection, 60), (SeedCandidate::Job, 60)]);
    let lines: Vec<u64> = report.memory.iter().map(|peak| peak.lines).collect();
    assert!(lines.is_empty() && !cfg!(target_os = "linux") || lines == [20, 60], "{lines:?}");
}

#[tokio::test]
async fn a_rollout_harms_no_statement_of_the_application() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let db = test_support::empty_database().await;
    let second = Duration::from_secs(1);
    let bench = RlsBench { rows: 2_000, tenants: 5, load: second, idle: second };
    let report = bench::rls(&db.url(Role::Superuser), &bench, &mut |_| ()).await.unwrap();
    assert!(report.is_unharmed(), "{report:#?}");
    let stages: Vec<_> = report.stages.iter().map(|stage| stage.stage).collect();
    assert_eq!(stages, ["before", "during", "after"]);
    assert!(
        report.stages.iter().all(|stage| stage.statements > 0 && stage.took.p50_ms <= stage.took.p99_ms),
        "{report:#?}"
    );
    assert!(report.waits > 0, "the idle reader was in nobody's way: {report:#?}");
    assert_eq!(report.many.rolled_out, 300);
    assert_eq!(databases_left(&db).await, 0);
}
