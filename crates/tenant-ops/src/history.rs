//! The runs of the journal, and every tenant that a row was given.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use tenancy_config::Tenancy;
use tenant_rls::Error as RlsError;
use tenant_rls::row_count::from_bigint;

use crate::error::Result;
use crate::owner::act;
use crate::state::RunState;
use crate::trust::readable;

/// A run as the journal has it.
#[derive(Debug, Clone, Serialize)]
pub struct RunRecord {
    /// Its number.
    pub id: i64,
    /// The job that began it.
    pub job: String,
    /// The table, as `schema.table`.
    pub table: String,
    /// Its state.
    pub state: RunState,
    /// Who set the state; none while it is that of the beginning.
    pub state_by: Option<String>,
    /// When.
    pub state_at: DateTime<Utc>,
    /// `report` or `first`.
    pub on_conflict: String,
    /// The names of the sources, best first.
    pub sources: Vec<String>,
    /// The login.
    pub login: String,
    /// The machine that it began on.
    pub host: String,
    /// The version of this program that began it.
    pub tool_version: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended or was stopped.
    pub ended_at: Option<DateTime<Utc>>,
    /// Rows that it gave a tenant.
    pub assigned: u64,
    /// Rows that it examined; a row counts once for each pass.
    pub examined: u64,
    /// Transactions.
    pub batches: u64,
    /// The pass that it is in, or ended in.
    pub pass: i32,
    /// Ranges of that pass.
    pub ranges: u64,
    /// Those that are done.
    pub ranges_done: u64,
    /// How far it was taken back; none where no undo has written.
    pub undo: Option<UndoProgress>,
}

/// How far a run was taken back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UndoProgress {
    /// Rows that have what they had before the run, mostly no tenant.
    pub undone: u64,
    /// Rows that were left alone: they are gone, or have another tenant by now.
    pub kept: u64,
    /// Rows that the undo has not come to. The next one goes on with them.
    pub left: u64,
    /// In how many seconds these will be done, at the rate of the undo so far; none for one that is over or has just begun.
    pub seconds_left: Option<f64>,
}

/// One time that a row was given a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assignment {
    /// The run.
    pub run: i64,
    /// The job that began it.
    pub job: String,
    /// The tenant; the empty string where a value was taken away.
    pub tenant: String,
    /// What the row had before; none where it had no tenant.
    pub before: Option<String>,
    /// The source that named it; none where another version of this program did not note it.
    pub source: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// The login.
    pub login: String,
    /// The machine that the run began on.
    pub host: String,
    /// The version of this program.
    pub tool_version: String,
    /// `report` or `first`: with the latter, sources that disagreed did not matter.
    pub on_conflict: String,
    /// When it was taken back.
    pub undone_at: Option<DateTime<Utc>>,
}

/// Every run, the newest first, or the one that is asked for; none where nothing was ever run here.
///
/// # Errors
/// [`crate::Error::Untrusted`]; [`crate::Error::Database`].
pub async fn runs(connection: &mut PgConnection, tenancy: &Tenancy, id: Option<i64>) -> Result<Vec<RunRecord>> {
    if !has_journal(connection, tenancy).await? {
        return Ok(Vec::new());
    }
    let before = act(connection).await?;
    let rows = sqlx::query(include_str!("../../../sql/tenant-ops/runs.sql")).bind(id).fetch_all(&mut *connection).await;
    let rows = rows.map_err(RlsError::query("reading the runs"))?;
    before.again(connection).await?;
    Ok(rows.iter().map(run).collect())
}

/// Every time that a row of `table` (`schema.table`) was given a tenant, oldest first.
///
/// # Errors
/// [`crate::Error::Untrusted`]; [`crate::Error::Database`].
pub async fn why(connection: &mut PgConnection, tenancy: &Tenancy, table: &str, key: &str) -> Result<Vec<Assignment>> {
    if !has_journal(connection, tenancy).await? {
        return Ok(Vec::new());
    }
    let before = act(connection).await?;
    let query = sqlx::query(include_str!("../../../sql/tenant-ops/why.sql")).bind(table).bind(key);
    let rows = query.fetch_all(&mut *connection).await.map_err(RlsError::query("reading the journal"))?;
    before.again(connection).await?;
    let assignment = |row: &PgRow| Assignment {
        run: row.get("run_id"),
        job: row.get("job"),
        tenant: row.get("tenant_id"),
        before: row.get("before"),
        source: row.get("source"),
        at: row.get("written_at"),
        login: row.get("login"),
        host: row.get("host"),
        tool_version: row.get("tool_version"),
        on_conflict: row.get("on_conflict"),
        undone_at: row.get("undone_at"),
    };
    Ok(rows.iter().map(assignment).collect())
}

/// Whether there is a journal of runs here that may be relied on.
async fn has_journal(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<bool> {
    let verified = readable(connection, tenancy).await?;
    Ok(verified.is_some_and(|there| there.objects.contains("run") && there.objects.contains("progress")))
}

/// The progress of the undo, if there is one. `since` are the rows since the last one began, at `state_at`.
fn undo(row: &PgRow, state: RunState, assigned: u64) -> Option<UndoProgress> {
    let Some(undone) = row.get::<Option<i64>, _>("undone").map(from_bigint) else {
        let begun = state == RunState::Undoing;
        return begun.then_some(UndoProgress { undone: 0, kept: 0, left: assigned, seconds_left: None });
    };
    let kept = from_bigint(row.get("kept"));
    let left = assigned.saturating_sub(undone + kept);
    let (began, last): (DateTime<Utc>, DateTime<Utc>) = (row.get("state_at"), row.get("last_at"));
    let since = from_bigint(row.get("since"));
    let seconds = (last - began).as_seconds_f64();
    let estimated = state == RunState::Undoing && since > 0 && seconds > 0.0;
    let seconds_left = estimated.then(|| left as f64 * seconds / since as f64);
    Some(UndoProgress { undone, kept, left, seconds_left })
}

fn run(row: &PgRow) -> RunRecord {
    let (state, assigned) = (RunState::parse(row.get("state")), from_bigint(row.get("assigned")));
    RunRecord {
        undo: undo(row, state, assigned),
        id: row.get("id"),
        job: row.get("job"),
        table: row.get("table_name"),
        state,
        on_conflict: row.get("on_conflict"),
        sources: row.get("sources"),
        login: row.get("login"),
        host: row.get("host"),
        tool_version: row.get("tool_version"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
        assigned,
        state_by: row.get("state_by"),
        state_at: row.get("state_at"),
        pass: row.get("pass"),
        examined: from_bigint(row.get("examined")),
        batches: from_bigint(row.get("batches")),
        ranges: from_bigint(row.get("ranges")),
        ranges_done: from_bigint(row.get("ranges_done")),
    }
}
