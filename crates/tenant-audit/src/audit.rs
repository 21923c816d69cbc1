//! The audit: one snapshot for all tables, several tables at a time, each in a transaction of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use sqlx::Row;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::Absence;
use tenant_inventory::Catalog;
use tenant_inventory::coverage::Coverage;
use tenant_inventory::{StrayValues, tenants_called};
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Access, ActingRole, AuditTx, Database, Limits, RaisingPolicy, StatementFailure, raising_policy};

use crate::error::{Error, Result};
use crate::next_steps::next_steps;
use crate::readers::{Connections, Readable, readable};
use crate::report::{AuditReport, AuditTotals, CrossReference, SCHEMA, TableReport};
use crate::table_count::TableCount;
use crate::uncounted::{Uncounted, UncountedTable};

/// How many stray values of a table the report names.
const STRAY_VALUES: u32 = 20;
/// A table that somebody else keeps locked for longer is named, and the others are counted. A count itself may take any time.
const LIMITS: Limits = Limits { lock_timeout: Duration::from_secs(2), statement_timeout: Duration::ZERO };

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
    /// A table could not be counted. The report says why.
    NotCounted {
        /// The table.
        table: TableName,
        /// How many tables are done.
        done: usize,
        /// How many there are.
        of: usize,
    },
}

/// Counts what is wrong in every tenant table, or in those that `options` names.
///
/// # Errors
/// [`tenant_rls::Error::CannotSee`] where no role that this login may use is proven to see every row of any table;
/// [`tenant_rls::Error::NoTable`] for a table that is not a tenant table; otherwise what the server said. What fails for one table is in the
/// report.
pub async fn audit(
    database: &Database,
    tenancy: &Tenancy,
    options: &AuditOptions,
    progress: &mut dyn FnMut(AuditProgress),
) -> Result<AuditReport> {
    let database = &database.limited(LIMITS);
    // One for the snapshot, one for a table.
    database.needs_connections(2)?;
    let login = ActingRole::Login(database.session().role.clone());
    // The coordinator reads no table: it only holds the snapshot, so each table's lock ends with that table's own transaction.
    let mut coordinator = AuditTx::begin(database, &[], std::slice::from_ref(&login), None).await?;
    keep_idle(&mut coordinator).await?;
    let snapshot = coordinator.export().await?;
    // After the snapshot: where NOT NULL is proven now, no row is without a tenant any more, whatever the snapshot shows.
    let catalog = Catalog::load(database, tenancy).await?;
    let (counts, missing) = select(&catalog, tenancy, &options.tables)?;
    let Readable { mut counts, role, mut uncounted } = readable(database, (&catalog, tenancy), counts).await?;

    let of = counts.len();
    let estimated_rows = counts.iter().map(|(count, _)| count.table.estimated_rows.max(0.0) as u64).sum();
    progress(AuditProgress::Planned { tables: of, estimated_rows, role: role.clone() });
    // The largest first, so that the audit does not end with a large table that is counted alone.
    counts.sort_by(|(one, _), (other, _)| other.table.estimated_rows.total_cmp(&one.table.estimated_rows));

    let connections = Connections::new(database, &counts).await?;
    let mut running = stream::iter(&counts)
        .map(async |(count, role)| {
            let what = Counting { count, role, snapshot: &snapshot };
            (count, count_table(database, (&catalog, tenancy), &connections, what).await)
        })
        .buffer_unordered(options.concurrency.max(1));
    let (mut tables, mut done) = (Vec::with_capacity(of), 0);
    while let Some((count, counted)) = running.next().await {
        done += 1;
        let table = count.table.name.clone();
        match counted {
            Ok(counted) => {
                progress(AuditProgress::Counted { table, rows: counted.rows, done, of });
                tables.push(TableReport { cross_references_allowed: allowed(tenancy, &counted), ..counted });
            }
            Err(error) => {
                let why = with_policy(database, count, Uncounted::of(error)).await;
                progress(AuditProgress::NotCounted { table: table.clone(), done, of });
                uncounted.push(UncountedTable { table, remedy: why.remedy(), why });
            }
        }
    }
    drop(running);
    coordinator.close().await?;

    propose(database, tenancy, &mut tables).await;
    tables.sort_by(|one, other| one.table.cmp(&other.table));
    uncounted.sort_by(|one, other| one.table.cmp(&other.table));
    let tenants_found = catalog.tenant_key_type.is_some();
    let coverage = Coverage::read(database, tenancy, |name| tables.iter().any(|table| table.table == *name)).await?;
    Ok(AuditReport {
        schema: SCHEMA,
        database: database.session().database.clone(),
        role,
        tenants: catalog.tenants.clone(),
        tenants_found,
        totals: AuditTotals::of(&tables, &uncounted, &missing, tenants_found),
        next: next_steps(&catalog, &missing, tenancy, &tables, &uncounted),
        declared: tables.iter().flat_map(|table| table.declared(tenancy.rules(&table.table))).collect(),
        coverage,
        tables,
        uncounted,
        missing,
    })
}

