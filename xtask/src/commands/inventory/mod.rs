//! `inventory`: shows what each table of the database is to the tenants.

mod view;

use clap::Args;
use serde::Serialize;
use tenancy_config::TableName;
use tenant_inventory::class::{ClassifiedTable, classify};
use tenant_inventory::{BornClosed, read_all_tables};

use crate::context::{CommandResult, Context, stop};

/// Show what each table of the database is to the tenants
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask inventory
  cargo xtask inventory --format json --output inventory.json

It reads the catalog only, no row of any table.")]
pub(crate) struct Options {}

/// Every table of the application's schemas with its class.
#[derive(Debug, Serialize)]
struct InventoryReport {
    /// The tenant table that the settings name.
    registry: TableName,
    tables: Vec<ClassifiedTable>,
    /// The event trigger that closes new tables, if there is one.
    born_closed: Option<BornClosed>,
}

/// Classifies the tables of the database that the settings name.
///
/// # Errors
/// No connection, or a name in `tenancy.toml` that no table can have.
pub(crate) async fn run(context: &Context, Options {}: Options) -> CommandResult {
    let settings = context.settings()?;
    let tenancy = settings.tenancy();
    let registry = TableName::parse(&tenancy.tenant.table, &tenancy.database.schema)?;
    let (tables, born_closed) = stop::at_once(async {
        let connected = context.connect(&settings).await?;
        let tables = read_all_tables(&connected.database, tenancy).await?;
        let born_closed = BornClosed::load(&connected.database, tenancy).await?;
        connected.database.close().await;
        Ok((tables, born_closed))
    })
    .await?;
    context.report(&InventoryReport { registry, tables: classify(&tables, tenancy)?, born_closed })?;
    Ok(None)
}
