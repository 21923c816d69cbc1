//! `backfill run`: backfills one table, several or all of them, with the sources of `tenancy.toml`.

mod rest;
mod review_files;
mod view;

use std::path::PathBuf;

use backfill_engine::{Backfill, BackfillPlan, BackfillReport, FailedTable, TablesReport};
use clap::Args;
use tenancy_config::{CommandRef, Exit, Hint, TableName, files};
use tenant_inventory::{Catalog, TenantTable};

use crate::commands::backfill::args::BackfillArgs;
use crate::commands::backfill::session::{self, BackfillSession};
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context};

/// Give the rows of tables the tenant that their sources in tenancy.toml agree on, and the rest to one tenant on request
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill run invoices
  cargo xtask backfill run ServiceRequest bookings --review review.csv
  cargo xtask backfill run --all --dry-run
  cargo xtask backfill run --all --confirm production --format json --output backfill.json
  cargo xtask backfill run notes --rest-to archive --create --dry-run

Tables are done in the order in which they draw on each other: users before requests before bookings before
invoices. With several of them, --review review.csv writes review.bookings.csv and so on. A table without a source gets
a review, and with --rest-to all of its rows without a tenant go to that one. Ctrl-C ends it after the running batch; the
same command goes on where it ended.")]
pub(super) struct Options {
    /// The tables
    #[arg(value_name = "TABLE", required_unless_present = "all")]
    tables: Vec<String>,
    /// All tables that have a source; the rows of the others are counted, and with --review listed
    #[arg(long, conflicts_with = "tables")]
    all: bool,
    /// Give what the sources do not decide, and rows whose tenant does not exist, to this tenant, by id or slug
    #[arg(long, value_name = "TENANT", conflicts_with_all = ["all", "review"])]
    rest_to: Option<String>,
    /// With --rest-to: create the tenant, with this slug and name, where there is none
    #[arg(long, requires = "rest_to")]
    create: bool,
    #[command(flatten)]
    backfill: BackfillArgs,
}

/// The job's name in `tenant_ops.run`.
const JOB: &str = "backfill";

/// Backfills the tables one after the other, and ends when one is stopped.
///
/// # Errors
/// The engine failed. What was committed stays.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    let session = BackfillSession::open(context, "backfill run", options.backfill).await?;
    let catalog = Catalog::load(session.database(), session.tenancy()).await?;
    let tables = chosen(&catalog, &session, &options.tables)?;
    if let Some(name) = options.rest_to {
        return rest::run(context, session, &catalog, &tables, rest::Wanted { name, create: options.create }).await;
    }
    let reviews = session.options.review.as_deref().map(|path| review_files::of(path, &tables, session.tenancy()));
    let reviews = reviews.map_or_else(|| vec![None; tables.len()], |reviews| reviews.into_iter().map(Some).collect());
    reviews.iter().flatten().try_for_each(|review| files::check(review))?;
    session.begin(&tables.iter().collect::<Vec<_>>()).await?;
    let mut several = Several::new(tables.len() == 1 && !options.all);
    for (name, review) in tables.iter().zip(reviews) {
        if several.add(context, name, backfill(context, &session, &catalog, name, review).await)? {
            break;
        }
    }
    several.end(context, session, &catalog, options.all).await
}

/// What was done with one table, or with one after the other.
pub(super) struct Several {
    /// There is only one, whose error is the command's.
    one: bool,
    reports: Vec<BackfillReport>,
    failed: Vec<FailedTable>,
}

impl Several {
    pub(super) fn new(one: bool) -> Self {
        Self { one, reports: Vec::new(), failed: Vec::new() }
    }

    /// Takes what came of a table. Returns whether the others must not follow, as it was stopped.
    ///
    /// # Errors
    /// The error of the only table, or one that is not about its table alone.
    pub(super) fn add(
        &mut self,
        context: &Context,
        name: &TableName,
        done: Result<BackfillReport, backfill_engine::Error>,
    ) -> Result<bool, CommandFailure> {
        match done {
            Ok(report) => self.reports.push(report),
            Err(error) if self.one => return Err(error.into()),
            Err(error) => {
                let failure = FailedTable::of(name, error)?;
                context.printer.warning(&format!("{name}: {}", failure.error));
                self.failed.push(failure);
                return Ok(false);
            }
        }
        Ok(self.reports.last().is_some_and(|report| report.outcome == backfill_engine::RunOutcome::Stopped))
    }

