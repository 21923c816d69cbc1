//! The run: a stream of tenants, several of which are seeded at once, each independently of the others.

use std::cell::Cell;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
use tenancy_config::Tenancy;
use tenant_rls::{Backoff, Database, Error as RlsError, Fault, TenantTx, fault_of, retry_on};
use tokio::sync::watch;

use crate::defaults::Defaults;
use crate::duplicates;
use crate::error::{Error, Result};
use crate::failure::SeedFailure;
use crate::options::{SeedEvent, SeedOptions, TenantSelection};
use crate::plan::SeedPlan;
use crate::report::{SeedOutcome, SeedReport, TenantLine, TenantResult};
use crate::tenants::{TenantAnswer, TenantStream, TenantToSeed};

/// Gives the tenants of `options` what they lack of `defaults`.
///
/// `stop` turns `true` when the run should end; tenants that are being worked on are finished then. `database` needs two connections more
/// than [`SeedOptions::connections`].
///
/// # Errors
/// Before any tenant is touched: defaults that do not fit the database, a file that names a tenant twice, and, for one tenant
/// alone, that it is unknown or not in use. Later only a lost connection; the report has what goes wrong with one tenant.
pub async fn seed_tenant_defaults(
    database: &Database,
    tenancy: &Tenancy,
    defaults: &Defaults,
    options: &SeedOptions,
    stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(SeedEvent<'_>) + Send),
) -> Result<SeedReport> {
    let started = Instant::now();
    let plan = SeedPlan::new(database, tenancy, defaults).await?;
    let tenants = match &options.whom {
        TenantSelection::One { .. } => Some(1),
        TenantSelection::All => None,
        TenantSelection::List(list) => {
            duplicates::check(database, tenancy, list).await?;
            Some(list.tenants())
        }
    };
    // One for a tenant, one for looking up the next: a connection stays with the statement that it prepared.
    database.needs_connections(2)?;
    progress(SeedEvent::Started { tenants });
    let mut report = SeedReport::new(&plan.tables, options.dry_run);
    let stopped = Cell::new(false);
    let run = Run { database, tenancy, plan: &plan, dry_run: options.dry_run };
    let tenants = TenantStream::new(database, tenancy, options, &plan)?;
    let chunks = stream::try_unfold(tenants, TenantStream::step);
    let answers = chunks.map_ok(|chunk| stream::iter(chunk).map(Ok::<_, Error>)).try_flatten();
    let lines = answers
        .take_while(|_| {
            stopped.set(*stop.borrow());
            future::ready(!stopped.get())
        })
        .map(|answer| run.settle(answer))
        .buffer_unordered(options.connections.min(database.max_connections() as usize - 1).max(1));
    let mut lines = pin!(lines);
    while let Some(line) = lines.try_next().await? {
        report.add(&line);
        progress(SeedEvent::Tenant(&line));
    }
    if stopped.get() {
        report.outcome = SeedOutcome::Stopped;
    }
    report.lines.sort_by(|a, b| (a.line, &a.tenant).cmp(&(b.line, &b.tenant)));
    report.seconds = started.elapsed().as_secs_f64();
    // A clock too coarse for the work must not make the speed infinite, for which JSON has no number.
    report.tenants_per_second = report.tenants as f64 / report.seconds.max(1e-9);
    Ok(report)
}

/// What each tenant of a run shares.
struct Run<'a> {
    database: &'a Database,
    tenancy: &'a Tenancy,
    plan: &'a SeedPlan,
    dry_run: bool,
}

impl Run<'_> {
    /// Seeds one tenant. A lost connection ends the run, as every other tenant would fail, too.
    async fn settle(&self, answer: Result<TenantAnswer>) -> Result<TenantLine> {
        let target = match answer? {
            TenantAnswer::Settled(line) => return Ok(line),
            TenantAnswer::Seed(target) => target,
        };
        let inserted = match self.insert_with_retry(&target).await {
            Err(error) if fault_of(&error) == Fault::Connection => return Err(error.into()),
            inserted => inserted,
        };
        let TenantToSeed { line, tenant, made, .. } = target;
        let slug = if tenant.slug.is_empty() { tenant.id.to_string() } else { tenant.slug };
        let settled = |result, created, failure| TenantLine {
            line,
            tenant: slug,
            id: Some(tenant.id),
            result,
            made,
            created,
            failure,
        };
        Ok(match inserted {
            Err(error) => {
                settled(TenantResult::Failed, Vec::new(), Some(SeedFailure::Refused { message: error.to_string() }))
            }
            Ok(inserted) => {
                let new = self.plan.tables.iter().zip(inserted).filter(|(_, new)| *new);
                let created: Vec<_> = new.map(|(table, _)| table.clone()).collect();
                let result = if created.is_empty() { TenantResult::AlreadyThere } else { TenantResult::Created };
                settled(result, created, None)
            }
        })
    }

    /// Tries again after contention or a lost connection: to insert twice does no more than to insert once.
    async fn insert_with_retry(&self, target: &TenantToSeed) -> Result<Vec<bool>, RlsError> {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), 5);
        retry_on(&[Fault::Contention, Fault::Connection], backoff, async || self.insert(target).await).await
    }

    async fn insert(&self, target: &TenantToSeed) -> Result<Vec<bool>, RlsError> {
        let values = self.plan.values(&target.tenant, target.organization_name.as_deref());
        if !self.dry_run {
            return self.plan.insert.run(&target.tenant.id, &values).await;
        }
        let mut scope = TenantTx::begin(self.database, self.tenancy, &target.tenant.id).await?;
        let inserted = self.plan.insert.run_in(&mut scope, &values).await?;
        scope.rollback().await?;
        Ok(inserted)
    }
}
