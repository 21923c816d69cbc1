//! The undo of a run: rows that still have the tenant which the run gave them lose it again.

use std::time::Duration;

use serde::Serialize;
use sqlx::Row;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_ops::{Lease, RunRecord, RunState, UndoCall, UndoCounts, UndoStatement, change_state};
use tenant_rls::row_count::from_bigint;
use tenant_rls::{
    Access, ActingRole, AuditTx, Backoff, BatchOptions, BatchTx, CATALOG_LOCK_TIMEOUT, Database, Error as RlsError,
    KeyFamily, OwnerTx, Sql, retry_locks, visibility,
};
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::history::made::MadeRowsOf;
use crate::history::runs;
use crate::plan::BackfillPlan;
use crate::plan::cast::Cast;
use crate::preflight::side_effects;
use crate::preflight::write::Write;
use crate::progress::BackfillEvent;
use crate::statements::keyed::{take_back, written};

/// The most rows of one transaction.
const ROWS: i64 = 5_000;

/// The states of a run that has assigned rows. Processes that help with a run may be alive although its leader is gone.
const ASSIGNED: [RunState; 6] = [
    RunState::Running,
    RunState::Paused,
    RunState::Stopped,
    RunState::Cancelled,
    RunState::Done,
    // An undo that was stopped, which is counted anew.
    RunState::Undoing,
];

/// The undo of one run.
#[derive(Debug, Clone, Copy)]
pub struct Undo<'a> {
    /// The database.
    pub database: &'a Database,
    /// The roles and the session variable.
    pub tenancy: &'a Tenancy,
    /// The run, by its number.
    pub run: i64,
    /// Count the rows and change nothing.
    pub dry_run: bool,
    /// The operator, as others see them in the lease.
    pub holder: &'a str,
}

/// The result of an undo. The JSON shape is `backfill-undo/1`.
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
    /// The run had made its rows, so that taking them back deletes them.
    pub deletes: bool,
    /// The operator stopped it; the same command goes on.
    pub stopped: bool,
    /// Rows that have what they had before the run, mostly no tenant; or that are deleted.
    pub undone: u64,
    /// Rows that were left alone, as they are gone or have another tenant now; rows that a run made, also where they were changed, or
    /// other rows point to them.
    pub kept: u64,
    /// Rows that the undo did not come to. The next one goes on with them.
    pub left: u64,
}