    /// Writes the report, and returns the exit status.
    ///
    /// # Errors
    /// The report cannot be written. What was assigned stays.
    pub(super) async fn end(
        mut self,
        context: &Context,
        session: BackfillSession<'_>,
        catalog: &Catalog,
        all: bool,
    ) -> CommandResult {
        if let Some(report) = self.reports.pop_if(|_| self.one) {
            return session.end(report).await;
        }
        let (database, tenancy) = (session.database(), session.tenancy());
        let report = TablesReport::of(database, tenancy, catalog, (self.reports, self.failed), all).await?;
        session.close().await;
        context.report(&report)?;
        Ok(worst(&report))
    }
}

async fn backfill(
    context: &Context,
    session: &BackfillSession<'_>,
    catalog: &Catalog,
    name: &TableName,
    review: Option<PathBuf>,
) -> Result<BackfillReport, backfill_engine::Error> {
    let engine = backfill_engine::BackfillOptions { review, ..session.options.clone() };
    let plan = match engine.review {
        // People can decide where no source does.
        Some(_) => BackfillPlan::for_review(catalog, session.tenancy(), &name.to_string())?,
        None => BackfillPlan::new(catalog, session.tenancy(), &name.to_string())?,
    };
    one(context, session, &plan, &engine, JOB).await
}

/// Runs one plan.
pub(super) async fn one(
    context: &Context,
    session: &BackfillSession<'_>,
    plan: &BackfillPlan,
    options: &backfill_engine::BackfillOptions,
    job: &str,
) -> Result<BackfillReport, backfill_engine::Error> {
    session::attempt_job(context, async |holder, stop, progress| {
        let (database, tenancy) = (session.database(), session.tenancy());
        Backfill { database, tenancy, plan, job, holder, options }.run(stop, progress).await
    })
    .await
}

/// The tables in the order in which they draw on each other.
fn chosen(
    catalog: &Catalog,
    session: &BackfillSession<'_>,
    named: &[String],
) -> Result<Vec<TableName>, CommandFailure> {
    let mut ordered = backfill_engine::order(catalog, session.tenancy());
    if named.is_empty() {
        if session.options.review.is_some() {
            ordered.extend(without_source(catalog, session, &ordered));
        }
        if ordered.is_empty() {
            return Err(CommandError::usage(
                "no table of this database has a source in tenancy.toml",
                Hint::quoted(CommandRef::Init).then(" writes one with the sources that follow from the foreign keys"),
            ));
        }
        return Ok(ordered);
    }
    let mut wanted = Vec::new();
    for name in named {
        let name = TableName::parse(name, &session.tenancy().database.schema)?;
        // A mistyped name must be an error before the first table is changed.
        catalog.table(&name)?;
        wanted.push(name);
    }
    let position = |name: &TableName| ordered.iter().position(|other| other == name).unwrap_or(usize::MAX);
    wanted.sort_by_key(position);
    wanted.dedup();
    Ok(wanted)
}

/// The tables that have no source, whose rows people may decide.
fn without_source(catalog: &Catalog, session: &BackfillSession<'_>, ordered: &[TableName]) -> Vec<TableName> {
    let exempt = |table: &TenantTable| session.tenancy().rules(&table.name).is_some_and(|rules| rules.exempt.is_some());
    let open = |table: &&TenantTable| {
        let meant = table.column.never_null || table.null_rows_are_meant() || exempt(table);
        !(meant || table.unhandled.is_some() || ordered.contains(&table.name))
    };
    catalog.tables.iter().filter(open).map(|table| table.name.clone()).collect()
}

/// The exit status for all tables. A run that was stopped decides before rows that are left.
fn worst(report: &TablesReport) -> Option<Exit> {
    let stopped = report.tables.iter().filter_map(session::exit).find(|exit| *exit == Exit::Stopped);
    stopped.or_else(|| (!report.is_complete()).then_some(Exit::NotYet))
}
