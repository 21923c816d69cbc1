//! `bench rls`: a rollout beside the load of an application, and over many tables.

use std::time::{Duration, Instant};

use local_db::Role;
use rls_rollout::{RolloutEvent, RolloutOptions, RolloutReport, plan, rollout, status};
use tenancy_config::{DatabaseUrl, Tenancy};
use tenant_rls::{ConnectOptions, Database, DirectConnection};
use tokio::sync::{Notify, watch};

use crate::databases::{Databases, server_facts};
use crate::error::Result;
use crate::load::{CONNECTIONS, Load, LoadWork, Stage};
use crate::many::make_tables;
use crate::report::{ManyTables, RlsBenchReport, build, cores};

/// How many tables are made for the times over many of them.
const MANY_TABLES: u32 = 300;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RlsBench {
    /// Bookings.
    pub rows: u32,
    /// Tenants that they belong to in turns.
    pub tenants: u32,
    /// How long the load runs before the rollout, and again after it.
    pub load: Duration,
    /// How long a reader that does nothing more keeps its transaction open once the rollout has met it.
    pub idle: Duration,
}

impl Default for RlsBench {
    fn default() -> Self {
        Self { rows: 1_000_000, tenants: 100, load: Duration::from_secs(10), idle: Duration::from_secs(5) }
    }
}

/// Runs the benchmark as [`backfill`](crate::backfill()) does.
///
/// # Errors
/// [`Error::Busy`](crate::Error::Busy) while another benchmark runs on the server, and the error of the server or the rollout.
pub async fn rls(
    superuser: &DatabaseUrl,
    bench: &RlsBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<RlsBenchReport> {
    let mut databases = Databases::open(superuser).await?;
    let measured = measure(&mut databases, bench, progress).await;
    databases.clean_up(measured).await
}

/// What a rollout did, and what it waited for.
struct Rolled {
    report: RolloutReport,
    time: Duration,
    waits: u64,
    autovacuum_waits: u64,
}

async fn measure(
    databases: &mut Databases,
    bench: &RlsBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<RlsBenchReport> {
    progress("planting the bookings");
    databases.plant_bookings(bench.tenants, bench.rows).await?;
    databases.fresh_copy().await?;
    let owner = databases.copy_url(Role::Owner);
    let app = databases.copy_url(Role::AppUser);
    let server = server_facts(&owner).await?;
    let database = Database::connect(&owner, &ConnectOptions::default()).await?;

    progress("the load alone");
    let work = LoadWork::choose(&owner, bench.rows, None).await?;
    let load = Load::begin(&app, &work).await?;
    tokio::time::sleep(bench.load).await;
    progress("the rollout beside it, and a reader that sits on the bookings");
    let mut reader = DirectConnection::as_application(&app, "bench reader").await?;
    reader.run_script("sitting on the bookings", "BEGIN; SELECT FROM bookings LIMIT 1").await?;
    load.enter(Stage::During);
    let met = Notify::new();
    let rolling = async {
        let rolled = roll_out(&database, || met.notify_one()).await;
        // One that failed before it met anybody must not be waited for.
        met.notify_one();
        rolled
    };
    let leave = async {
        met.notified().await;
        tokio::time::sleep(bench.idle).await;
        reader.close().await;
    };
    let (rolled, ()) = tokio::join!(rolling, leave);
    load.enter(Stage::After);
    progress("the load alone again");
    tokio::time::sleep(bench.load).await;
    let stages = load.end().await?;
    let rolled = rolled?;

    progress("many tables");
    let many = many_tables(&owner, &database).await?;
    database.close().await;
    let lock_timeout = RolloutOptions::default().lock_retry.lock_timeout;
    Ok(RlsBenchReport {
        schema: "bench-rls/1",
        bookings: u64::from(bench.rows),
        tenants: u64::from(bench.tenants),
        connections: CONNECTIONS,
        stages,
        complete: rolled.report.is_complete(),
        seconds: rolled.time.as_secs_f64(),
        waits: rolled.waits,
        autovacuum_waits: rolled.autovacuum_waits,
        limit_ms: lock_timeout.as_secs_f64() * 1e3 + 100.0,
        many,
        server,
        build: build(),
        cores: cores(),
    })
}

async fn roll_out(database: &Database, mut waiting: impl FnMut() + Send) -> Result<Rolled> {
    let (mut waits, mut autovacuum_waits) = (0, 0);
    let mut count = |event| {
        if let RolloutEvent::Waiting { blockers, .. } = event {
            waits += 1;
            waiting();
            autovacuum_waits += u64::from(blockers.iter().any(|blocker| blocker.autovacuum));
        }
    };
    let (_go, stop) = watch::channel(false);
    let started = Instant::now();
    let options = RolloutOptions::default();
    let report = rollout(database, &Tenancy::default(), &options, "bench", stop, &mut count).await?;
    Ok(Rolled { report, time: started.elapsed(), waits, autovacuum_waits })
}

/// How long the commands take where there are many tables, the connection aside.
async fn many_tables(owner: &DatabaseUrl, database: &Database) -> Result<ManyTables> {
    make_tables(owner, MANY_TABLES).await?;
    let tenancy = Tenancy::default();
    let started = Instant::now();
    let tables = status(database, &tenancy, None).await?.tables.len();
    let status = started.elapsed();
    let started = Instant::now();
    plan(database, &tenancy, &RolloutOptions::default()).await?;
    let plan = started.elapsed();
    let rolled = roll_out(database, || ()).await?;
    let changed = rolled.report.tables.iter().filter(|table| table.steps > 0).count();
    Ok(ManyTables {
        tables: tables as u64,
        status_ms: status.as_secs_f64() * 1e3,
        plan_ms: plan.as_secs_f64() * 1e3,
        rolled_out: changed as u64,
        complete: rolled.report.is_complete(),
        rollout_ms_per_table: rolled.time.as_secs_f64() * 1e3 / changed.max(1) as f64,
    })
}