impl Undo<'_> {
    /// Undoes the run, or as much of it as is done when `stop` turns true.
    ///
    /// # Errors
    /// [`Error::NoRun`] if there is no such run; [`Error::Unsuitable`] if its table cannot be backfilled any more;
    /// [`Error::Triggers`] or [`Error::Rules`] if something would fire that `tenancy.toml` does not allow;
    /// [`Error::Strict`] if the table requires a tenant; [`Error::NotHeld`] if its tenant column has another type since, which cannot hold what
    /// rows had; [`Error::Dependent`] if later runs took tenants from its rows;
    /// [`tenant_rls::Error::CannotSee`] if row level security hides rows from this login; [`tenant_ops::Error::Held`]
    /// if another run works on the table; [`Error::Database`] if the database refuses. Rows that the run made need no proof that the
    /// login sees every row, and no column that can be NULL.
    pub async fn run(
        self,
        stop: watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<UndoReport> {
        let runs = runs(self.database, self.tenancy).await?;
        let record = runs.iter().find(|run| run.id == self.run).ok_or(Error::NoRun { run: self.run })?;
        let catalog = Catalog::load(self.database, self.tenancy).await?;
        let plan = BackfillPlan::bare(&catalog, self.tenancy, &record.table)?;
        let made = record.job == tenant_ops::MEMBERSHIPS_JOB;
        if !made && catalog.table(&plan.table)?.column.not_null && self.had_none().await? {
            return Err(Error::Strict { table: plan.table });
        }
        if let Some(value) = self.not_held(&plan).await? {
            let (table, column) = (plan.table, plan.column.to_string());
            let type_name = plan.column_type.cast().trim_start_matches("pg_catalog.");
            return Err(Error::NotHeld { run: self.run, table, column, type_name, value });
        }
        let dependent = dependent(self.tenancy, &plan.table, record, &runs);
        if !dependent.is_empty() {
            return Err(Error::Dependent { run: self.run, later: dependent });
        }
        let role = ActingRole::Login(self.database.session().role.clone());
        if made {
            return self.run_made(&plan, &role, stop, progress).await;
        }
        let access = [Access {
            table: plan.table.clone(),
            read: plan.key.columns().chain([plan.column.clone()]).collect(),
            write: Some(plan.column.clone()),
        }];
        visibility::acting_role(self.database, &access, std::slice::from_ref(&role)).await?;
        side_effects::check(self.database, self.tenancy, (&plan, Write::Update), &role).await?;
        if self.dry_run {
            return self.count(&plan, &access, &role).await;
        }
        self.write(&plan, take_back(&plan), stop, progress).await
    }

    /// The same for rows that the run made. Each is deleted in the scope of its tenant, so that the login need not see every row.
    async fn run_made(
        self,
        plan: &BackfillPlan,
        role: &ActingRole,
        stop: watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<UndoReport> {
        side_effects::check(self.database, self.tenancy, (plan, Write::Delete), role).await?;
        let made = MadeRowsOf::read(self.database, self.tenancy, plan).await?;
        let report = match self.dry_run {
            true => {
                let (undone, kept) = made.count(self.database, self.tenancy, self.run).await?;
                self.report(plan, undone, kept)
            }
            false => self.write(plan, made.take_back(), stop, progress).await?,
        };
        Ok(UndoReport { deletes: true, ..report })
    }

    /// Takes the run back, under the lease on its table.
    async fn write(
        &self,
        plan: &BackfillPlan,
        take_back: Sql,
        stop: watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<UndoReport> {
        tenant_ops::install(self.database, self.tenancy).await?;
        let mut waiting = |holder: &str| progress(BackfillEvent::Waiting { holder: holder.to_owned() });
        let resource = tenant_ops::backfill_resource(&plan.table);
        let lease = Lease::acquire(self.database, &resource, self.holder, &mut waiting).await?;
        let alive = lease.keep_alive(self.database);
        // After this no process of the run writes.
        change_state(self.database, self.tenancy, self.run, RunState::Undoing, self.holder, &ASSIGNED).await?;
        let rows = self.rows().await?;
        progress(BackfillEvent::Undoing { table: plan.table.clone(), run: self.run, rows });
        let statement = UndoStatement::new(&plan.setting, take_back);
        let done = self.take_back(&statement, &lease, &stop, progress).await;
        drop(alive);
        // An error is ignored: the lease expires.
        let _ = lease.release(self.database).await;
        let (stopped, undone, kept) = done?;
        Ok(UndoReport { stopped, left: rows.saturating_sub(undone + kept), ..self.report(plan, undone, kept) })
    }

    /// A value that rows had before the run, and that their tenant column cannot hold since it got another type.
    async fn not_held(&self, plan: &BackfillPlan) -> Result<Option<String>> {
        let cast = match plan.column_type.family() {
            KeyFamily::Text => return Ok(None),
            KeyFamily::Uuid => Cast::Uuid,
            KeyFamily::Integer => Cast::Integer,
        };
        let mut tx = OwnerTx::begin(self.database, CATALOG_LOCK_TIMEOUT).await?;
        let value =
            tenant_ops::before_not_held(tx.connection(), self.run, cast.of(Sql::from_static("had.before"))).await?;
        tx.rollback().await?;
        Ok(value)
    }

    /// Whether rows of the run had no tenant before.
    async fn had_none(&self) -> Result<bool> {
        let mut tx = OwnerTx::begin(self.database, CATALOG_LOCK_TIMEOUT).await?;
        let had_none = tenant_ops::had_none(tx.connection(), self.run).await?;
        tx.rollback().await?;
        Ok(had_none)
    }

    fn report(&self, plan: &BackfillPlan, undone: u64, kept: u64) -> UndoReport {
        UndoReport {
            schema: "backfill-undo/1",
            run: self.run,
            table: plan.table.clone(),
            dry_run: self.dry_run,
            deletes: false,
            stopped: false,
            undone,
            kept,
            left: 0,
        }
    }

    /// Counts what an undo would do now.
    async fn count(&self, plan: &BackfillPlan, access: &[Access], role: &ActingRole) -> Result<UndoReport> {
        let sql = written(include_str!("../../../../sql/backfill-engine/still_ours.sql"), plan)
            .fragment("key_is_named", plan.key.is_named())
            .ident("key", &plan.key.first())
            .build();
        let mut audit = AuditTx::begin(self.database, access, std::slice::from_ref(role), None).await?;
        let row = sqlx::query(&sql)
            .bind(self.run)
            .fetch_one(audit.connection())
            .await
            .map_err(RlsError::query("counting the rows that still have their tenant"))?;
        audit.close().await?;
        let (all, ours) = (from_bigint(row.get("all_rows")), from_bigint(row.get("still_ours")));
        Ok(self.report(plan, ours, all - ours))
    }

    /// The rows that are still to be taken back.
    async fn rows(&self) -> Result<u64> {
        let mut tx = OwnerTx::begin(self.database, CATALOG_LOCK_TIMEOUT).await?;
        let rows = tenant_ops::rows_to_take_back(tx.connection(), self.run).await?;
        tx.rollback().await?;
        Ok(rows)
    }

    async fn take_back(
        &self,
        statement: &UndoStatement,
        lease: &Lease,
        stop: &watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<(bool, u64, u64)> {
        let variable = &self.tenancy.session.variable;
        let call = UndoCall { run: self.run, variable, statement, rows: ROWS };
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
            progress(BackfillEvent::Batch { examined: undone + kept, assigned: undone });
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

/// Later runs that are not undone, on tables that take their tenant from this one. They must be undone first.
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
