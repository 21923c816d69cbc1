//! `bench rls --tables`: the commands of `rls` over many small tables.

use std::time::{Duration, Instant};

use local_db::Role;
use rls_rollout::{RollbackOptions, RolloutOptions, plan, rollback, rollout, status};
use rls_verify::{VerifyOptions, verify};
use serde::Serialize;
use tenancy_config::{DatabaseUrl, Tenancy};
use tenant_rls::{ConnectOptions, Database, DirectConnection, Template};
use tokio::sync::watch;

use crate::backfill::report::BenchGoal;
use crate::databases::{Databases, server_facts};
use crate::error::Result;
use crate::report::{ServerFacts, build, cores};

/// How many tables the goals are for.
const GOALS_ARE_FOR: u64 = 300;

/// The report of [`rls_tables`]; its JSON is `bench-rls-tables/1`.
#[derive(Debug, Clone, Serialize)]
pub struct ManyTablesReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// All tables that the commands are about.
    pub tables: u64,
    /// The commands, in the order in which they ran.
    pub commands: Vec<CommandTime>,
    /// Whether the rollout took every table the whole way, verify broke none of them, and the rollback restored each.
    pub complete: bool,
    /// What the times should be with 300 tables; empty for fewer or more.
    pub goals: Vec<BenchGoal>,
    /// The server.
    pub server: ServerFacts,
    /// How this program was built, `debug` or `release`.
    pub build: &'static str,
    /// Processor cores that client and server share; 0 where the system does not tell.
    pub cores: usize,
}

/// How long a command took, the connection aside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CommandTime {
    /// The command.
    pub command: &'static str,
    /// Its time in milliseconds.
    pub ms: f64,
    /// The same for each table.
    pub ms_per_table: f64,
    /// The same, divided by the time of the first `rls status` of this run.
    pub times_status: f64,
}

/// Makes so many tables beside those of the local database, and goes the whole way and back.
///
/// # Errors
/// [`Error::Busy`](crate::Error::Busy) while another benchmark runs on the server, and the error of the server or the command.
pub async fn rls_tables(
    superuser: &DatabaseUrl,
    tables: u32,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<ManyTablesReport> {
    let mut databases = Databases::open(superuser).await?;
    let measured = measure(&mut databases, tables, progress).await;
    databases.clean_up(measured).await
}

/// Makes many tables with rows of two tenants, as their owner.
pub(crate) async fn make_tables(owner: &DatabaseUrl, tables: u32) -> Result<()> {
    let mut session = DirectConnection::as_application(owner, "bench").await?;
    let number = Template::new("SET bench.tables = :'tables'").literal("tables", &tables.to_string()).build();
    session.run_script("making many tables", number).await?;
    session.run_script("making many tables", include_str!("../../../sql/bench/many_tables.sql")).await?;
    session.close().await;
    Ok(())
}

/// Runs the commands one after the other, and takes their times.
struct Stopwatch<'a> {
    progress: &'a mut (dyn FnMut(&str) + Send),
    times: Vec<(&'static str, Duration)>,
}

impl Stopwatch<'_> {
    async fn time<T>(&mut self, command: &'static str, work: impl Future<Output = T>) -> T {
        (self.progress)(command);
        let work = Box::pin(work);
        let started = Instant::now();
        let done = work.await;
        self.times.push((command, started.elapsed()));
        done
    }
}

async fn measure(
    databases: &mut Databases,
    tables: u32,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<ManyTablesReport> {
    progress("making the tables");
    databases.plant_bookings(2, 10).await?;
    databases.fresh_copy().await?;
    let owner = databases.copy_url(Role::Owner);
    make_tables(&owner, tables).await?;
    let server = server_facts(&owner).await?;
    let database = Database::connect(&owner, &ConnectOptions::default()).await?;
    let app = Database::connect(&databases.copy_url(Role::AppUser), &ConnectOptions::default()).await?;
    let tenancy = Tenancy::default();
    let (_go, stop) = watch::channel(false);
    let mut unheard = |_| ();
    let mut watch = Stopwatch { progress, times: Vec::new() };

    let of_tables = watch.time("rls status", status(&database, &tenancy, None)).await?.tables.len() as u64;
    let options = RolloutOptions::default();
    watch.time("rls plan", plan(&database, &tenancy, &options)).await?;
    let rolled = rollout(&database, &tenancy, &options, "bench", stop.clone(), &mut unheard);
    let rolled = watch.time("rls rollout", rolled).await?;
    let again = rollout(&database, &tenancy, &options, "bench", stop.clone(), &mut unheard);
    watch.time("rls rollout, nothing left to do", again).await?;
    watch.time("rls status, enforced", status(&database, &tenancy, None)).await?;
    let tried = VerifyOptions { write_probes: true, ..VerifyOptions::default() };
    let proof = watch.time("rls verify --write-probes", verify(&database, &app, &tenancy, &tried, &mut |_| ())).await?;
    let everything = RollbackOptions::default();
    let back = rollback(&database, &tenancy, &everything, "bench", stop, &mut unheard);
    let back = watch.time("rls rollback", back).await?;
    database.close().await;
    app.close().await;

    let commands = times(&watch.times, of_tables);
    let restored = back.tables.len() >= rolled.tables.iter().filter(|table| table.steps > 0).count();
    Ok(ManyTablesReport {
        schema: "bench-rls-tables/1",
        tables: of_tables,
        goals: if u64::from(tables) == GOALS_ARE_FOR { goals(&commands) } else { Vec::new() },
        complete: rolled.is_complete() && proof.findings.is_empty() && restored,
        commands,
        server,
        build: build(),
        cores: cores(),
    })
}

fn times(times: &[(&'static str, Duration)], tables: u64) -> Vec<CommandTime> {
    let ms = |time: &Duration| time.as_secs_f64() * 1e3;
    let first = times.first().map_or(1.0, |(_, time)| ms(time).max(f64::MIN_POSITIVE));
    let of = |(command, time): &(&'static str, Duration)| CommandTime {
        command,
        ms: ms(time),
        ms_per_table: ms(time) / tables.max(1) as f64,
        times_status: ms(time) / first,
    };
    times.iter().map(of).collect()
}

fn goals(commands: &[CommandTime]) -> Vec<BenchGoal> {
    let wanted = [("rls status", 300.0), ("rls plan", 300.0), ("rls rollout", 5_000.0)];
    let goal = |(name, most)| {
        let reached = commands.iter().find(|time| time.command == name)?.ms;
        Some(BenchGoal::at_most(name, most, reached, "ms"))
    };
    wanted.into_iter().filter_map(goal).collect()
}
