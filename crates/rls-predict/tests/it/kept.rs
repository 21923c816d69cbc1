//! A trial leaves nothing, however it ends, and holds nobody up for longer than it was told.

use std::process::{Command, Stdio};
use std::time::Duration;

use local_db::Role;
use rls_predict::{Error, PredictOptions, PredictWay, Source, predict, statements};
use rls_rollout::{LockRetry, RolloutOptions};
use sqlx::Row;
use tenancy_config::{DatabaseUrl, Tenancy};
use tenant_rls::{ConnectOptions, Database, Fault, fault_of};
use test_support::{Limit, Proxy, TestDb};

use crate::support::{connect, fixture, options, predicted, run};

const STATEMENT: &str = "SELECT * FROM people WHERE lower(email) = $1";

/// What tells the child where to predict.
const URL: &str = "PREDICTION_THAT_IS_KILLED";

/// Every definition of every table, a line each.
async fn catalog(db: &TestDb) -> Vec<String> {
    let mut superuser = db.superuser().await;
    let rows = sqlx::query(include_str!("../../../rls-rollout/tests/it/catalog.sql"))
        .fetch_all(superuser.connection())
        .await
        .unwrap();
    superuser.close().await;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Returns when no session of another login than the superuser's has a transaction.
async fn until_alone(db: &TestDb) {
    let mut superuser = db.superuser().await;
    let open = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
    loop {
        let open: i64 = sqlx::query_scalar(open).fetch_one(superuser.connection()).await.unwrap();
        if open == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    superuser.close().await;
}

#[tokio::test]
async fn neither_way_leaves_anything_in_the_database() {
    let db = fixture().await;
    let before = catalog(&db).await;
    assert!(before.len() > 300, "{} lines", before.len());
    for way in [PredictWay::Catalog, PredictWay::Trial] {
        let report = predicted(&db, way, STATEMENT).await;
        assert_eq!(report.predictions.len(), 1, "{report:#?}");
        assert_eq!(catalog(&db).await, before, "{way:?}");
    }
}

#[tokio::test]
#[ignore = "the process that the test below kills"]
async fn the_one_that_is_killed() {
    let Some(url) = tenancy_config::environment::text(URL).unwrap() else { return };
    let url = DatabaseUrl::parse(&url).unwrap();
    let database = Database::connect(&url, &ConnectOptions::default()).await.unwrap();
    let source = Source::Given(statements(STATEMENT).unwrap());
    predict(&database, &database, &Tenancy::default(), source, &options(PredictWay::Trial)).await.unwrap();
}

#[tokio::test]
async fn a_trial_that_is_killed_anywhere_leaves_nothing_either() {
    let db = fixture().await;
    let before = catalog(&db).await;
    let started = |proxy: &Proxy| {
        let through = proxy.through(&db.url(Role::Owner));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "kept::the_one_that_is_killed", "--ignored", "--quiet"]).env(URL, through);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let endless = Proxy::before(db.url(Role::Owner).port(), Limit { statement: usize::MAX, passes: false });
    assert!(started(&endless).wait().unwrap().success());
    let statements = endless.statements();
    assert!(statements > 60, "only {statements} statements came through the proxy");
    let mut killed = 0;
    for moment in (1..2 * statements).step_by(2 * statements / 12) {
        let limit = Limit { statement: moment / 2 + 1, passes: moment % 2 == 1 };
        let proxy = Proxy::before(db.url(Role::Owner).port(), limit);
        let mut child = started(&proxy);
        loop {
            if proxy.is_reached() {
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
                break;
            }
            if child.try_wait().unwrap().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        until_alone(&db).await;
        assert_eq!(catalog(&db).await, before, "killed at {limit:?} of {statements}");
    }
    assert!(killed > 8, "{killed} were killed");
}

#[tokio::test]
async fn a_trial_that_cannot_lock_gives_up_in_time_and_names_the_lock_while_the_catalog_needs_none() {
    let db = fixture().await;
    let mut reader = db.app_user().await;
    run(&mut reader, "BEGIN; SELECT FROM people LIMIT 1").await;
    let report = predicted(&db, PredictWay::Catalog, STATEMENT).await;
    assert_eq!(report.predictions.len(), 1, "{report:#?}");
    let (owner, app) = (connect(&db, Role::Owner).await, connect(&db, Role::AppUser).await);
    let lock_retry = LockRetry { lock_timeout: Duration::from_millis(50), attempts: 2 };
    let options = PredictOptions {
        rollout: RolloutOptions { lock_retry, ..RolloutOptions::default() },
        ..options(PredictWay::Trial)
    };
    let source = || Source::Given(statements(STATEMENT).unwrap());
    let failed = predict(&owner, &app, &Tenancy::default(), source(), &options).await.unwrap_err();
    let Error::Database(error) = &failed else { panic!("{failed}") };
    assert_eq!(fault_of(error), Fault::Contention, "{failed}");
    run(&mut reader, "ROLLBACK").await;
    reader.close().await;
    predict(&owner, &app, &Tenancy::default(), source(), &options).await.unwrap();
}
