//! `backfill why`: shows which runs gave a row its tenant.

mod view;

use backfill_engine::Assignment;
use clap::Args;
use serde::Serialize;
use tenancy_config::{Exit, TableName};

use crate::context::{CommandResult, Context, stop};

/// Tell how a row came to its tenant: which run, which source, when, by whom
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill why bookings clx0f2k1e0000
  cargo xtask backfill why bookings clx0f2k1e0000 --format json

It ends with 3 where no run has given that row a tenant.")]
pub(super) struct Options {
    /// The table
    #[arg(value_name = "TABLE")]
    table: String,
    /// The row's primary key
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Debug, Serialize)]
struct Why {
    table: TableName,
    id: String,
    /// Oldest first.
    assignments: Vec<Assignment>,
}

/// Shows the assignments of the row.
///
/// # Errors
/// The database failed, or the name can be no table's.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    let settings = context.settings()?;
    let table = TableName::parse(&options.table, &settings.tenancy().database.schema)?;
    let assignments = stop::at_once(async {
        let connected = context.connect(&settings).await?;
        let assignments = backfill_engine::why(&connected.database, settings.tenancy(), &table, &options.id).await?;
        connected.database.close().await;
        Ok(assignments)
    })
    .await?;
    let none = assignments.is_empty();
    context.report(&Why { table, id: options.id, assignments })?;
    Ok(none.then_some(Exit::NotYet))
}
