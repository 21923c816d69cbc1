//! What sessions of a database do, as observed from outside: how long their transactions last and hold locks, what they wait for, and
//! how much log the server writes meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use sqlx::{PgConnection, Row as _};
use tenancy_config::DatabaseUrl;
use tenant_rls::DirectConnection;
use tenant_rls::row_count::from_bigint;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::error::{Error, Result, query};

/// The time between two samples.
const EVERY: Duration = Duration::from_millis(10);

/// A session that takes samples until it is ended.
#[derive(Debug)]
pub(crate) struct SessionWatch {
    end: oneshot::Sender<()>,
    sampling: JoinHandle<Result<Observed>>,
}

/// What was observed. Times are in seconds, and never too short: a transaction lasts until the first sample without it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Observed {
    /// The longest transaction.
    pub(crate) longest: f64,
    /// The longest time from the last sample before a transaction locked or wrote a row to its end.
    pub(crate) longest_locks: f64,
    /// The longest time between two samples.
    pub(crate) longest_gap: f64,
    /// By wait event, how often a session in a transaction waited for it; `CPU` where it waited for nothing.
    pub(crate) waits: BTreeMap<String, u64>,
    /// Samples with an autovacuum.
    pub(crate) autovacuum: u64,
    /// All samples.
    pub(crate) samples: u64,
    /// Bytes of log.
    pub(crate) wal_bytes: u64,
}

/// A session in a transaction.
#[derive(Debug, Clone)]
struct Session {
    pid: i32,
    began: f64,
    locks: bool,
    waits_for: String,
}

impl SessionWatch {
    /// Begins to sample `database`, in a session of another one.
    pub(crate) async fn begin(superuser: &DatabaseUrl, database: &'static str) -> Result<Self> {
        let mut session = DirectConnection::as_application(superuser, "bench watch").await?;
        let before = wal(session.connection()).await?;
        let (end, ended) = oneshot::channel();
        let sampling = tokio::spawn(async move {
            let mut observed = sample_until(session.connection(), database, ended).await?;
            observed.wal_bytes = wal(session.connection()).await?.saturating_sub(before);
            session.close().await;
            Ok(observed)
        });
        Ok(Self { end, sampling })
    }

    /// Ends the sampling.
    pub(crate) async fn end(self) -> Result<Observed> {
        // A task that is gone has failed, and its error is returned below.
        let _ = self.end.send(());
        let why = |why: tokio::task::JoinError| Error::Measure {
            doing: "watching the candidate".into(),
            why: why.to_string(),
        };
        self.sampling.await.map_err(why)?
    }
}

async fn wal(session: &mut PgConnection) -> Result<u64> {
    let bytes: i64 = sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
        .fetch_one(session)
        .await
        .map_err(query("asking how much log there is"))?;
    Ok(from_bigint(bytes))
}

async fn sample_until(
    session: &mut PgConnection,
    database: &str,
    mut ended: oneshot::Receiver<()>,
) -> Result<Observed> {
    let (mut observed, mut open, mut before) = (Observed::default(), Open::default(), None);
    let mut clock = interval(EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // A dropped sender means that the benchmark failed.
        let over = tokio::select! {
            _ = &mut ended => true,
            _ = clock.tick() => false,
        };
        let rows = sqlx::query(include_str!("../../../sql/bench/sample.sql"))
            .bind(database)
            .fetch_all(&mut *session)
            .await
            .map_err(query("watching the candidate"))?;
        let now: f64 = rows.first().map_or(0.0, |row| row.get("now"));
        let vacuums = |row: &&sqlx::postgres::PgRow| row.get::<Option<bool>, _>("autovacuum").unwrap_or_default();
        observed.autovacuum += u64::from(rows.iter().any(|row| vacuums(&row)));
        let sessions: Vec<Session> = rows.iter().filter(|row| !vacuums(row)).filter_map(session_of).collect();
        observed.add_sample(&mut open, before, now, &sessions);
        before = Some(now);
        if over {
            observed.add_sample(&mut open, before, now, &[]);
            return Ok(observed);
        }
    }
}

