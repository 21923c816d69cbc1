//! The load of an application beside what is measured: short transactions of one tenant each, every statement timed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, Row as _};
use tenancy_config::DatabaseUrl;
use tenant_rls::DirectConnection;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Interval, interval};

use crate::error::{Error, Result, query};
use crate::report::{Latency, LoadReport, LoadStatement, StatementReport};

/// The name of its sessions.
const NAME: &str = "bench load";

/// Connections that work at once.
pub(crate) const CONNECTIONS: u32 = 8;

/// What runs beside the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    Before,
    During,
    After,
    End,
}

/// The most bookings that it works on, in turn.
const BOOKINGS: f64 = 20_000.0;

/// A booking that the load works on, and what a new one beside it points to.
#[derive(Debug)]
struct Booking {
    id: String,
    tenant: String,
    client: String,
    service: String,
}

/// What the load works on, and how fast.
#[derive(Debug, Clone)]
pub(crate) struct LoadWork {
    bookings: Arc<[Booking]>,
    every: Option<Duration>,
}

impl LoadWork {
    /// Chooses among the bookings of a database, of which there are `rows`, the same of each copy. A connection begins a transaction each
    /// `every`, however long the last one took; without it, as soon as the last one has ended.
    pub(crate) async fn choose(superuser: &DatabaseUrl, rows: u32, every: Option<Duration>) -> Result<Self> {
        let mut session = DirectConnection::as_application(superuser, NAME).await?;
        let chosen = sqlx::query(include_str!("../../../sql/bench/load_rows.sql"))
            .bind((BOOKINGS / f64::from(rows) * 100.0).min(100.0))
            .fetch_all(session.connection())
            .await
            .map_err(query("choosing what the load works on"))?;
        session.close().await;
        let booking = |row: &sqlx::postgres::PgRow| Booking {
            id: row.get("id"),
            tenant: row.get("tenant_id"),
            client: row.get("client_id"),
            service: row.get("service_id"),
        };
        if chosen.is_empty() {
            return Err(Error::Measure {
                doing: "choosing what the load works on".into(),
                why: "no booking fits".into(),
            });
        }
        Ok(Self { bookings: chosen.iter().map(booking).collect(), every })
    }
}

/// A load that runs until it is ended, in a thread of its own: what is measured beside it must not wait for its work, nor it for that.
#[derive(Debug)]
pub(crate) struct Load {
    stage: Arc<AtomicU8>,
    results: oneshot::Receiver<Result<LoadResults>>,
}

/// What one connection measured, by stage.
#[derive(Debug, Default)]
struct LoadResults {
    latencies: [BTreeMap<LoadStatement, Vec<Duration>>; 3],
    failed: [BTreeMap<String, u64>; 3],
}

impl Load {
    /// Logs in as the application, and begins.
    pub(crate) async fn begin(app: &DatabaseUrl, work: &LoadWork) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (app, work, stage) = (app.clone(), work.clone(), Arc::new(AtomicU8::new(Stage::Before as u8)));
        let ((ready, begun), (done, results)) = (oneshot::channel(), oneshot::channel());
        let of_thread = stage.clone();
        std::thread::spawn(move || {
            // Where nobody waits for it any more, the measurement has failed.
            let _ = done.send(runtime.block_on(run(&app, &work, &of_thread, ready)));
        });
        // Without an answer it could not log in, and the results say why.
        match begun.await {
            Ok(()) => Ok(Self { stage, results }),
            Err(_) => Err(results.await.map_err(failed)?.err().unwrap_or_else(|| failed("it ended"))),
        }
    }

    /// Notes what runs beside the load from here on.
    pub(crate) fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    /// Ends the load, and adds up the results of its connections.
    pub(crate) async fn end(self) -> Result<Vec<LoadReport>> {
        self.enter(Stage::End);
        let all = self.results.await.map_err(failed)??;
        let stages = ["before", "during", "after"].into_iter().zip(all.latencies).zip(all.failed);
        Ok(stages.map(|((stage, latencies), failed)| summary(stage, latencies, failed)).collect())
    }
}

/// Works with every connection until the stage is the last, and adds up their results.
async fn run(
    app: &DatabaseUrl,
    work: &LoadWork,
    stage: &Arc<AtomicU8>,
    ready: oneshot::Sender<()>,
) -> Result<LoadResults> {
    let mut workers = JoinSet::new();
    for number in 0..CONNECTIONS {
        let session = DirectConnection::as_application(app, NAME).await?;
        let worker =
            Worker { number, bookings: work.bookings.clone(), stage: stage.clone(), results: LoadResults::default() };
        workers.spawn(worker.work(session, work.every.map(interval)));
    }
    let _ = ready.send(());
    let mut all = LoadResults::default();
    while let Some(ended) = workers.join_next().await {
        let results = ended.map_err(failed)?;
        for (sum, latencies) in all.latencies.iter_mut().zip(results.latencies) {
            for (statement, times) in latencies {
                sum.entry(statement).or_default().extend(times);
            }
        }
        for (sum, failed) in all.failed.iter_mut().zip(results.failed) {
            for (code, times) in failed {
                *sum.entry(code).or_default() += times;
            }
        }
    }
    Ok(all)
}

