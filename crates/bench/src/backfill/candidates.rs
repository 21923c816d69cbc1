//! The candidates: ways to give bookings their tenant. Each returns what it did and how long that took.

use std::time::Instant;

use backfill_engine::throttle::ThrottleLimits;
use backfill_engine::{BackfillOptions, BackfillReport};
use sqlx::{Connection as _, PgConnection, Row as _};
use tenancy_config::{DatabaseUrl, Tenancy};
use tenant_rls::row_count::from_bigint;
use tenant_rls::{ConnectOptions, Database, DirectConnection};
use tokio::sync::watch;

use crate::error::{Result, query};
use crate::measured::Measured;

/// Who holds the lease of the measured run.
const HOLDER: &str = "bench";

/// Rows of a batch in the order of keys.
const KEY_BATCH: i64 = 5_000;

/// A booking without a tenant and what it points to.
#[derive(Debug, Clone)]
pub(crate) struct Booking {
    pub(crate) id: String,
    request: Option<String>,
    client: String,
    service: String,
}

/// One statement over the whole table.
pub(crate) async fn one_update(owner: &DatabaseUrl) -> Result<Measured> {
    let mut session = DirectConnection::as_application(owner, HOLDER).await?;
    let started = Instant::now();
    let done = sqlx::query(include_str!("../../../../sql/bench/one_update.sql"))
        .execute(session.connection())
        .await
        .map_err(query("updating all bookings at once"))?;
    let time = started.elapsed();
    session.close().await;
    Ok(Measured { done: done.rows_affected(), time })
}

/// How the job is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// Batches at once.
    pub(crate) workers: u32,
    /// At full speed, and not in the default mode, in which it gives way to other load.
    pub(crate) full_speed: bool,
}

impl Job {
    /// At full speed, with this number of batches at once.
    pub(crate) fn full_speed(workers: u32) -> Self {
        Self { workers, full_speed: true }
    }

    fn options(self) -> BackfillOptions {
        let Self { workers, full_speed } = self;
        let throttle = ThrottleLimits { full_speed, ..ThrottleLimits::default() };
        BackfillOptions { workers, throttle, ..BackfillOptions::default() }
    }
}

/// The job as a person runs it. The time includes installing the book-keeping and both surveys.
pub(crate) async fn backfill(owner: &DatabaseUrl, job: Job) -> Result<(Measured, BackfillReport)> {
    let connect = ConnectOptions { max_connections: job.workers + 4, ..ConnectOptions::default() };
    let database = Database::connect(owner, &connect).await?;
    let options = job.options();
    let tenancy = Tenancy::default();
    let (_go, stop) = watch::channel(false);
    let started = Instant::now();
    let report = backfill_bookings::backfill_bookings(&database, &tenancy, HOLDER, &options, stop, &mut |_| ()).await?;
    let time = started.elapsed();
    database.close().await;
    Ok((Measured { done: report.assigned, time }, report))
}

/// Batches in the order of the primary key, a transaction each, as other tools do it: their default sizes are 1,000 to 10,000.
pub(crate) async fn key_order(owner: &DatabaseUrl) -> Result<Measured> {
    let mut session = DirectConnection::as_application(owner, HOLDER).await?;
    let (started, mut done, mut after) = (Instant::now(), 0, String::new());
    loop {
        let row = sqlx::query(include_str!("../../../../sql/bench/key_batch.sql"))
            .bind(&after)
            .bind(KEY_BATCH)
            .fetch_one(session.connection())
            .await
            .map_err(query("updating a batch in the order of keys"))?;
        let (last, rows, written): (Option<String>, i64, i64) =
            (row.get("last_id"), row.get("rows"), row.get("written"));
        done += from_bigint(written);
        match last {
            Some(last) if rows == KEY_BATCH => after = last,
            _ => break,
        }
    }
    let time = started.elapsed();
    session.close().await;
    Ok(Measured { done, time })
}

/// The first bookings without a tenant.
pub(crate) async fn slice(owner: &DatabaseUrl, rows: u32) -> Result<Vec<Booking>> {
    let mut session = DirectConnection::as_application(owner, HOLDER).await?;
    let bookings = sqlx::query(include_str!("../../../../sql/bench/slice.sql"))
        .bind(i64::from(rows))
        .fetch_all(session.connection())
        .await
        .map_err(query("choosing the slice"))?;
    session.close().await;
    let booking = |row: &sqlx::postgres::PgRow| Booking {
        id: row.get("id"),
        request: row.get("request_id"),
        client: row.get("client_id"),
        service: row.get("service_id"),
    };
    Ok(bookings.iter().map(booking).collect())
}

/// A transaction for each row, as scripts do it.
pub(crate) async fn row_by_row(owner: &DatabaseUrl, slice: &[Booking]) -> Result<Measured> {
    let mut session = DirectConnection::as_application(owner, HOLDER).await?;
    let mut rows = 0;
    let started = Instant::now();
    for booking in slice {
        rows += assign(session.connection(), booking).await.map_err(query("updating one booking"))?;
    }
    let time = started.elapsed();
    session.close().await;
    Ok(Measured { done: rows, time })
}

/// Reads one source after the other and writes the tenant if they agree, in one transaction.
async fn assign(session: &mut PgConnection, booking: &Booking) -> sqlx::Result<u64> {
    let mut transaction = session.begin().await?;
    let sources = [
        (booking.request.as_ref(), include_str!("../../../../sql/bench/request_tenant.sql")),
        (Some(&booking.client), include_str!("../../../../sql/bench/client_tenant.sql")),
        (Some(&booking.service), include_str!("../../../../sql/bench/service_tenant.sql")),
    ];
    let mut named: Vec<String> = Vec::with_capacity(sources.len());
    for (key, sql) in sources {
        if let Some(key) = key {
            named.extend(sqlx::query_scalar(sql).bind(key).fetch_optional(&mut *transaction).await?);
        }
    }
    named.dedup();
    let mut written = 0;
    if let [tenant] = named.as_slice() {
        let update = sqlx::query(include_str!("../../../../sql/bench/update_row.sql")).bind(&booking.id).bind(tenant);
        written = update.execute(&mut *transaction).await?.rows_affected();
    }
    transaction.commit().await?;
    Ok(written)
}
