//! Taking a run back: rows that still have the tenant it gave them have none again.

use std::time::Duration;

use serde::Serialize;
use sqlx::Row;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_ops::{Assignment, Lease, RunRecord, RunState, UndoCall, UndoCounts, change_state};
use tenant_rls::{
    Access, ActingRole, AuditTx, Backoff, BatchOptions, BatchTx, Database, Error as RlsError, OwnerTx, Sql, Template,
    retry_locks, visibility,
};
use tokio::sync::watch;

use crate::{BackfillEvent, BackfillPlan, Error, Result};

/// So many rows are enough for one transaction.
const ROWS: i64 = 5_000;

/// What is to be taken back.
#[derive(Debug, Clone, Copy)]
pub struct Undo<'a> {
    /// Where.
    pub database: &'a Database,
    /// The roles and the session variable.
    pub tenancy: &'a Tenancy,
    /// The run, by its number.
    pub run: i64,
    /// Count, and change nothing.
    pub dry_run: bool,
    /// Who does it, for a second operator to read.
    pub holder: &'a str,
}

/// What was taken back; its JSON is `backfill-undo/1`.
#[derive(Debug, Clone, Serialize)]
pub struct UndoReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The run.
    pub run: i64,
    /// Its table.
    pub table: TableName,
    /// Nothing was changed.
    pub dry_run: bool,
    /// The operator stopped it; the same command goes on.
    pub stopped: bool,
    /// Rows that have no tenant again.
    pub undone: u64,
    /// Rows that are gone, or have another tenant by now: they were left alone.
    pub kept: u64,
}

impl Undo<'_> {
    /// Takes the run back, or as much of it as is done when `stop` turns true.
    ///
    /// # Errors
    /// [`Error::NoRun`]; [`Error::Dependent`] where later runs drew on its rows; [`Error::Strict`] where the table requires
    /// a tenant; [`tenant_rls::Error::CannotSee`] where row level security hides rows from this login.
    pub async fn run(
        self,
        stop: watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<UndoReport> {
        let runs = runs(self.database, self.tenancy).await?;
        let record = runs.iter().find(|run| run.id == self.run).ok_or(Error::NoRun { run: self.run })?;
        let catalog = Catalog::load(self.database, self.tenancy).await?;
        let plan = BackfillPlan::bare(&catalog, self.tenancy, &record.table)?;
        if catalog.table(&plan.table)?.column.not_null {
            return Err(Error::Strict { table: plan.table });
        }
        let dependent = dependent(self.tenancy, &plan.table, record, &runs);
        if !dependent.is_empty() {
            return Err(Error::Dependent { run: self.run, later: dependent });
        }
        let role = ActingRole::Login(self.database.session().role.clone());
        let access = [Access {
            table: plan.table.clone(),
            read: plan.key.columns().chain([plan.column.clone()]).collect(),
            write: Some(plan.column.clone()),
        }];
        visibility::acting_role(self.database, &access, std::slice::from_ref(&role)).await?;
        if self.dry_run {
            return self.count(&plan, &access, &role).await;
        }
        tenant_ops::install(self.database, self.tenancy).await?;
        let mut waiting = |holder: &str| progress(BackfillEvent::Waiting { holder: holder.to_owned() });
        let resource = format!("backfill of {}", plan.table);
        let lease = Lease::acquire(self.database, &resource, self.holder, &mut waiting).await?;
        let alive = lease.keep_alive(self.database);
        // Processes that helped with it may be alive though nobody leads them; after this none of them writes.
        let unfinished = [RunState::Running, RunState::Paused, RunState::Stopped];
        change_state(self.database, self.tenancy, self.run, RunState::Cancelled, self.holder, &unfinished).await?;
        let done = self.take_back(&plan, &lease, &stop, progress).await;
        drop(alive);
        // Failing to is no error of its own: the lease runs out.
        let _ = lease.release(self.database).await;
        let (stopped, undone, kept) = done?;
        Ok(UndoReport { stopped, ..self.report(&plan, undone, kept) })
    }

    fn report(&self, plan: &BackfillPlan, undone: i64, kept: i64) -> UndoReport {
        let count = |rows: i64| u64::try_from(rows).unwrap_or_default();
        UndoReport {
            schema: "backfill-undo/1",
            run: self.run,
            table: plan.table.clone(),
            dry_run: self.dry_run,
            stopped: false,
            undone: count(undone),
            kept: count(kept),
        }
    }

    /// What an undo would do now.
    async fn count(&self, plan: &BackfillPlan, access: &[Access], role: &ActingRole) -> Result<UndoReport> {
        let sql = written(include_str!("../../../sql/backfill/still_ours.sql"), plan)
            .fragment("key_is_named", plan.key.is_named())
            .build();
        let mut audit = AuditTx::begin(self.database, access, std::slice::from_ref(role), None).await?;
        let row = sqlx::query(&sql)
            .bind(self.run)
            .fetch_one(audit.connection())
            .await
            .map_err(RlsError::query("counting the rows that still have their tenant"))?;
        audit.close().await?;
        let (all, ours): (i64, i64) = (row.get(0), row.get(1));
        Ok(self.report(plan, ours, all - ours))
    }

    async fn take_back(
        &self,
        plan: &BackfillPlan,
        lease: &Lease,
        stop: &watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<(bool, i64, i64)> {
        let undo = by_key(include_str!("../../../sql/backfill/undo.sql"), plan);
        let variable = &self.tenancy.session.variable;
        let call = UndoCall { run: self.run, variable, undo: &undo, rows: ROWS };
        let (mut undone, mut kept) = (0, 0);
        loop {
            if *stop.borrow() {
                return Ok((true, undone, kept));
            }
            let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1), 6);
            let counts = retry_locks(backoff, async || self.batch(lease, &call).await).await?;
            if counts.entries == 0 {
                return Ok((false, undone, kept));
            }
            undone += counts.undone;
            kept += counts.kept;
            let count = |rows: i64| u64::try_from(rows).unwrap_or_default();
            progress(BackfillEvent::Batch { examined: count(undone + kept), assigned: count(undone) });
        }
    }

    async fn batch(&self, lease: &Lease, call: &UndoCall<'_>) -> Result<UndoCounts, RlsError> {
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        let counts = tenant_ops::undo_batch(tx.connection().await?, lease, call).await?;
        if counts.entries == 0 {
            tenant_ops::mark_undone(tx.connection().await?, self.run).await?;
        }
        tx.commit().await?;
        Ok(counts)
    }
}

