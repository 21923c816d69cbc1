//! Samples of the server's load, with the signals that this login may not read.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use tenancy_config::TableName;
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Database, DirectConnection, Template};

use crate::error::Result;
use crate::throttle::signal::{HiddenSignal, LoadSignal};

/// How long the sampler waits for an answer; after this the sample is empty.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The seconds after its last statement for which a session counts as active, as one sample would miss statements of a
/// millisecond.
const AT_WORK: &str = "1";

/// The load at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadSample {
    /// The time of the server's clock.
    pub at: Duration,
    /// The position of the WAL in bytes; only differences have a meaning.
    pub wal: u64,
    /// The replicas that follow the WAL.
    pub replicas: Vec<Replica>,
    /// The processes that work on the table.
    pub work: Vec<TableActivity>,
    /// Sessions that wait for a lock of our batches.
    pub waiters: u64,
    /// Other sessions of this database that were active within the last second.
    pub active: u64,
    /// The signals that this login may not read; their values have no meaning.
    pub unreadable: Vec<HiddenSignal>,
}

/// A standby, or the reader of a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Replica {
    /// Its name.
    pub name: String,
    /// The lag in time; 0 if only bytes are known.
    pub behind: Duration,
    /// The lag in bytes of WAL.
    pub bytes: u64,
}

/// A process that works on the table and holds it against DDL or vacuum.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TableActivity {
    /// Its process id; 0 for a prepared transaction.
    pub pid: i32,
    /// It is an autovacuum.
    pub autovacuum: bool,
    /// Its role; none for an autovacuum and a prepared transaction.
    pub role: Option<String>,
    /// Its `application_name`, if it has one.
    pub application: Option<String>,
    /// The locks that it holds.
    pub modes: String,
}

impl fmt::Display for TableActivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, autovacuum, role, application, modes } = self;
        match (pid, autovacuum) {
            (0, _) => f.write_str("a prepared transaction")?,
            (pid, true) => write!(f, "autovacuum (process {pid})")?,
            (pid, false) => {
                write!(f, "process {pid} of {}", role.as_deref().unwrap_or_default())?;
                application.as_ref().map_or(Ok(()), |application| write!(f, " ({application})"))?;
            }
        }
        write!(f, ", holding {modes}")
    }
}

impl LoadSample {
    /// The signal, if this login may not read it.
    pub fn unreadable(&self, signal: LoadSignal) -> Option<&HiddenSignal> {
        self.unreadable.iter().find(|unreadable| unreadable.signal == signal)
    }

    /// A sample that failed: no signal is readable.
    pub(crate) fn blind(at: Duration, why: &str) -> Self {
        let unreadable = |signal| HiddenSignal {
            signal,
            why: why.to_owned(),
            remedy: "it is asked again with the next look".to_owned(),
        };
        Self { at, unreadable: LoadSignal::ALL.into_iter().map(unreadable).collect(), ..Self::default() }
    }

    fn of(row: &PgRow, login: &str) -> Self {
        let names: Vec<String> = row.get("followers");
        let (seconds, bytes): (Vec<f64>, Vec<i64>) = (row.get("follower_seconds"), row.get("follower_bytes"));
        let replica = |((name, seconds), bytes)| Replica {
            name,
            behind: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
            bytes: from_bigint(bytes),
        };
        let Json(work) = row.get("working");
        let count = |name: &str| from_bigint(row.get(name));
        let hidden = [
            (
                LoadSignal::ReplicationLag,
                count("hidden_standbys"),
                "standbys do not show this login how far behind they are",
            ),
            (
                LoadSignal::ActiveSessions,
                count("hidden_sessions"),
                "sessions of other roles do not show this login whether they are at work",
            ),
        ];
        let unreadable = hidden.into_iter().filter(|(_, number, _)| *number > 0);
        Self {
            at: Duration::try_from_secs_f64(row.get("clock")).unwrap_or_default(),
            wal: from_bigint(row.get("wal_position")),
            replicas: names.into_iter().zip(seconds).zip(bytes).map(replica).collect(),
            work,
            waiters: count("waiters"),
            active: count("active_sessions"),
            unreadable: unreadable
                .map(|(signal, number, what)| HiddenSignal {
                    signal,
                    why: format!("{number} {what}"),
                    remedy: format!("GRANT pg_read_all_stats TO \"{}\";", login.replace('"', "\"\"")),
                })
                .collect(),
        }
    }
}

/// Reads the load of a server, in a session beside the pool, as the workers may hold all of its connections.
#[derive(Debug)]
pub struct LoadSampler<'a> {
    database: &'a Database,
    table: &'a TableName,
    session: Option<DirectConnection>,
}

impl<'a> LoadSampler<'a> {
    /// A sampler for a backfill of this table and its partitions.
    pub fn new(database: &'a Database, table: &'a TableName) -> Self {
        Self { database, table, session: None }
    }

    /// Takes one sample. After an error the next one uses a new session.
    ///
    /// # Errors
    /// [`tenant_rls::Error::Connect`] if there is no connection; [`tenant_rls::Error::Query`] if the load cannot be
    /// read.
    pub async fn read(&mut self) -> Result<LoadSample> {
        let look = Template::new(include_str!("../../../../sql/backfill-engine/load_sample.sql"))
            .literal("schema", self.table.schema().as_str())
            .literal("table", self.table.name().as_str())
            .literal("at_work", AT_WORK)
            .build();
        const DOING: &str = "asking the server for its load";
        if self.database.connections_are_few() {
            // A connection of the workers is used between two batches.
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

    /// Takes one sample, which is unreadable if that fails or takes too long. `at` is the time of a failed sample.
    pub(crate) async fn sample(&mut self, at: Duration) -> LoadSample {
        match tokio::time::timeout(ANSWER_TIMEOUT, self.read()).await {
            Ok(Ok(sample)) => sample,
            Ok(Err(error)) => LoadSample::blind(at, &error.to_string()),
            Err(_) => LoadSample::blind(at, "the server did not answer in time"),
        }
    }
}
