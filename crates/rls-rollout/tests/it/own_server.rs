//! What needs a server that the test has to itself: one that ends in the middle, one that vacuums, one with a standby.

use std::time::Duration;

use local_db::Role;
use rls_rollout::{Check, CheckResult, Error, RolloutEvent, RolloutOptions, RolloutReport, rollout};
use sqlx::Row;
use tenancy_config::UserError;
use tenancy_config::{Exit, Tenancy};
use tenant_inventory::Phase;
use tenant_rls::DirectConnection;
use test_support::TestServer;
use tokio::sync::{oneshot, watch};

use crate::support::{
    Logins, all_at, as_superuser, auto, back, bury, catalog, clean_server, connect, roll, roll_with, script, session,
    to,
};

fn expenses(phase: Phase) -> RolloutOptions {
    RolloutOptions { tables: vec!["expenses".to_owned()], ..to(phase) }
}

const WAITS: &str = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'expenses'::regclass AND NOT granted)";

/// Runs until, from this step on, a statement waits for a reader, and ends the server there as a power failure would.
async fn cut_off(server: &TestServer, name: &str) -> Error {
    let database = connect(server, Role::Owner).await;
    let mut reader = server.connect(Role::AppUser).await;
    let (reached, arrived) = oneshot::channel();
    let mut reached = Some(reached);
    let mut progress = |event| {
        if let RolloutEvent::Step { step, .. } = event
            && step == name
            && let Some(reached) = reached.take()
        {
            let read = script(&mut reader, "BEGIN; LOCK TABLE expenses IN ACCESS SHARE MODE");
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(read));
            let _ = reached.send(());
        }
    };
    let (_go, stop) = watch::channel(false);
    let (tenancy, options) = (Tenancy::default(), expenses(Phase::Enforce));
    let run = rollout(&database, &tenancy, &options, "the one that is cut off", stop, &mut progress);
    let crash = async {
        arrived.await.unwrap();
        until(&mut server.connect(Role::Superuser).await, WAITS).await;
        server.crash().await;
        server.start_again().await;
    };
    tokio::join!(run, crash).0.unwrap_err()
}

/// Waits until the answer is yes.
async fn until(observer: &mut DirectConnection, question: &'static str) {
    for _ in 0..6000 {
        if sqlx::query_scalar(question).fetch_one(observer.connection()).await.unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within a minute: {question}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_server_stops_in_the_middle_it_says_how_to_go_on_and_the_next_run_ends_the_same() {
    let server = clean_server().await;
    // Else it may forget what it said was committed.
    as_superuser(&server, "ALTER SYSTEM SET synchronous_commit = on").await;
    as_superuser(&server, "SELECT pg_reload_conf()").await;
    let untouched = catalog(&server).await;
    roll(&server, &expenses(Phase::Enforce)).await.unwrap();
    let wanted = catalog(&server).await;
    back(&server, Phase::None).await.unwrap();
    let steps = [
        "index the tenant column",
        "give it policies and switch row level security on",
        "prove that no row is without a tenant",
        "hold the owner to the policy",
    ];
    for step in steps {
        let error = cut_off(&server, step).await;
        assert!(error.hint().is_some_and(|hint| hint.contains("run the same command again")), "{step}: {error}");
        assert_eq!(error.exit(), Exit::Failed);
        bury(&server).await;
        roll(&server, &expenses(Phase::Enforce)).await.unwrap_or_else(|error| panic!("after {step}: {error}"));
        assert_eq!(catalog(&server).await, wanted, "cut off at: {step}");
        back(&server, Phase::None).await.unwrap();
        assert_eq!(catalog(&server).await, untouched, "cut off at: {step}, and taken back");
    }
}

/// An autovacuum of one table that lasts for as long as nobody wants it to end.
const VACUUM: [&str; 3] = [
    "ALTER SYSTEM SET autovacuum_naptime = '1s'",
    "SELECT pg_reload_conf()",
    r#"INSERT INTO expenses (id, "userId", "amountCents", "tenantId") SELECT 'e' || n, 'u_a', n, 't_a' FROM generate_series(1, 20000) AS n;
       ALTER TABLE expenses SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
                                 autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
       UPDATE expenses SET "amountCents" = 0"#,
];

const VACUUMS: &str = "SELECT EXISTS (SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
                                      WHERE a.backend_type = 'autovacuum worker' AND l.relation = 'expenses'::regclass AND l.granted)";

#[tokio::test]
async fn an_autovacuum_in_the_way_is_named_and_outwaited_once_a_step() {
    let server = clean_server().await;
    roll(&server, &expenses(Phase::Prepare)).await.unwrap();
    let mut superuser = server.connect(Role::Superuser).await;
    for sql in VACUUM {
        script(&mut superuser, sql).await;
    }
    // The statistics that call the autovacuum are told when a session ends.
    superuser.close().await;
    until(&mut server.connect(Role::Superuser).await, VACUUMS).await;
    let mut waits = Vec::new();
    let mut progress = |event| {
        if let RolloutEvent::Waiting { step, blockers, lock_timeout, .. } = event {
            waits.push((step, blockers.iter().any(|blocker| blocker.autovacuum), lock_timeout));
        }
    };
    let report = roll_with(&server, &Tenancy::default(), &expenses(Phase::Enforce), &mut progress).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "{report:#?}");
    let outwaited: Vec<_> = waits.iter().filter(|(_, autovacuum, _)| *autovacuum).collect();
    assert!(!outwaited.is_empty(), "it was in nobody's way: {waits:?}");
    let long: Vec<&str> =
        waits.iter().filter(|wait| wait.2 == Duration::from_millis(1500)).map(|wait| wait.0).collect();
    assert!(waits.iter().all(|wait| [500, 1500].map(Duration::from_millis).contains(&wait.2)), "{waits:?}");
    assert!(!long.is_empty() && long.windows(2).all(|steps| steps[0] != steps[1]), "once a step: {waits:?}");
}