/// Every run of this database, newest first.
///
/// # Errors
/// [`Error::Ops`]; [`Error::Database`].
pub async fn runs(database: &Database, tenancy: &Tenancy) -> Result<Vec<RunRecord>> {
    let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await?;
    let runs = tenant_ops::runs(tx.connection(), tenancy, None).await?;
    tx.rollback().await?;
    Ok(runs)
}

/// Every time that a row was given a tenant, oldest first.
///
/// # Errors
/// [`Error::Ops`]; [`Error::Database`].
pub async fn why(database: &Database, tenancy: &Tenancy, table: &TableName, key: &str) -> Result<Vec<Assignment>> {
    let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await?;
    let found = tenant_ops::why(tx.connection(), tenancy, &table.to_string(), key).await?;
    tx.rollback().await?;
    Ok(found)
}

/// Later runs, not taken back, on tables that draw their tenant from this one: they go first, children before parents.
fn dependent(tenancy: &Tenancy, table: &TableName, record: &RunRecord, runs: &[RunRecord]) -> Vec<(i64, String)> {
    let schema = &tenancy.database.schema;
    let parse = |name: &str| TableName::parse(name, schema).ok();
    let draws = |name: &str| {
        let rules = parse(name).and_then(|name| tenancy.rules(&name).cloned()).unwrap_or_default();
        rules.sources.iter().any(|source| parse(&source.table).as_ref() == Some(table))
    };
    let later = runs.iter().filter(|run| run.id > record.id && run.state != RunState::Undone && run.assigned > 0);
    later.filter(|run| draws(&run.table)).map(|run| (run.id, run.table.clone())).collect()
}

/// A statement that writes the rows whose keys it is given.
pub(crate) fn by_key(text: &'static str, plan: &BackfillPlan) -> Sql {
    written(text, plan).fragment("key_is_one_of", plan.key.is_one_of()).build()
}

fn written(text: &'static str, plan: &BackfillPlan) -> Template {
    Template::new(text)
        .fragment("whole", plan.whole())
        .ident("column", &plan.column)
        .fragment("type", Sql::from_static(plan.column_type.cast()))
}
