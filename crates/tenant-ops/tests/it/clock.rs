//! The server's clock may be set an hour back or forward: whoever is alive keeps what they hold, and whoever is dead does not.

use std::time::{Duration, Instant};

use local_db::Role;
use tenant_ops::{Error, HEARTBEAT, LEASE_TTL, Lease, LeaseWatch, NewRun, Run, RunProcess, processes};
use tenant_rls::{Database, OwnerTx};
use test_support::TestDb;

use crate::support::{connect, installed, number, script};

const RESOURCE: &str = "backfill of public.bookings";

/// What the server wrote before its clock was set back, and before it was set forward.
const SHIFTS: [&str; 2] = [
    "UPDATE tenant_ops.lease SET acquired_at = acquired_at + interval '1 hour', heartbeat_at = heartbeat_at + interval '1 hour';
     UPDATE tenant_ops.run_process SET joined_at = joined_at + interval '1 hour', heartbeat_at = heartbeat_at + interval '1 hour'",
    "UPDATE tenant_ops.lease SET acquired_at = acquired_at - interval '1 hour', heartbeat_at = heartbeat_at - interval '1 hour';
     UPDATE tenant_ops.run_process SET joined_at = joined_at - interval '1 hour', heartbeat_at = heartbeat_at - interval '1 hour'",
];

async fn taken_by_ada(db: &TestDb) -> (Database, Lease) {
    let database = connect(db, Role::Owner).await;
    let lease = LeaseWatch::new(RESOURCE).try_acquire(&database, "ada").await.unwrap().unwrap();
    (database, lease)
}

/// Asks again and again, as a helper does that joined a run.
async fn helper(database: &Database) -> Lease {
    let mut watch = LeaseWatch::new(RESOURCE);
    loop {
        if let Some(lease) = watch.try_acquire(database, "grace").await.unwrap() {
            return lease;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn a_helper_follows_a_dead_holder_after_some_seconds_of_watching_whatever_the_clock_says() {
    for shift in SHIFTS {
        let db = installed().await;
        let (database, dead) = taken_by_ada(&db).await;
        script(&db, Role::Superuser, shift).await;
        let begun = Instant::now();
        let lease = tokio::time::timeout(LEASE_TTL * 2, helper(&database)).await.expect("the holder is dead");
        assert!(begun.elapsed() >= LEASE_TTL, "{:?}", begun.elapsed());
        assert_eq!(lease.fence, dead.fence + 1);
        assert!(matches!(dead.heartbeat(&database).await, Err(Error::LeaseLost { .. })));
        database.close().await;
    }
}

#[tokio::test]
async fn a_command_that_waits_in_line_follows_a_dead_holder_too() {
    for shift in SHIFTS {
        let db = installed().await;
        let (database, _) = taken_by_ada(&db).await;
        script(&db, Role::Superuser, shift).await;
        let (begun, mut told) = (Instant::now(), Vec::new());
        let mut waiting = |holder: &str| told.push(holder.to_owned());
        let lease = Lease::acquire(&database, RESOURCE, "grace", &mut waiting).await.unwrap();
        assert!(begun.elapsed() >= LEASE_TTL && begun.elapsed() < LEASE_TTL * 2, "{:?}", begun.elapsed());
        assert_eq!((lease.fence, told), (2, vec!["ada".to_owned()]));
        database.close().await;
    }
}

#[tokio::test]
async fn a_holder_that_is_alive_keeps_the_lease_whatever_the_clock_says() {
    for shift in SHIFTS {
        let db = installed().await;
        let (database, lease) = taken_by_ada(&db).await;
        let alive = lease.keep_alive(&database);
        script(&db, Role::Superuser, shift).await;
        let begun = Instant::now();
        let refused = Lease::acquire(&database, RESOURCE, "grace", &mut |_| {}).await.unwrap_err();
        assert!(matches!(&refused, Error::Held { holder, .. } if holder == "ada"), "{refused}");
        assert!(begun.elapsed() < LEASE_TTL, "{:?}", begun.elapsed());
        drop(alive);
    }
}

#[tokio::test]
async fn a_helper_never_takes_the_lease_of_a_holder_that_is_alive() {
    let db = installed().await;
    let (database, lease) = taken_by_ada(&db).await;
    let alive = lease.keep_alive(&database);
    let (begun, mut watch) = (Instant::now(), LeaseWatch::new(RESOURCE));
    while begun.elapsed() < LEASE_TTL + HEARTBEAT {
        assert!(watch.try_acquire(&database, "grace").await.unwrap().is_none());
        script(&db, Role::Superuser, SHIFTS[1]).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    drop(alive);
    lease.release(&database).await.unwrap();
    assert!(watch.try_acquire(&database, "grace").await.unwrap().is_some(), "what was given back is free at once");
}

async fn alive(database: &Database, run: &Run) -> Vec<(String, bool)> {
    let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await.unwrap();
    let processes = processes(tx.connection(), run.id).await.unwrap();
    tx.rollback().await.unwrap();
    processes.into_iter().map(|process| (process.holder, process.alive)).collect()
}

#[tokio::test]
async fn a_process_that_died_is_not_alive_for_an_hour_and_one_that_lives_is_with_its_next_heartbeat() {
    for shift in SHIFTS {
        let db = installed().await;
        let database = connect(&db, Role::Owner).await;
        let (table, sources) = ("public.bookings".into(), vec!["s".into()]);
        let new = NewRun { job: "t".into(), table, on_conflict: "report", sources };
        let run = Run::resume_or_open(&database, &new, "ada", &[]).await.unwrap();
        RunProcess::enter(&database, run.id, "ada", 1).await.unwrap();
        let grace = RunProcess::enter(&database, run.id, "grace", 1).await.unwrap();
        script(&db, Role::Superuser, shift).await;
        assert_eq!(alive(&database, &run).await, [("ada".to_owned(), false), ("grace".to_owned(), false)]);
        assert_eq!(run.progress(&database).await.unwrap().processes, 0);
        grace.heartbeat(&database, None).await.unwrap();
        assert_eq!(alive(&database, &run).await, [("ada".to_owned(), false), ("grace".to_owned(), true)]);
        assert_eq!(run.progress(&database).await.unwrap().processes, 1);
        // An hour's difference takes nobody out of the list.
        RunProcess::enter(&database, run.id, "joan", 1).await.unwrap();
        assert_eq!(number(&db, "SELECT count(*) FROM tenant_ops.run_process").await, 3);
        database.close().await;
    }
}
