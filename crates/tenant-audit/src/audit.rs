//! The audit: one snapshot for all tables, several tables at a time, each in a transaction of its own.

use futures_util::{StreamExt, stream};
use sqlx::Row;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_inventory::Missing;
use tenant_rls::{Access, ActingRole, AuditTx, Database, visibility};
use tokio::sync::Semaphore;

use crate::plan::TableCount;
use crate::{AuditReport, AuditTotals, CrossReference, Error, Result, SCHEMA, TableReport, next};

/// What to audit, and how fast.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// Tables, as `table` or `schema.table`; none means all.
    pub tables: Vec<String>,
    /// The most tables that are counted at once. A pool that gives fewer connections than that needs lowers it.
    pub concurrency: usize,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { tables: Vec::new(), concurrency: 2 }
    }
}

/// What an audit is doing.
#[derive(Debug, Clone)]
pub enum AuditProgress {
    /// The tables are known, and a role that sees all of them.
    Planned {
        /// How many tables there are.
        tables: usize,
        /// Their rows by the last ANALYZE.
        estimated_rows: u64,
        /// The role that reads them.
        role: Option<ActingRole>,
    },
    /// A table has been counted.
    Counted {
        /// The table.
        table: TableName,
        /// Its rows.
        rows: u64,
        /// How many tables have been counted.
        done: usize,
        /// How many there are.
        of: usize,
    },
}

/// Counts what is wrong in every tenant table, or in those that `options` names.
///
/// # Errors
/// [`tenant_rls::Error::CannotSee`] where no role that this login may use is proven to see every row;
/// [`tenant_rls::Error::NoTable`] for a table that is not a tenant table; [`Error::Rewritten`] where a migration ran at the
/// same time; otherwise what the server said.
pub async fn audit(
    database: &Database,
    tenancy: &Tenancy,
    options: &AuditOptions,
    progress: &mut dyn FnMut(AuditProgress),
) -> Result<AuditReport> {
    // One for the snapshot, one for a table.
    database.needs_connections(2)?;
    let login = ActingRole::Login(database.session().role.clone());
    // The coordinator reads no table: it only holds the snapshot, so each table's lock ends with that table's own transaction.
    let mut coordinator = AuditTx::begin(database, &[], std::slice::from_ref(&login), None).await?;
    keep_idle(&mut coordinator).await?;
    let snapshot = coordinator.export().await?;
    // After the snapshot: a NOT NULL that is proven now also holds for every row that could still be found at fault.
    let catalog = Catalog::load(database, tenancy).await?;
    let (mut plans, missing) = select(&catalog, tenancy, &options.tables)?;
    let role = proven_role(database, tenancy, login, &plans).await?;

    let of = plans.len();
    let estimated_rows = plans.iter().map(|plan| plan.table.estimated_rows.max(0.0) as u64).sum();
    progress(AuditProgress::Planned { tables: of, estimated_rows, role: role.clone() });
    // The largest first, so that none is left over to be waited for alone.
    plans.sort_by(|one, other| other.table.estimated_rows.total_cmp(&one.table.estimated_rows));

    let connections = Connections::new(database, &plans, role.as_ref()).await?;
    let mut running = stream::iter(&plans)
        .map(|plan| count(database, &connections, plan, role.as_slice(), &snapshot))
        .buffer_unordered(options.concurrency.max(1));
    let mut tables = Vec::with_capacity(of);
    while let Some(counted) = running.next().await {
        let counted = counted?;
        let (table, rows) = (counted.table.clone(), counted.rows);
        tables.push(counted);
        progress(AuditProgress::Counted { table, rows, done: tables.len(), of });
    }
    drop(running);
    coordinator.close().await?;

    tables.sort_by(|one, other| one.table.cmp(&other.table));
    let tenants_found = catalog.tenant_key_type.is_some();
    Ok(AuditReport {
        schema: SCHEMA,
        database: database.session().database.clone(),
        role,
        tenants: catalog.tenants.clone(),
        tenants_found,
        totals: AuditTotals::of(&tables, &missing, tenants_found),
        next: next::steps(&catalog, &missing, tenancy, &tables),
        tables,
        missing,
    })
}

/// The coordinator is idle for as long as the largest table takes; a server that ends idle transactions (some providers set
/// minutes) would take the snapshot away from the tables that are still to come.
async fn keep_idle(coordinator: &mut AuditTx) -> Result<()> {
    sqlx::query("SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true)")
        .execute(coordinator.connection())
        .await
        .map_err(tenant_rls::Error::query("keeping the snapshot open"))?;
    Ok(())
}

