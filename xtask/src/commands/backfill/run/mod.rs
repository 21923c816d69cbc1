//! `backfill run`: backfills one table, several or all of them, with the sources of `tenancy.toml`.

mod rest;
mod review_files;
mod several;
mod view;

pub(super) use several::{Several, one};

use std::path::PathBuf;

use backfill_engine::{BackfillPlan, BackfillReport};
use clap::Args;
use tenancy_config::{CommandRef, Hint, TableName, files};
use tenant_inventory::{Catalog, TenantTable};

use crate::commands::backfill::args::BackfillArgs;
use crate::commands::backfill::session::BackfillSession;
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
    if !tables.is_empty() {
        session.begin(&tables.iter().collect::<Vec<_>>()).await?;
    }
    let mut several = Several::new(tables.len() == 1 && !options.all);
    for (name, review) in tables.iter().zip(reviews) {
        if several.add(context, name, backfill(context, &session, &catalog, name, review).await)? {
            break;
        }
    }
    several.end(context, session, &catalog, options.all).await
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
    one(context, session, &plan, &engine, several::JOB).await
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
        if catalog.tables.is_empty() {
            return Err(CommandError::usage(
                "no table of this database has a tenant column that tenancy.toml knows",
                Hint::quoted(CommandRef::Init).then(" writes one that fits this database"),
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