/// The reason with the name of the policy, where a policy of a table that the count reads fails in the same way by itself.
async fn with_policy(database: &Database, count: &TableCount, why: Uncounted) -> Uncounted {
    let Uncounted::Failed(StatementFailure::Refused { sqlstate: Some(sqlstate), error }) = &why else { return why };
    let tables: Vec<&TableName> = count.access.iter().map(|need| &need.table).collect();
    // The reason that is known stands, whatever becomes of the search for a better one.
    match raising_policy(database, &tables, sqlstate).await {
        Ok(Some(RaisingPolicy { table, policy })) => {
            Uncounted::PolicyFails { of: table, policy, sqlstate: sqlstate.clone(), error: error.clone() }
        }
        Ok(None) | Err(_) => why,
    }
}

/// Says of stray values which tenant is called so. Where slugs and names cannot be read, nothing is proposed.
async fn propose(database: &Database, tenancy: &Tenancy, tables: &mut [TableReport]) {
    let values = tables.iter().flat_map(|table| table.stray.values.iter().map(|stray| stray.value.clone()));
    let values: BTreeSet<String> = values.filter(|value| !value.is_empty()).collect();
    if values.is_empty() {
        return;
    }
    let values = values.iter().map(String::as_str).collect();
    let Ok(proposals) = tenants_called(database, tenancy, &values).await else { return };
    for table in tables {
        table.stray.propose(&proposals);
    }
}

/// Why rows of the table may reference rows of other tenants, if that is declared.
fn allowed(tenancy: &Tenancy, table: &TableReport) -> Option<String> {
    tenancy.rules(&table.table).and_then(|rules| rules.cross_tenant_references.clone())
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
fn select(catalog: &Catalog, tenancy: &Tenancy, names: &[String]) -> Result<(Vec<TableCount>, Vec<Absence>)> {
    let key = Ident::new(&tenancy.tenant.key)?;
    let new = |table| Ok(TableCount::new(catalog, &key, table)?);
    if names.is_empty() {
        return Ok((catalog.tables.iter().map(new).collect::<Result<_>>()?, catalog.missing.clone()));
    }
    let (mut counts, mut missing) = (Vec::<TableCount>::new(), Vec::<Absence>::new());
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

/// A table that is to be counted, by whom, and as of when.
struct Counting<'a> {
    count: &'a TableCount,
    role: &'a ActingRole,
    snapshot: &'a str,
}

async fn count_table(
    database: &Database,
    (catalog, tenancy): (&Catalog, &Tenancy),
    connections: &Connections,
    Counting { count, role, snapshot }: Counting<'_>,
) -> Result<TableReport> {
    let _held = connections.take().await;
    let mut audit = AuditTx::begin(database, &count.access, std::slice::from_ref(role), Some(snapshot)).await?;
    let doing = || tenant_rls::Error::query(format!("counting {}", count.table.name));
    let row = sqlx::query(&count.statement).persistent(false).fetch_one(audit.connection()).await.map_err(doing())?;
    let strays = count.looks_for_ghosts && row.get::<i64, _>("ghost_rows") + row.get::<i64, _>("empty_rows") > 0;
    let stray = match strays {
        true => StrayValues::read(&mut audit, (catalog, tenancy), &count.table, STRAY_VALUES).await?,
        false => StrayValues::default(),
    };
    refuse_rewritten(&mut audit, &count.access).await?;
    audit.close().await?;

    let rows: Vec<i64> = row.get("crossing_rows");
    let references = count.references.iter().zip(rows);
    Ok(TableReport {
        table: count.table.name.clone(),
        role: role.clone(),
        column: count.table.column.name.clone(),
        column_type: count.table.column.type_name.clone(),
        rows: from_bigint(row.get("rows")),
        null_rows: from_bigint(row.get("null_rows")),
        null_proven: count.table.column.never_null,
        platform_rows: count.table.platform_rows,
        shared_rows: count.table.shared_rows,
        empty_rows: from_bigint(row.get("empty_rows")),
        ghost_rows: count.looks_for_ghosts.then(|| from_bigint(row.get("ghost_rows"))),
        stray,
        cross_references: references
            .map(|(key, rows)| CrossReference { rows: from_bigint(rows), ..key.clone() })
            .collect(),
        uncounted_parts: count.uncounted.clone(),
        cross_references_allowed: None,
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
