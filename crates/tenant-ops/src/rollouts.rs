//! Rollouts of row level security: the journal has the statements of each step and every definition that it changed, so that the step
//! can be taken back.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Database, Error as RlsError, OwnerTx};

use crate::error::Result;
use crate::host::this_host;
use crate::lease::Lease;
use crate::owner::{LOCK_TIMEOUT, RoleBefore, act, begin};
use crate::trust::readable;

/// A rollout in `tenant_ops.rollout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollout {
    /// Its number.
    pub id: i64,
    /// This login writes the journal as itself, and need not ask for that at each step.
    is_owner: bool,
}

/// A step that is to be recorded, in the transaction that did it.
#[derive(Debug)]
pub struct NewStep<'a, C> {
    /// The table that it changed.
    pub table: &'a TableName,
    /// The phase that it belongs to.
    pub phase: &'a str,
    /// Its name within the phase.
    pub step: &'a str,
    /// The statements, as they were sent to the server.
    pub statements: Vec<&'a str>,
    /// The definitions that it changed.
    pub changes: &'a [C],
}

/// A step that was done and not taken back.
#[derive(Debug, Clone)]
pub struct RecordedStep<C> {
    /// Its number; later steps have higher ones.
    pub id: i64,
    /// The rollout that did it.
    pub rollout: i64,
    /// The table.
    pub table: TableName,
    /// The phase.
    pub phase: String,
    /// The definitions that it changed.
    pub changes: Vec<C>,
}

impl Rollout {
    /// Opens a rollout; `command` is what people read in the journal, such as `rollout --phase auto`.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn open(database: &Database, command: &str) -> Result<Self> {
        let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
        let before = act(tx.connection()).await?;
        let id = sqlx::query_scalar(
            "INSERT INTO tenant_ops.rollout (command, tool_version, host) VALUES ($1, $2, $3) RETURNING id",
        )
        .bind(command)
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(this_host())
        .fetch_one(tx.connection())
        .await
        .map_err(RlsError::query("opening a rollout in the journal"))?;
        tx.commit().await?;
        Ok(Self { id, is_owner: before.is_same() })
    }

    /// Records a step that was done under `lease`, and returns its number. It is committed or rolled back with the caller's transaction.
    ///
    /// # Errors
    /// [`crate::Error::LeaseLost`] where somebody has taken the lease over: the caller's transaction must not be committed then;
    /// [`crate::Error::Database`].
    pub async fn record<C: Serialize + Send + Sync>(
        self,
        connection: &mut PgConnection,
        lease: &Lease,
        step: &NewStep<'_, C>,
    ) -> Result<i64> {
        let before = self.act(connection).await?;
        let id = sqlx::query_scalar(include_str!("../../../sql/tenant-ops/record_step.sql"))
            .bind(self.id)
            .bind(step.table.schema().as_str())
            .bind(step.table.name().as_str())
            .bind(step.phase)
            .bind(step.step)
            .bind(&step.statements)
            .bind(Json(step.changes))
            .bind(&lease.resource)
            .bind(lease.fence)
            .fetch_optional(&mut *connection)
            .await
            .map_err(RlsError::query("writing the step into the journal"))?;
        before.again(connection).await?;
        id.ok_or_else(|| lease.lost())
    }

    /// Replaces the changes of a step that needed several transactions, once it is done.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn complete<C: Serialize + Send + Sync>(
        self,
        connection: &mut PgConnection,
        step: i64,
        changes: &[C],
    ) -> Result<(), RlsError> {
        let before = self.act(connection).await?;
        sqlx::query("UPDATE tenant_ops.rollout_step SET changes = $2, done_at = clock_timestamp() WHERE id = $1")
            .bind(step)
            .bind(Json(changes))
            .execute(&mut *connection)
            .await
            .map_err(RlsError::query("completing the step in the journal"))?;
        before.again(connection).await
    }

    async fn act(self, connection: &mut PgConnection) -> Result<RoleBefore, RlsError> {
        if self.is_owner { Ok(RoleBefore::same()) } else { act(connection).await }
    }

    /// Ends the rollout: it is finished, or may be continued later.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn end(self, database: &Database, finished: bool) -> Result<()> {
        let mut tx = begin(database, LOCK_TIMEOUT).await?;
        sqlx::query("UPDATE tenant_ops.rollout SET state = $2, ended_at = clock_timestamp() WHERE id = $1")
            .bind(self.id)
            .bind(if finished { "done" } else { "stopped" })
            .execute(tx.connection())
            .await
            .map_err(RlsError::query("closing the rollout in the journal"))?;
        Ok(tx.commit().await?)
    }

    /// Marks steps as taken back by this rollout.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn undo(self, connection: &mut PgConnection, steps: &[i64]) -> Result<(), RlsError> {
        let before = self.act(connection).await?;
        sqlx::query("UPDATE tenant_ops.rollout_step SET undone_by = $1 WHERE id = ANY ($2)")
            .bind(self.id)
            .bind(steps)
            .execute(&mut *connection)
            .await
            .map_err(RlsError::query("marking steps as taken back"))?;
        before.again(connection).await
    }
}

/// Every step that was done and not taken back, in that order; none where nothing was ever rolled out here.
///
/// # Errors
/// [`crate::Error::Untrusted`]; [`crate::Error::Database`].
pub async fn standing_steps<C>(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<Vec<RecordedStep<C>>>
where
    C: DeserializeOwned + Send + Unpin + 'static,
{
    let doing = || RlsError::query("reading the journal of rollouts");
    if !readable(connection, tenancy).await?.is_some_and(|there| there.objects.contains("rollout_step")) {
        return Ok(Vec::new());
    }
    let before = act(connection).await?;
    let rows =
        sqlx::query(include_str!("../../../sql/tenant-ops/standing_steps.sql")).fetch_all(&mut *connection).await;
    let mut steps = Vec::new();
    for row in rows.map_err(doing())? {
        let Json(changes) = row.try_get("changes").map_err(doing())?;
        let table = TableName::new(
            Ident::new(row.get::<String, _>("schema_name"))?,
            Ident::new(row.get::<String, _>("table_name"))?,
        );
        steps.push(RecordedStep {
            id: row.get("id"),
            rollout: row.get("rollout_id"),
            table,
            phase: row.get("phase"),
            changes,
        });
    }
    before.again(connection).await?;
    Ok(steps)
}
