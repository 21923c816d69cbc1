//! One look at the server: what it says, and what it does not say to this login.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;
use tenancy_config::TableName;
use tenant_rls::{Database, DirectConnection, Template};

use crate::error::Result;
use crate::throttle::signal::{LoadSignal, Unreadable};

/// How long an answer is waited for; a server that takes longer says nothing.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A session counts as being at work for so long after its last statement: with statements of a millisecond, one look
/// would miss it.
const AT_WORK: &str = "1";

/// What the server said at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadSample {
    /// The server's clock.
    pub at: Duration,
    /// Position of the WAL in bytes; only differences say something.
    pub wal: u64,
    /// Who follows the WAL.
    pub replicas: Vec<Replica>,
    /// Who works on the table.
    pub work: Vec<TableActivity>,
    /// Sessions that wait for one of our batches.
    pub waiters: u64,
    /// Other sessions of this database that were at work within the last second.
    pub active: u64,
    /// What this login may not read; what else is said of these signals means nothing.
    pub unreadable: Vec<Unreadable>,
}

/// A standby, or the reader of a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Replica {
    /// Its name.
    pub name: String,
    /// How far behind in time; 0 where only bytes are known.
    pub behind: Duration,
    /// How far behind in bytes of WAL.
    pub bytes: u64,
}

/// A process that works on the table and holds it against DDL or vacuum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableActivity {
    /// Its process; 0 for a prepared transaction.
    pub pid: i32,
    /// Who it is, and what it holds.
    pub says: String,
}

impl LoadSample {
    /// The signal, if this login may not read it.
    pub fn unreadable(&self, signal: LoadSignal) -> Option<&Unreadable> {
        self.unreadable.iter().find(|unreadable| unreadable.signal == signal)
    }

    /// A look that failed: nothing is known.
    pub(crate) fn blind(at: Duration, why: &str) -> Self {
        let unreadable = |signal| Unreadable {
            signal,
            why: why.to_owned(),
            remedy: "it is asked again with the next look".to_owned(),
        };
        Self { at, unreadable: LoadSignal::ALL.into_iter().map(unreadable).collect(), ..Self::default() }
    }

    fn of(row: &PgRow, login: &str) -> Self {
        let names: Vec<String> = row.get(2);
        let (seconds, bytes): (Vec<f64>, Vec<i64>) = (row.get(3), row.get(4));
        let replica = |((name, seconds), bytes)| Replica {
            name,
            behind: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
            bytes: u64::try_from(bytes).unwrap_or_default(),
        };
        let (pids, says): (Vec<i32>, Vec<String>) = (row.get(6), row.get(7));
        let count = |at: usize| u64::try_from(row.get::<i64, _>(at)).unwrap_or_default();
        let hidden = [
            (LoadSignal::ReplicationLag, count(5), "standbys do not show this login how far behind they are"),
            (
                LoadSignal::ActiveSessions,
                count(10),
                "sessions of other roles do not show this login whether they are at work",
            ),
        ];
        let unreadable = hidden.into_iter().filter(|(_, number, _)| *number > 0);
        Self {
            at: Duration::try_from_secs_f64(row.get(0)).unwrap_or_default(),
            wal: u64::try_from(row.get::<i64, _>(1)).unwrap_or_default(),
            replicas: names.into_iter().zip(seconds).zip(bytes).map(replica).collect(),
            work: pids.into_iter().zip(says).map(|(pid, says)| TableActivity { pid, says }).collect(),
            waiters: count(8),
            active: count(9),
            unreadable: unreadable
                .map(|(signal, number, what)| Unreadable {
                    signal,
                    why: format!("{number} {what}"),
                    remedy: format!("GRANT pg_read_all_stats TO \"{}\";", login.replace('"', "\"\"")),
                })
                .collect(),
        }
    }
}

/// Reads the load of a server, on a session of its own beside the pool: the workers may hold all of that.
#[derive(Debug)]
pub struct LoadSampler<'a> {
    database: &'a Database,
    table: &'a TableName,
    session: Option<DirectConnection>,
}

impl<'a> LoadSampler<'a> {
    /// For a backfill of this table; partitions count with it.
    pub fn new(database: &'a Database, table: &'a TableName) -> Self {
        Self { database, table, session: None }
    }

    /// Looks once. After an error the next look has a new session.
    ///
    /// # Errors
    /// [`tenant_rls::Error::Connect`] or [`tenant_rls::Error::Query`].
    pub async fn read(&mut self) -> Result<LoadSample> {
        let look = Template::new(include_str!("../../../../sql/backfill/pressure.sql"))
            .literal("schema", self.table.schema().as_str())
            .literal("table", self.table.name().as_str())
            .literal("at_work", AT_WORK)
            .build();
        const DOING: &str = "asking the server for its load";
        if self.database.connections_are_few() {
            // One of the workers' serves, between two batches.
            let row = self.database.look(DOING, look).await?;
            return Ok(LoadSample::of(&row, &self.database.session().role));
        }
        let mut session = match self.session.take() {
            Some(session) => session,
            None => DirectConnection::beside(self.database).await?,
        };
        let row = session.look(DOING, look).await?;
        self.session = Some(session);
        Ok(LoadSample::of(&row, &self.database.session().role))
    }

    /// Looks once, and says so where that fails or takes too long; `at` is the time of a look that failed.
    pub(crate) async fn sample(&mut self, at: Duration) -> LoadSample {
        match tokio::time::timeout(ANSWER_TIMEOUT, self.read()).await {
            Ok(Ok(sample)) => sample,
            Ok(Err(error)) => LoadSample::blind(at, &error.to_string()),
            Err(_) => LoadSample::blind(at, "the server did not answer in time"),
        }
    }
}