/// The tables that are meant: what to count, and what is not there to be counted.
fn select(catalog: &Catalog, tenancy: &Tenancy, names: &[String]) -> Result<(Vec<TableCount>, Vec<Missing>)> {
    let key = Ident::new(&tenancy.tenant.key)?;
    let plan = |table| Ok(TableCount::new(catalog, &key, table)?);
    if names.is_empty() {
        return Ok((catalog.tables.iter().map(plan).collect::<Result<_>>()?, catalog.missing.clone()));
    }
    let (mut plans, mut missing) = (Vec::<TableCount>::new(), Vec::<Missing>::new());
    for name in names {
        let name = TableName::parse(name, &tenancy.database.schema)?;
        if plans.iter().any(|plan| plan.table.name == name) || missing.iter().any(|missing| missing.table == name) {
            continue;
        }
        match catalog.missing.iter().find(|missing| missing.table == name) {
            Some(found) => missing.push(found.clone()),
            None => plans.push(plan(catalog.table(&name)?)?),
        }
    }
    Ok((plans, missing))
}

/// Finds the role for all tables before the first is read: an audit that cannot end is not begun.
async fn proven_role(
    database: &Database,
    tenancy: &Tenancy,
    login: ActingRole,
    plans: &[TableCount],
) -> Result<Option<ActingRole>> {
    if plans.is_empty() {
        return Ok(None);
    }
    let access: Vec<Access> = plans.iter().flat_map(|plan| plan.access.clone()).collect();
    let mut candidates = vec![login];
    for role in [&tenancy.roles.auditor, &tenancy.roles.maintenance] {
        if !role.is_empty() {
            candidates.push(ActingRole::Assumed(Ident::new(role)?));
        }
    }
    Ok(Some(visibility::acting_role(database, &access, &candidates).await?))
}

/// Shares the pool's connections between the tables.
///
/// Under policies an [`AuditTx`] keeps two: one holds the locks. If tasks took them one by one, all could hold one and wait for another
/// for ever; so a task takes both at once, before it asks the pool.
struct Connections {
    free: Semaphore,
    each: u32,
}

impl Connections {
    /// Those beside the coordinator's.
    async fn new(database: &Database, plans: &[TableCount], role: Option<&ActingRole>) -> Result<Self> {
        let access: Vec<Access> = plans.iter().flat_map(|plan| plan.access.clone()).collect();
        let by_policy = match role {
            Some(role) => visibility::reads_by_policy(database, &access, role).await?,
            None => false,
        };
        let each = if by_policy { 2 } else { 1 };
        database.needs_connections(1 + each)?;
        Ok(Self { free: Semaphore::new(database.max_connections() as usize - 1), each })
    }
}

async fn count(
    database: &Database,
    connections: &Connections,
    plan: &TableCount,
    role: &[ActingRole],
    snapshot: &str,
) -> Result<TableReport> {
    let _held = connections.free.acquire_many(connections.each).await.expect("nobody closes the semaphore");
    let mut audit = AuditTx::begin(database, &plan.access, role, Some(snapshot)).await?;
    let doing = || tenant_rls::Error::query(format!("counting {}", plan.table.name));
    let row = sqlx::query(&plan.statement).persistent(false).fetch_one(audit.connection()).await.map_err(doing())?;
    refuse_rewritten(&mut audit, &plan.access).await?;
    audit.close().await?;

    let rows: Vec<i64> = row.get(4);
    let references = plan.references.iter().zip(rows);
    Ok(TableReport {
        table: plan.table.name.clone(),
        column: plan.table.column.name.clone(),
        column_type: plan.table.column.type_name.clone(),
        rows: number(row.get(0)),
        null_rows: number(row.get(1)),
        null_proven: plan.table.column.never_null,
        platform_rows: plan.table.platform_rows,
        empty_rows: number(row.get(2)),
        ghost_rows: plan.looks_for_ghosts.then(|| number(row.get(3))),
        cross_references: references.map(|(key, rows)| CrossReference { rows: number(rows), ..key.clone() }).collect(),
        missing: plan.missing.clone(),
    })
}

/// A count is never negative.
fn number(count: i64) -> u64 {
    count.unsigned_abs()
}

/// Fails where the snapshot could not show a table whole. Asked after the scan, whose lock keeps the answer true.
async fn refuse_rewritten(audit: &mut AuditTx, access: &[Access]) -> Result<()> {
    let rewritten = sqlx::query(include_str!("../../../sql/audit/rewritten.sql"))
        .bind(access.iter().map(|need| need.table.schema().as_str()).collect::<Vec<_>>())
        .bind(access.iter().map(|need| need.table.name().as_str()).collect::<Vec<_>>())
        .fetch_optional(audit.pinned().await?)
        .await
        .map_err(tenant_rls::Error::query("looking for tables that were rewritten meanwhile"))?;
    match rewritten {
        None => Ok(()),
        Some(row) => {
            let (schema, name) = (Ident::new(row.get::<String, _>(0))?, Ident::new(row.get::<String, _>(1))?);
            Err(Error::Rewritten { table: TableName::new(schema, name) })
        }
    }
}