fn session_of(row: &sqlx::postgres::PgRow) -> Option<Session> {
    Some(Session {
        pid: row.get::<Option<i32>, _>("pid")?,
        began: row.get::<Option<f64>, _>("began")?,
        locks: row.get::<Option<bool>, _>("locks").unwrap_or_default(),
        waits_for: row.get("waits_for"),
    })
}

/// Transactions of the last sample, by session and beginning, and since when they may hold locks.
type Open = HashMap<(i32, u64), Option<f64>>;

impl Observed {
    /// Adds what was observed in another run.
    pub(crate) fn add(&mut self, more: &Self) {
        self.longest = self.longest.max(more.longest);
        self.longest_locks = self.longest_locks.max(more.longest_locks);
        self.longest_gap = self.longest_gap.max(more.longest_gap);
        for (event, times) in &more.waits {
            *self.waits.entry(event.clone()).or_default() += times;
        }
        self.autovacuum += more.autovacuum;
        self.samples += more.samples;
        self.wal_bytes += more.wal_bytes;
    }

    /// Adds one sample, taken at `now`; the one before was taken at `before`.
    fn add_sample(&mut self, open: &mut Open, before: Option<f64>, now: f64, sessions: &[Session]) {
        if let Some(before) = before {
            self.longest_gap = self.longest_gap.max(now - before);
        }
        self.samples += u64::from(before != Some(now));
        let mut still = Open::default();
        for session in sessions {
            let key = (session.pid, session.began.to_bits());
            let since = open.remove(&key).flatten();
            let earliest = before.map_or(session.began, |before| before.max(session.began));
            still.insert(key, since.or(session.locks.then_some(earliest)));
            *self.waits.entry(session.waits_for.clone()).or_default() += 1;
        }
        for ((_, began), since) in std::mem::replace(open, still) {
            self.longest = self.longest.max(now - f64::from_bits(began));
            self.longest_locks = self.longest_locks.max(since.map_or(0.0, |since| now - since));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(began: f64, locks: bool) -> Session {
        Session { pid: 7, began, locks, waits_for: if locks { "CPU" } else { "IO:DataFileRead" }.to_owned() }
    }

    fn observe(samples: &[(f64, &[Session])]) -> Observed {
        let (mut observed, mut open, mut before) = (Observed::default(), Open::default(), None);
        for (now, sessions) in samples {
            observed.add_sample(&mut open, before, *now, sessions);
            before = Some(*now);
        }
        observed
    }

    #[test]
    fn a_transaction_lasts_until_the_first_sample_without_it() {
        let observed = observe(&[(1.0, &[session(0.5, false)]), (2.0, &[session(0.5, false)]), (4.0, &[])]);
        assert_eq!(
            (observed.longest, observed.longest_locks, observed.longest_gap, observed.samples),
            (3.5, 0.0, 2.0, 3)
        );
        // The next transaction of the same session is another one.
        let observed = observe(&[(1.0, &[session(0.5, false)]), (2.0, &[session(1.5, false)]), (2.25, &[])]);
        assert_eq!(observed.longest, 1.5);
    }

    #[test]
    fn locks_are_held_from_the_last_sample_without_them() {
        let observed = observe(&[(1.0, &[session(0.5, false)]), (2.0, &[session(0.5, true)]), (4.0, &[])]);
        assert_eq!(observed.longest_locks, 3.0);
        // Where the transaction began after that sample, from its beginning.
        let observed = observe(&[(1.0, &[]), (2.0, &[session(1.75, true)]), (4.0, &[])]);
        assert_eq!(observed.longest_locks, 2.25);
    }

    #[test]
    fn waits_are_counted_by_what_is_waited_for() {
        let observed = observe(&[
            (1.0, &[session(0.5, false), Session { pid: 8, ..session(0.5, true) }]),
            (2.0, &[session(0.5, true)]),
        ]);
        assert_eq!(observed.waits, BTreeMap::from([("CPU".to_owned(), 2), ("IO:DataFileRead".to_owned(), 1)]));
    }
}
