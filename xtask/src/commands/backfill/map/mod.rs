//! `backfill map`: values that stand in the place of a tenant's key become keys, or nothing.

mod view;

pub(crate) use view::shown;

use std::path::PathBuf;

use backfill_engine::{BackfillPlan, Error, MapPair, Mapping, holds_strays, pairs_of, stray_values};
use clap::Args;
use tenancy_config::{Exit, TableName, Tenancy};
use tenant_inventory::{Catalog, OtherType};
use tenant_rls::Database;

use crate::commands::backfill::args::BackfillArgs;
use crate::commands::backfill::run::{Several, one};
use crate::commands::backfill::session::BackfillSession;
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, stop};
use crate::number_format::counted;

/// Give rows whose tenant column holds a slug, a name or nothing of a tenant that tenant's key, or NULL
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill map --all
  cargo xtask backfill map --all --format csv --output map.csv
  cargo xtask backfill map --all --file map.csv --dry-run
  cargo xtask backfill map orders --from acme --to clx0f2k1e0000
  cargo xtask backfill map orders --from '' --to-null

Without --from and --file it only lists such values, with the tenant that is called so, and writes nothing. Only rows
whose value is no tenant's key are changed. Each is journalled with what it had: `backfill undo` gives it back exactly.
Ctrl-C ends it after the running batch; the same command goes on where it ended.")]
pub(super) struct Options {
    /// The tables
    #[arg(value_name = "TABLE", required_unless_present = "all")]
    tables: Vec<String>,
    /// All tables whose tenant column is a text
    #[arg(long, conflicts_with = "tables")]
    all: bool,
    /// The value that rows have now; '' for the empty string
    #[arg(long, value_name = "VALUE", conflicts_with = "file")]
    from: Option<String>,
    /// The tenant that it means, by id or slug
    #[arg(long, value_name = "TENANT", requires = "from", conflicts_with = "to_null")]
    to: Option<String>,
    /// Make it NULL; with --file, also each value without a tenant
    #[arg(long)]
    to_null: bool,
    /// A CSV file with the columns `from` and `to`; a line without `to` is left out
    #[arg(long, value_name = "FILE.csv")]
    file: Option<PathBuf>,
    #[command(flatten)]
    backfill: BackfillArgs,
}

/// The job's name in `tenant_ops.run`.
const JOB: &str = "backfill map";

/// Lists the values, or maps them.
///
/// # Errors
/// The engine failed. What was committed stays.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    let pairs = pairs(&options)?;
    let Options { tables: named, all, backfill, .. } = options;
    let (session, listing) = match pairs {
        None => (BackfillSession::open_to_list(context, backfill).await?, true),
        Some(_) => (BackfillSession::open(context, "backfill map", backfill).await?, false),
    };
    let catalog = stop::at_once(async { Ok(Catalog::load(session.database(), session.tenancy()).await?) }).await?;
    let tables = chosen(&catalog, &session, &named)?;
    match pairs {
        Some(pairs) if !listing => map(context, session, &catalog, tables, (&pairs, all)).await,
        _ => list(context, session, &catalog, &tables).await,
    }
}

async fn list(
    context: &Context,
    session: BackfillSession<'_>,
    catalog: &Catalog,
    tables: &[TableName],
) -> CommandResult {
    let (database, tenancy) = (session.database(), session.tenancy());
    let listed = stop::at_once(async { Ok(stray_values(database, tenancy, catalog, tables).await?) }).await?;
    session.close().await;
    context.report(&listed)?;
    Ok((!listed.is_clean()).then_some(Exit::NotYet))
}

async fn map(
    context: &Context,
    session: BackfillSession<'_>,
    catalog: &Catalog,
    tables: Vec<TableName>,
    (pairs, all): (&[MapPair], bool),
) -> CommandResult {
    let (database, tenancy) = (session.database(), session.tenancy());
    let counted_plans = async {
        let mapping = Mapping::of(database, tenancy, pairs).await?;
        let mut plans = Vec::new();
        for table in tables {
            let plan = match BackfillPlan::map(catalog, tenancy, &table.to_string(), &mapping) {
                Ok(plan) => plan.count(database, tenancy).await.map(|rows| (plan, rows)),
                Err(error) => Err(error),
            };
            match plan {
                // Of all tables, those without such a value are none of its business.
                Ok((_, 0)) if all => {}
                Err(Error::Unsuitable { .. }) if all && !has_strays(database, tenancy, catalog, &table).await? => {}
                plan => plans.push((table, plan)),
            }
        }
        Ok::<_, CommandFailure>(plans)
    };
    let plans = stop::at_once(counted_plans).await?;
    let said = |(table, plan): &(TableName, Result<(BackfillPlan, u64), Error>)| {
        plan.as_ref().ok().map(|(_, rows)| format!("{} of {table}", counted(*rows, "row", "rows")))
    };
    let said: Vec<String> = plans.iter().filter_map(said).collect();
    let values = counted(pairs.len() as u64, "value means", "values mean");
    let rows = if said.is_empty() { "no row".to_owned() } else { said.join(", ") };
    session.begin_writing(&format!("what {values}, into the tenant column of {rows}")).await?;
    let mapped: Vec<TableName> = plans.iter().map(|(table, _)| table.clone()).collect();
    let mut several = Several::new(plans.len() == 1 && !all);
    for (table, plan) in plans {
        let done = match plan {
            Ok((plan, _)) => one(context, &session, &plan, &session.options, JOB).await,
            Err(error) => Err(error),
        };
        if several.add(context, &table, done)? {
            break;
        }
    }
    let ended = several.end(context, session, catalog, false).await?;
    for other in OtherType::all(&catalog.classified).filter(|other| mapped.contains(&other.table)) {
        context.printer.note(&other.hint().to_string());
    }
    Ok(ended)
}

/// Whether a table has any value that is no tenant's key, or could not be asked.
async fn has_strays(
    database: &Database,
    tenancy: &Tenancy,
    catalog: &Catalog,
    table: &TableName,
) -> Result<bool, Error> {
    Ok(!stray_values(database, tenancy, catalog, std::slice::from_ref(table)).await?.is_clean())
}

/// What is to be mapped; none if nothing is.
fn pairs(options: &Options) -> Result<Option<Vec<MapPair>>, CommandFailure> {
    match (&options.from, &options.to, &options.file) {
        (Some(from), to, _) if to.is_some() || options.to_null => {
            Ok(Some(vec![MapPair { from: from.clone(), to: to.clone() }]))
        }
        (Some(_), ..) => Err(CommandError::usage(
            "--from names a value, and nothing says what it means",
            "add --to TENANT, or --to-null",
        )),
        (None, _, Some(file)) => Ok(Some(pairs_of(file, options.to_null)?)),
        (None, _, None) if options.to_null => Err(CommandError::usage(
            "--to-null is for --from or --file",
            "--from '' --to-null makes the empty string NULL",
        )),
        (None, _, None) => Ok(None),
    }
}

fn chosen(
    catalog: &Catalog,
    session: &BackfillSession<'_>,
    named: &[String],
) -> Result<Vec<TableName>, CommandFailure> {
    if named.is_empty() {
        return Ok(catalog.tables.iter().filter(|table| holds_strays(table)).map(|table| table.name.clone()).collect());
    }
    let mut wanted = Vec::new();
    for name in named {
        let name = session.table(name)?;
        catalog.table(&name)?;
        if !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    Ok(wanted)
}
