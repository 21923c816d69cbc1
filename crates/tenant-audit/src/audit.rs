//! The audit: one snapshot for all tables, several tables at a time, each in a transaction of its own.

use futures_util::{StreamExt, stream};
use sqlx::Row;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_inventory::Missing;
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Access, ActingRole, AuditTx, Database, visibility};
use tokio::sync::Semaphore;

use crate::access::access_of;
use crate::error::{Error, Result};
use crate::next_steps::next_steps;
use crate::report::{AuditReport, AuditTotals, CrossReference, SCHEMA, TableReport};
use crate::table_count::TableCount;

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
    // After the snapshot: where NOT NULL is proven now, no row is without a tenant any more, whatever the snapshot shows.
    let catalog = Catalog::load(database, tenancy).await?;
    let (mut counts, missing) = select(&catalog, tenancy, &options.tables)?;
    let role = proven_role(database, tenancy, &counts).await?;

    let of = counts.len();
    let estimated_rows = counts.iter().map(|count| count.table.estimated_rows.max(0.0) as u64).sum();
    progress(AuditProgress::Planned { tables: of, estimated_rows, role: role.clone() });
    // The largest first, so that the audit does not end with a large table that is counted alone.
    counts.sort_by(|one, other| other.table.estimated_rows.total_cmp(&one.table.estimated_rows));

    let connections = Connections::new(database, &counts, role.as_ref()).await?;
    let mut running = stream::iter(&counts)
        .map(|count| count_table(database, &connections, count, role.as_slice(), &snapshot))
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
        next: next_steps(&catalog, &missing, tenancy, &tables),
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

/// The tables that `names` means: what to count, and what is missing.
fn select(catalog: &Catalog, tenancy: &Tenancy, names: &[String]) -> Result<(Vec<TableCount>, Vec<Missing>)> {
    let key = Ident::new(&tenancy.tenant.key)?;
    let new = |table| Ok(TableCount::new(catalog, &key, table)?);
    if names.is_empty() {
        return Ok((catalog.tables.iter().map(new).collect::<Result<_>>()?, catalog.missing.clone()));
    }
    let (mut counts, mut missing) = (Vec::<TableCount>::new(), Vec::<Missing>::new());
    for name in names {
        let name = TableName::parse(name, &tenancy.database.schema)?;
        if counts.iter().any(|count| count.table.name == name) || missing.iter().any(|missing| missing.table == name) {
            continue;
        }
        match catalog.missing.iter().find(|missing| missing.table == name) {
            Some(lacking) => missing.push(lacking.clone()),
            None => counts.push(new(catalog.table(&name)?)?),
        }
    }
    Ok((counts, missing))
}

/// Finds the role for all tables before the first is read, so that no audit begins that cannot end.
async fn proven_role(database: &Database, tenancy: &Tenancy, counts: &[TableCount]) -> Result<Option<ActingRole>> {
    if counts.is_empty() {
        return Ok(None);
    }
    Ok(Some(visibility::reader(database, tenancy, &access_of(counts)).await?))
}

/// Shares the pool's connections between the tables.
///
/// Under policies an [`AuditTx`] needs two, one of which holds the locks. If each task took them one by one, all could hold one and wait
/// forever for another; so a task takes both permits at once, before it asks the pool.
struct Connections {
    free: Semaphore,
    each: u32,
}

impl Connections {
    /// The connections of the pool but for the coordinator's.
    async fn new(database: &Database, counts: &[TableCount], role: Option<&ActingRole>) -> Result<Self> {
        let by_policy = match role {
            Some(role) => visibility::reads_by_policy(database, &access_of(counts), role).await?,
            None => false,
        };
        let each = if by_policy { 2 } else { 1 };
        database.needs_connections(1 + each)?;
        Ok(Self { free: Semaphore::new(database.max_connections() as usize - 1), each })
    }
}

async fn count_table(
    database: &Database,
    connections: &Connections,
    count: &TableCount,
    role: &[ActingRole],
    snapshot: &str,
) -> Result<TableReport> {
    let _held = connections.free.acquire_many(connections.each).await.expect("nobody closes the semaphore");
    let mut audit = AuditTx::begin(database, &count.access, role, Some(snapshot)).await?;
    let doing = || tenant_rls::Error::query(format!("counting {}", count.table.name));
    let row = sqlx::query(&count.statement).persistent(false).fetch_one(audit.connection()).await.map_err(doing())?;
    refuse_rewritten(&mut audit, &count.access).await?;
    audit.close().await?;

    let rows: Vec<i64> = row.get("crossing_rows");
    let references = count.references.iter().zip(rows);
    Ok(TableReport {
        table: count.table.name.clone(),
        column: count.table.column.name.clone(),
        column_type: count.table.column.type_name.clone(),
        rows: from_bigint(row.get("rows")),
        null_rows: from_bigint(row.get("null_rows")),
        null_proven: count.table.column.never_null,
        platform_rows: count.table.platform_rows,
        shared_rows: count.table.shared_rows,
        empty_rows: from_bigint(row.get("empty_rows")),
        ghost_rows: count.looks_for_ghosts.then(|| from_bigint(row.get("ghost_rows"))),
        cross_references: references
            .map(|(key, rows)| CrossReference { rows: from_bigint(rows), ..key.clone() })
            .collect(),
        missing: count.missing.clone(),
    })
}

/// Fails where the snapshot could not show a table whole. It asks after the scan, whose lock keeps the answer true.
async fn refuse_rewritten(audit: &mut AuditTx, access: &[Access]) -> Result<()> {
    let (schemas, names) = TableName::apart(access.iter().map(|need| &need.table));
    let rewritten = sqlx::query(include_str!("../../../sql/tenant-audit/rewritten.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_optional(audit.pinned().await?)
        .await
        .map_err(tenant_rls::Error::query("looking for tables that were rewritten meanwhile"))?;
    match rewritten {
        None => Ok(()),
        Some(row) => {
            let (schema, name) =
                (Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
            Err(Error::Rewritten { table: TableName::new(schema, name) })
        }
    }
}
