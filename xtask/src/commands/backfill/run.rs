//! `backfill run`: the sources of `tenancy.toml`, for one table, several, or all of them.

use backfill_engine::{Backfill, BackfillPlan, BackfillReport};
use clap::Args;
use serde::Serialize;
use tenancy_config::{Exit, TableName, files};
use tenant_inventory::Catalog;

use super::review_files;
use crate::app::{CommandContext, Outcome};
use crate::backfill::{self, BackfillArgs, Session};
use crate::failure::CommandError;
use crate::report::Report;
use crate::text::{count, table};

/// Give the rows of tables the tenant that their sources in tenancy.toml agree on
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill run invoices
  cargo xtask backfill run ServiceRequest bookings --review review.csv
  cargo xtask backfill run --all --dry-run
  cargo xtask backfill run --all --confirm production --format json --output backfill.json

Tables are done in the order in which they draw on each other: users before requests before bookings before
invoices. With several of them, --review review.csv writes review.bookings.csv and so on. Ctrl-C ends it after the
running batch; the same command goes on where it ended.")]
pub(super) struct Options {
    /// The tables
    #[arg(value_name = "TABLE", required_unless_present = "all")]
    tables: Vec<String>,
    /// Every table that has a source
    #[arg(long, conflicts_with = "tables")]
    all: bool,
    #[command(flatten)]
    backfill: BackfillArgs,
}

/// The job's name in `tenant_ops.run`.
const JOB: &str = "backfill";

/// The reports of several tables; its JSON is `backfill-tables/1`.
#[derive(Debug, Serialize)]
struct Reports {
    tables: Vec<BackfillReport>,
}

/// Backfills the tables one after the other, and stops where one was stopped.
///
/// # Errors
/// The engine's; what was committed before stays.
pub(super) async fn run(app: &CommandContext, options: Options) -> Outcome {
    let session = Session::open(app, "backfill run", options.backfill).await?;
    let catalog = Catalog::load(session.database(), session.tenancy()).await?;
    let tables = chosen(&catalog, &session, &options.tables)?;
    let reviews = session.options.review.as_deref().map(|path| review_files::of(path, &tables, session.tenancy()));
    let reviews = reviews.map_or_else(|| vec![None; tables.len()], |reviews| reviews.into_iter().map(Some).collect());
    reviews.iter().flatten().try_for_each(|review| files::check(review))?;
    session.begin(&tables.iter().collect::<Vec<_>>()).await?;
    let mut reports = Vec::new();
    for (name, review) in tables.iter().zip(reviews) {
        let engine = backfill_engine::BackfillOptions { review, ..session.options.clone() };
        let plan = BackfillPlan::new(&catalog, session.tenancy(), &name.to_string())?;
        let report = backfill::watch(app, async |holder, stop, progress| {
            let (database, tenancy) = (session.database(), session.tenancy());
            let run = Backfill { database, tenancy, plan: &plan, job: JOB, holder, options: &engine };
            run.run(stop, progress).await
        })
        .await?;
        let stopped = report.outcome == backfill_engine::RunOutcome::Stopped;
        reports.push(report);
        if stopped {
            break;
        }
    }
    session.close().await;
    let exit = worst(&reports);
    match (reports.pop(), reports.is_empty()) {
        (Some(one), true) if !options.all => app.report(&one)?,
        (last, _) => {
            reports.extend(last);
            app.report(&Reports { tables: reports })?;
        }
    }
    Ok(exit)
}

/// The tables in the order in which they draw on each other.
fn chosen(catalog: &Catalog, session: &Session<'_>, named: &[String]) -> anyhow::Result<Vec<TableName>> {
    let ordered = backfill_engine::order(catalog, session.tenancy());
    if named.is_empty() {
        if ordered.is_empty() {
            return Err(CommandError::usage(
                "no table of this database has a source in tenancy.toml",
                "`cargo xtask init` writes one with the sources that follow from the foreign keys",
            ));
        }
        return Ok(ordered);
    }
    let mut wanted = Vec::new();
    for name in named {
        let name = TableName::parse(name, &session.tenancy().database.schema)?;
        // Asked here, so that a mistyped name is an error before the first table is touched.
        catalog.table(&name)?;
        wanted.push(name);
    }
    let position = |name: &TableName| ordered.iter().position(|other| other == name).unwrap_or(usize::MAX);
    wanted.sort_by_key(position);
    wanted.dedup();
    Ok(wanted)
}

/// A run that was stopped counts more than rows that are left.
fn worst(reports: &[BackfillReport]) -> Option<Exit> {
    let exits = || reports.iter().filter_map(backfill::exit);
    exits().find(|exit| *exit == Exit::Stopped).or_else(|| exits().next())
}

impl Report for Reports {
    const NAME: &'static str = "backfill run";
    const SCHEMA: Option<&'static str> = Some("backfill-tables/1");

    fn table(&self) -> String {
        let rows = self.tables.iter().map(|report| {
            vec![
                report.table.to_string(),
                count(report.assigned),
                count(report.conflicts),
                count(report.unresolved),
                count(report.assignable),
                count(report.remaining),
                report.run.map_or_else(|| "-".to_owned(), |run| run.to_string()),
            ]
        });
        let headings = [">assigned", ">conflicts", ">unresolved", ">assignable", ">remaining", ">run"];
        let headings: Vec<&str> = std::iter::once("table").chain(headings).collect();
        let mut out = table(&headings, rows);
        let failed: usize = self.tables.iter().map(|report| report.failed.len()).sum();
        if failed > 0 {
            out.push_str(&format!(
                "\n{} refused by the tables themselves; --format json has them.\n",
                count(failed as u64)
            ));
        }
        let left: u64 = self.tables.iter().map(|report| report.remaining).sum();
        out.push_str(&match left {
            0 => "\nEvery row has its tenant. Next: cargo xtask audit\n".to_owned(),
            left => format!(
                "\n{} rows are left without a tenant; --review review.csv writes those that people must decide.\n",
                count(left)
            ),
        });
        out
    }
}
