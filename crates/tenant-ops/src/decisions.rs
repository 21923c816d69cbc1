//! Runs that write the decisions of people: begun, done in batches, ended.

use sqlx::{PgConnection, Row};
use tenancy_config::Tenancy;
use tenant_rls::{Database, Error as RlsError, SessionSetting, Sql, Template};

use crate::error::Result;
use crate::owner::{LOCK_TIMEOUT, act, begin};
use crate::run::{NewRun, Run};
use crate::trust::verified;

/// The job of such a run in `tenant_ops.run`.
const JOB: &str = "backfill apply";

/// The name of its only source.
const SOURCE: &str = "decision";

/// A run that writes decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionRun {
    /// Its number.
    pub id: i64,
}

/// One call of `tenant_ops.apply_batch`. The three lists have the same length.
#[derive(Debug)]
pub struct DecisionCall<'a> {
    /// Where a session has its tenant.
    pub setting: &'a SessionSetting,
    /// Judges the decisions and locks the rows: see `sql/backfill-engine/judge.sql`.
    pub judge: &'a Sql,
    /// Writes one tenant's rows: see `sql/backfill-engine/decide.sql`.
    pub write: &'a Sql,
    /// Counts those of them that do not have their tenant then: see `sql/backfill-engine/decided_changed.sql`.
    pub read_back: &'a Sql,
    /// The keys of the rows; each once.
    pub keys: Vec<&'a str>,
    /// The tenants that were decided.
    pub tenants: Vec<&'a str>,
    /// What the decisions were made on.
    pub fingerprints: Vec<&'a str>,
}

/// The result of one decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionResult {
    /// Written and journaled.
    Applied,
    /// There is no row with this key.
    Gone,
    /// The row has a tenant: this one.
    Assigned(String),
    /// Somebody else has the row locked.
    Held,
    /// The row, or what it points to, is not what the decision was made on.
    Changed,
    /// The tenant is gone.
    NoTenant,
}

impl DecisionResult {
    fn parse(word: &str, has: Option<String>) -> Self {
        match word {
            "ready" => Self::Applied,
            "gone" => Self::Gone,
            "assigned" => Self::Assigned(has.unwrap_or_default()),
            "held" => Self::Held,
            "no tenant" => Self::NoTenant,
            // Anything else is not what was decided on, either.
            _ => Self::Changed,
        }
    }
}

impl DecisionRun {
    /// The unfinished run of this kind on `table` (`schema.table`), or a new one.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn resume_or_open(database: &Database, table: &str) -> Result<Self> {
        Ok(Self { id: run_of_job(database, JOB, table, SOURCE).await? })
    }

    /// Opens a run inside an open transaction: for a dry run, which takes it back.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn open_in(connection: &mut PgConnection, table: &str) -> Result<Self, RlsError> {
        Ok(Self { id: new_run(connection, JOB, table, SOURCE).await? })
    }

    /// Does one batch, and returns the result of each decision, in their order. It commits or rolls back with the caller's transaction,
    /// which has locked the lease.
    ///
    /// # Errors
    /// [`RlsError::Query`], with the SQLSTATE [`WRITTEN_NOT_LOCKED`], [`WRITTEN_NOT_KEPT`] or [`RUN_NOT_RUNNING`], or that with which a row, a
    /// trigger or the server refuses.
    ///
    /// [`WRITTEN_NOT_KEPT`]: tenant_rls::sqlstate::WRITTEN_NOT_KEPT
    /// [`WRITTEN_NOT_LOCKED`]: tenant_rls::sqlstate::WRITTEN_NOT_LOCKED
    /// [`RUN_NOT_RUNNING`]: tenant_rls::sqlstate::RUN_NOT_RUNNING
    pub async fn batch(self, tx: &mut PgConnection, call: &DecisionCall<'_>) -> Result<Vec<DecisionResult>, RlsError> {
        let rows = sqlx::query("SELECT verdict, nths, has FROM tenant_ops.apply_batch($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(self.id)
            .bind(call.setting.variable())
            .bind(call.judge.as_str())
            .bind(in_scope(call.setting, call.write).as_str())
            .bind(call.read_back.as_str())
            .bind(&call.keys)
            .bind(&call.tenants)
            .bind(&call.fingerprints)
            .fetch_all(tx)
            .await
            .map_err(RlsError::query("writing what was decided"))?;
        let mut results = vec![DecisionResult::Changed; call.keys.len()];
        for row in rows {
            let (word, nths, has): (String, Vec<i64>, Vec<Option<String>>) =
                (row.get("verdict"), row.get("nths"), row.get("has"));
            for (nth, has) in nths.into_iter().zip(has) {
                results[position(nth)] = DecisionResult::parse(&word, has);
            }
        }
        Ok(results)
    }

    /// Marks the run as done, or as stopped, to be resumed. A run that is done and wrote nothing is removed. Returns whether
    /// it is still there.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn end(self, database: &Database, finished: bool) -> Result<bool> {
        end(database, self.id, finished).await
    }
}

