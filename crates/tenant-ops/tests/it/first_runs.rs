//! Many first runs at once: each finds the book-keeping installed, by itself or by another.

use std::sync::Arc;
use std::time::Duration;

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_ops::{Error, LeaseWatch, NewRun, Run, RunProcess};
use tenant_rls::{BatchOptions, BatchTx, Database, OwnerTx};
use tokio::runtime::Handle;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::{connect, installed, number, script};

/// So many begin at once.
const AT_ONCE: usize = 8;

/// How often, each time on a new database; by hand with more: `FIRST_RUN_ROUNDS=20`.
fn rounds() -> usize {
    tenancy_config::environment::text("FIRST_RUN_ROUNDS").unwrap().and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

fn new_run() -> NewRun {
    NewRun { job: "t".into(), table: "public.bookings".into(), on_conflict: "report", sources: vec!["s".into()] }
}

/// What a process does that begins a run or joins one.
async fn begin(database: &Database) -> Result<(), Error> {
    let tenancy = Tenancy::default();
    tenant_ops::install(database, &tenancy).await?;
    tenant_ops::grant(database, &tenancy).await?;
    let lease = LeaseWatch::new(new_run().resource()).try_acquire(database, "ada").await?;
    let run = Run::resume_or_open(database, &new_run(), "ada", &[]).await?;
    RunProcess::enter(database, run.id, "ada", 1).await?.heartbeat(database, None).await?;
    if let Some(lease) = lease {
        lease.heartbeat(database).await?;
        lease.release(database).await?;
    }
    Ok(())
}

/// What a dry run does, which makes it all and takes it back.
async fn try_dry(database: &Database) -> Result<(), Error> {
    let tenancy = Tenancy::default();
    let mut tx = BatchTx::begin(database, &tenancy, &BatchOptions::default()).await?;
    tenant_ops::install_in(tx.connection().await?, &tenancy).await?;
    Run::open_in(tx.connection().await?, &new_run()).await?;
    Ok(tx.rollback().await?)
}

/// A process of its own, but for the address space.
fn process(number: usize, database: Database, tries: bool) -> (usize, Result<(), Error>) {
    let done = async {
        match tries {
            true => try_dry(&database).await,
            false => begin(&database).await,
        }
    };
    let done = async { tokio::time::timeout(Duration::from_secs(120), done).await };
    (number, Handle::current().block_on(done).expect("none waits without an end"))
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_first_runs_at_once_all_begin() {
    let mut begun = 0;
    for round in 0..rounds() {
        let db = test_support::empty_database().await;
        // What a superuser makes first is a superuser's, and shuts the owner out.
        script(&db, Role::Superuser, "CREATE SCHEMA tenant_ops AUTHORIZATION app_owner").await;
        let mut processes = JoinSet::new();
        for number in 0..AT_ONCE {
            let role = if number % 4 == 3 { Role::Superuser } else { Role::Owner };
            let database = connect(&db, role).await;
            processes.spawn_blocking(move || process(number, database, number % 4 == 2));
        }
        for (number, done) in processes.join_all().await {
            assert!(done.is_ok(), "round {round}, process {number}: {}", done.unwrap_err());
            begun += 1;
        }
        assert_eq!(number(&db, "SELECT version::bigint FROM tenant_ops.installed").await, 10);
    }
    #[allow(clippy::print_stderr)] // how much this run proves
    {
        eprintln!("{begun} first runs began, {AT_ONCE} at once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn first_runs_at_once_make_the_schema_once() {
    for _ in 0..rounds() {
        let db = test_support::empty_database().await;
        let mut processes = JoinSet::new();
        for number in 0..AT_ONCE {
            let database = connect(&db, Role::Owner).await;
            processes.spawn_blocking(move || process(number, database, false));
        }
        for (_, done) in processes.join_all().await {
            assert!(done.is_ok(), "{}", done.unwrap_err());
        }
        assert_eq!(number(&db, "SELECT count(*) FROM tenant_ops.installed").await, 1);
    }
}

/// Makes every insert rest between its look for a conflict and its first key, so that all that come at once meet there.
const SLOW: &str = "CREATE FUNCTION public.slow(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(0.8); RETURN $1; END';
    ALTER TABLE tenant_ops.lease DROP CONSTRAINT lease_pkey, DROP CONSTRAINT lease_resource_fence_key;
    CREATE INDEX slow ON tenant_ops.lease (public.slow(resource));
    ALTER TABLE tenant_ops.lease ADD PRIMARY KEY (resource), ADD UNIQUE (resource, fence)";

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_nobody_ever_held_is_taken_by_one_of_many_at_once() {
    let db = installed().await;
    script(&db, Role::Owner, SLOW).await;
    let begin = Arc::new(Barrier::new(AT_ONCE));
    let mut processes = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (database, begin) = (connect(&db, Role::Owner).await, begin.clone());
        processes.spawn_blocking(move || {
            Handle::current().block_on(async {
                // Its connection is open before the race begins.
                OwnerTx::begin(&database, Duration::from_secs(5)).await.unwrap().rollback().await.unwrap();
                begin.wait().await;
                LeaseWatch::new("backfill of public.bookings").try_acquire(&database, "ada").await
            })
        });
    }
    let taken = processes.join_all().await;
    let taken = taken.into_iter().filter(|taken| taken.as_ref().unwrap_or_else(|error| panic!("{error}")).is_some());
    assert_eq!(taken.count(), 1);
}