fn failed(why: impl std::fmt::Display) -> Error {
    Error::Measure { doing: "running the load".into(), why: why.to_string() }
}

fn summary(
    stage: &'static str,
    latencies: BTreeMap<LoadStatement, Vec<Duration>>,
    failed: BTreeMap<String, u64>,
) -> LoadReport {
    let all: Vec<Duration> = latencies.values().flatten().copied().collect();
    let statements = all.len() as u64;
    let report = |(statement, times)| StatementReport { statement, took: latency(times) };
    let by_statement = latencies.into_iter().map(report).collect();
    LoadReport { stage, statements, failed, took: latency(all), by_statement }
}

fn latency(mut times: Vec<Duration>) -> Latency {
    times.sort_unstable();
    let at = |share: f64| {
        let position = (times.len() as f64 * share) as usize;
        times.get(position.min(times.len().saturating_sub(1))).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    Latency { p50_ms: at(0.5), p99_ms: at(0.99), longest_ms: at(1.0) }
}

struct Worker {
    number: u32,
    bookings: Arc<[Booking]>,
    stage: Arc<AtomicU8>,
    results: LoadResults,
}

impl Worker {
    async fn work(mut self, mut session: DirectConnection, mut clock: Option<Interval>) -> LoadResults {
        // Another booking each time, in an order that is the same in each run.
        let (mut booking, bookings) = (self.number, self.bookings.clone());
        for turn in 0_u64.. {
            if let Some(clock) = &mut clock {
                clock.tick().await;
            }
            if self.stage() == Stage::End as u8 {
                break;
            }
            booking = booking.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // What failed is counted; its transaction was rolled back when it was dropped.
            let _ = self.transaction(session.connection(), turn, &bookings[booking as usize % bookings.len()]).await;
        }
        session.close().await;
        self.results
    }

    async fn transaction(&mut self, session: &mut PgConnection, turn: u64, booking: &Booking) -> sqlx::Result<()> {
        let Booking { id, tenant, client, service } = booking;
        let mut tx = self.timed(LoadStatement::Begin, session.begin()).await?;
        let scope = sqlx::query("SELECT set_config('app.current_tenant_id', $1, true)").bind(tenant);
        self.timed(LoadStatement::Scope, scope.execute(&mut *tx)).await?;
        let by_key = sqlx::query(include_str!("../../../sql/bench/load_by_key.sql")).bind(tenant).bind(id);
        self.timed(LoadStatement::ByKey, by_key.fetch_all(&mut *tx)).await?;
        match turn % 3 {
            0 => {
                let list = sqlx::query(include_str!("../../../sql/bench/load_list.sql")).bind(tenant).bind(client);
                self.timed(LoadStatement::List, list.fetch_all(&mut *tx)).await?;
            }
            1 => {
                let insert = sqlx::query(include_str!("../../../sql/bench/load_insert.sql"))
                    .bind(tenant)
                    .bind(format!("new_{}_{turn}", self.number))
                    .bind(client)
                    .bind(service);
                self.timed(LoadStatement::Insert, insert.execute(&mut *tx)).await?;
            }
            _ => {
                let update = sqlx::query(include_str!("../../../sql/bench/load_update.sql")).bind(tenant).bind(id);
                self.timed(LoadStatement::Update, update.execute(&mut *tx)).await?;
            }
        }
        self.timed(LoadStatement::Commit, tx.commit()).await
    }

    /// Runs a statement. It counts as beside what is measured if it began or ended there.
    async fn timed<T>(
        &mut self,
        statement: LoadStatement,
        answer: impl Future<Output = sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        let (began, started) = (self.stage(), Instant::now());
        let done = answer.await;
        let (took, during) = (started.elapsed(), Stage::During as u8);
        let stage = usize::from(if self.stage() == during { during } else { began }.min(Stage::After as u8));
        self.results.latencies[stage].entry(statement).or_default().push(took);
        if let Err(error) = &done {
            let code = error.as_database_error().and_then(|error| error.code().map(String::from));
            *self.results.failed[stage].entry(code.unwrap_or_else(|| error.to_string())).or_default() += 1;
        }
        done
    }

    fn stage(&self) -> u8 {
        self.stage.load(Ordering::Relaxed)
    }
}