/// The unfinished run of a job with one source on `table`, or a new one.
pub(crate) async fn run_of_job(database: &Database, job: &str, table: &str, source: &str) -> Result<i64> {
    let mut tx = begin(database, LOCK_TIMEOUT).await?;
    let unfinished = sqlx::query_scalar(include_str!("../../../sql/tenant-ops/unfinished_decisions.sql"))
        .bind(table)
        .bind(job)
        .fetch_optional(tx.connection())
        .await
        .map_err(RlsError::query("looking for an unfinished run"))?;
    let run = match unfinished {
        Some(id) => id,
        None => new_run(tx.connection(), job, table, source).await?,
    };
    tx.commit().await?;
    Ok(run)
}

async fn new_run(connection: &mut PgConnection, job: &str, table: &str, source: &str) -> Result<i64, RlsError> {
    let sources = vec![source.to_owned()];
    let new = NewRun { job: job.into(), table: table.into(), on_conflict: "report", sources };
    Ok(Run::open_in(connection, &new).await?.id)
}

/// Marks a run as done, or as stopped, to be resumed. One that is done and wrote nothing is removed. Returns whether it is still there.
pub(crate) async fn end(database: &Database, run: i64, finished: bool) -> Result<bool> {
    let doing = || RlsError::query("ending the run");
    let mut tx = begin(database, LOCK_TIMEOUT).await?;
    let ended = sqlx::query("UPDATE tenant_ops.run SET state = $2, ended_at = clock_timestamp() WHERE id = $1")
        .bind(run)
        .bind(if finished { "done" } else { "stopped" })
        .execute(tx.connection())
        .await
        .map_err(doing())?;
    let forgotten = sqlx::query(include_str!("../../../sql/tenant-ops/forget_empty_run.sql"))
        .bind(run)
        .execute(tx.connection())
        .await
        .map_err(doing())?;
    tx.commit().await?;
    // Asked again after a lost connection, it may be forgotten already.
    Ok(ended.rows_affected() == 1 && forgotten.rows_affected() == 0)
}

/// The statement that writes one tenant's rows, $2. Before it, `apply_batch` sets the session variable to the tenant's id. Where that must be a
/// document, this sets it again, in the same command: the layout of `tenant_ops` then need not know of it.
fn in_scope(setting: &SessionSetting, write: &Sql) -> Sql {
    if !setting.is_document() {
        return write.clone();
    }
    Template::new(include_str!("../../../sql/tenant-ops/decide_in_scope.sql"))
        .literal("variable", setting.variable())
        .fragment("value", setting.value_of(Sql::from_static("$2")))
        .fragment("write", write.clone())
        .build()
}

/// For each of these rows of `table` (`schema.table`), the run that gave it the tenant beside it by a decision that was not taken back.
///
/// # Errors
/// [`crate::Error::Untrusted`]; [`crate::Error::Database`].
pub async fn decided(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    table: &str,
    keys: &[&str],
    tenants: &[&str],
) -> Result<Vec<Option<i64>>> {
    let mut runs = vec![None; keys.len()];
    if !verified(connection, tenancy).await?.is_some_and(|there| there.objects.contains("journal")) {
        return Ok(runs);
    }
    let before = act(connection).await?;
    let rows = sqlx::query(include_str!("../../../sql/tenant-ops/decided.sql"))
        .bind(table)
        .bind(keys)
        .bind(tenants)
        .fetch_all(&mut *connection)
        .await
        .map_err(RlsError::query("reading the journal"))?;
    before.again(connection).await?;
    for row in rows {
        runs[position(row.get("nth"))] = Some(row.get("run_id"));
    }
    Ok(runs)
}

/// The index of what the server counts from 1.
fn position(nth: i64) -> usize {
    usize::try_from(nth - 1).expect("the server counts from 1")
}