#[tokio::test]
async fn a_standby_gets_the_same_definitions_and_the_preflight_names_it_with_how_far_it_is_behind() {
    let server = clean_server().await;
    let standby = server.standby().await;
    as_superuser(&server, "GRANT pg_monitor TO app_owner").await;
    caught_up(&server, &standby).await;
    as_superuser(&server, "SELECT pg_create_physical_replication_slot('left_behind', true)").await;
    // It is behind until it is let go on.
    as_superuser(&standby, "SELECT pg_wal_replay_pause()").await;
    as_superuser(&server, "UPDATE services SET description = repeat('x', 100000)").await;
    let report = roll(&server, &auto()).await.unwrap();
    assert!(all_at(&report, Phase::Enforce), "{report:#?}");
    let behind = check(&report, "standbys");
    assert_eq!(behind.verdict(), CheckResult::Warning);
    let Check::Standbys { standbys, readable: true } = behind else { panic!("{behind:?}") };
    assert!(standbys[0].behind_kb > Some(0), "{behind:?}");
    assert!(behind.says().contains("standby, ") && behind.says().contains(" kB behind"), "{behind}");
    let slots = check(&report, "replication slots");
    assert!(slots.says().contains("left_behind, ") && slots.says().ends_with(" kB"), "{slots}");
    let enforced = catalog(&server).await;
    assert_ne!(catalog(&standby).await, enforced, "it was paused");
    as_superuser(&standby, "SELECT pg_wal_replay_resume()").await;
    caught_up(&server, &standby).await;
    assert_eq!(catalog(&standby).await, enforced);
    let refused = roll(&standby, &auto()).await.unwrap_err();
    assert!(matches!(refused, Error::Standby), "{refused}");
}

fn check<'a>(report: &'a RolloutReport, name: &str) -> &'a Check {
    report.preflight.iter().find(|check| check.name() == name).unwrap()
}

/// Waits until the standby has what the primary has now.
async fn caught_up(primary: &TestServer, standby: &impl Logins) {
    let mut session = session(primary, Role::Superuser).await;
    let row = sqlx::query("SELECT pg_current_wal_insert_lsn()::text").fetch_one(session.connection()).await.unwrap();
    let position: String = row.get(0);
    let mut standby = crate::support::session(standby, Role::Superuser).await;
    for _ in 0..6000 {
        let there =
            sqlx::query_scalar("SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false)").bind(&position);
        if there.fetch_one(standby.connection()).await.unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the standby did not catch up within a minute");
}
