//! `inventory`: shows what each table of the database is to the tenants, and what leads past the policies.

mod view;

use clap::Args;
use serde::Serialize;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::class::ClassifiedTable;
use tenant_inventory::{BornClosed, Inventory, Openness, Review, Way, read_ways};
use tenant_rls::Database;

use crate::context::{CommandResult, Context, stop};

/// Show what each table is to the tenants, and the ways past the policies
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask inventory
  cargo xtask inventory --format json --output inventory.json

It reads the catalog only, no row of any table. `rls verify` tries the ways that the catalog leaves open.")]
pub(crate) struct Options {}

/// Every table of the application's schemas with its class, and every way past the policies.
#[derive(Debug, Serialize)]
struct InventoryReport {
    /// The tenant table that the settings name.
    registry: TableName,
    tables: Vec<ClassifiedTable>,
    /// The role that the application is said to log in as.
    app_role: String,
    /// That role exists. Otherwise no way was looked for.
    app_role_exists: bool,
    ways: Vec<KnownWay>,
    /// The event trigger that closes new tables, if there is one.
    born_closed: Option<BornClosed>,
}

/// A way past the policies, and whether it is open.
#[derive(Debug, Serialize)]
struct KnownWay {
    #[serde(flatten)]
    way: Way,
    openness: Openness,
    /// What `tenancy.toml` declares of it.
    reviewed: Review,
    /// All of it for people.
    says: String,
}

/// Classifies the tables of the database that the settings name, and reads what leads past their policies.
///
/// # Errors
/// No connection, or a name in `tenancy.toml` that no table can have.
pub(crate) async fn run(context: &Context, Options {}: Options) -> CommandResult {
    let settings = context.settings()?;
    let report = stop::at_once(async {
        let connected = context.connect(&settings).await?;
        let report = read(&connected.database, settings.tenancy()).await?;
        connected.database.close().await;
        Ok(report)
    })
    .await?;
    context.report(&report)?;
    Ok(None)
}

async fn read(database: &Database, tenancy: &Tenancy) -> tenant_rls::Result<InventoryReport> {
    let inventory = Inventory::load(database, tenancy, None, &[]).await?;
    let tables = inventory.catalog.classified.clone();
    let unprotected = tables.iter().filter(|table| table.class.is_unprotected());
    let beside: Vec<TableName> = unprotected.map(|table| table.table.clone()).collect();
    let (app, state) = &inventory.logins.app;
    let ways = read_ways(database, &inventory, app.as_str(), &beside).await?;
    let mut ways: Vec<KnownWay> = ways.into_iter().map(|way| KnownWay::of(way, tenancy)).collect();
    ways.sort_by_key(|way| way.openness);
    Ok(InventoryReport {
        registry: inventory.catalog.tenants.clone(),
        tables,
        app_role: app.to_string(),
        app_role_exists: state.exists,
        ways,
        born_closed: inventory.born_closed.clone(),
    })
}

impl KnownWay {
    fn of(way: Way, tenancy: &Tenancy) -> Self {
        Self { openness: way.openness(tenancy), reviewed: way.declared(tenancy), says: way.told(tenancy), way }
    }
}
