//! `seed-tenant-defaults`: gives tenants the default settings that they lack.

mod progress;
mod view;

use std::path::PathBuf;

use clap::Args;
use seed_tenant_defaults::{CheckedList, Defaults, SeedOutcome, SeedReport, TenantSelection};
use tenancy_config::{Exit, Settings};

use self::progress::SeedProgress;
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::target::Connected;
use crate::context::{CommandResult, Context, stop, tenant_choice};
use crate::document::report::Format;
use crate::number_format::counted;

/// The number of connections that look up tenants, besides those that write.
const LOOKING_UP: u16 = 2;

/// Give tenants the default settings that they lack; what is there is never changed
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask seed-tenant-defaults --tenant acme --organization-name \"Acme Corp\"
  cargo xtask seed-tenant-defaults --all --dry-run
  cargo xtask seed-tenant-defaults --csv tenants.csv --format csv --output seeded.csv
  cargo xtask seed-tenant-defaults --csv tenants.csv --create          on a local database

tenants.csv has a header and the columns tenant (id or slug) and organization_name (empty: the
default). It is checked as a whole before anything is written. The command ends with 3 if a tenant
failed. Ctrl-C ends it after the tenants in flight; the same command goes on.")]
pub(crate) struct Options {
    /// The tenant, by its id or slug [default: TENANT_ID]
    #[arg(long, value_name = "TENANT", conflicts_with_all = ["all", "csv"])]
    tenant: Option<String>,
    /// Its organization's name [default: the tenant's slug]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["all", "csv"])]
    organization_name: Option<String>,
    /// Every tenant that is active
    #[arg(long, conflicts_with_all = ["csv", "create"])]
    all: bool,
    /// The tenants of a CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Other defaults than those of tenant-defaults.toml
    #[arg(long, value_name = "FILE")]
    defaults: Option<PathBuf>,
    /// Make tenants that are not there; on a local database only
    #[arg(long)]
    create: bool,
    /// Also tenants that are suspended or decommissioned
    #[arg(long)]
    include_inactive: bool,
    /// Do everything but the commit
    #[arg(long)]
    dry_run: bool,
    /// Tenants that are worked on at once, each on a connection of its own
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    connections: u16,
}

/// Seeds on the database that the settings name. It reads the files first: an error in one needs no database.
///
/// # Errors
/// The job failed, or no tenant was named. Tenants that were seeded stay so.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    let settings = context.settings()?;
    let defaults = options.defaults.as_ref().map(|path| Defaults::read(path)).transpose()?;
    let selection = selection(context, &settings, &options)?;
    let connections = u32::from(options.connections + LOOKING_UP);
    let connected = stop::at_once(context.connect_with(&settings, connections)).await?;
    if options.create && !connected.is_local() {
        return Err(CommandError::refused(
            "--create makes tenants on the project's local database only; nothing was written",
            "elsewhere the application makes its tenants; without --create, unknown ones are reported",
        ));
    }
    if options.dry_run {
        context.printer.note(&format!("dry run on {}: nothing will be kept", connected.line()));
    } else {
        context
            .before_writing(&connected, &format!("the default settings that {} may lack", named(&selection)))
            .await?;
    }
    let options = seed_tenant_defaults::SeedOptions {
        whom: selection,
        include_inactive: options.include_inactive,
        create: options.create,
        dry_run: options.dry_run,
        connections: usize::from(options.connections),
    };
    let report = seed(context, &settings, &connected, &defaults.unwrap_or_default(), &options).await?;
    connected.database.close().await;
    if context.global.format() != Format::Csv {
        context.report(&report)?;
    }
    Ok(exit(&report))
}

/// The exit status of a command with this report.
fn exit(report: &SeedReport) -> Option<Exit> {
    match report.outcome {
        SeedOutcome::Stopped => Some(Exit::Stopped),
        SeedOutcome::Done if report.failed > 0 => Some(Exit::NotYet),
        SeedOutcome::Done => None,
    }
}

fn named(selection: &TenantSelection) -> String {
    match selection {
        TenantSelection::One { tenant, .. } => format!("tenant {tenant}"),
        TenantSelection::All => "active tenants".to_owned(),
        TenantSelection::List(list) => format!("{} of the list", counted(list.tenants(), "tenant", "tenants")),
    }
}

/// The tenants that the command line names, or else the variable.
fn selection(context: &Context, settings: &Settings, options: &Options) -> Result<TenantSelection, CommandFailure> {
    if options.organization_name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        return Err(CommandError::usage(
            "--organization-name is empty",
            "leave it out for the default, the tenant's slug",
        ));
    }
    if options.all {
        return Ok(TenantSelection::All);
    }
    if let Some(path) = &options.csv {
        return Ok(TenantSelection::List(CheckedList::check(path)?));
    }
    match tenant_choice::choose(&context.printer, settings, options.tenant.clone(), &["TENANT_ID"]) {
        Some(tenant) => Ok(TenantSelection::One { tenant, organization_name: options.organization_name.clone() }),
        None => Err(CommandError::usage(
            "for which tenant? neither --tenant nor --all nor --csv is given, and TENANT_ID is not set",
            "name one with --tenant, or take --all for every active tenant",
        )),
    }
}

/// Runs the job with its progress and with Ctrl-C.
async fn seed(
    context: &Context,
    settings: &Settings,
    connected: &Connected,
    defaults: &Defaults,
    options: &seed_tenant_defaults::SeedOptions,
) -> Result<SeedReport, CommandFailure> {
    let mut shown = SeedProgress::new(&context.printer, context.global.format() == Format::Csv)?;
    let mut progress = |event: seed_tenant_defaults::SeedEvent<'_>| shown.event(event);
    let (database, tenancy) = (&connected.database, settings.tenancy());
    let done = stop::gently(&context.printer, |stop| {
        seed_tenant_defaults::seed_tenant_defaults(database, tenancy, defaults, options, stop, &mut progress)
    })
    .await;
    shown.finish(done.is_ok())?;
    Ok(done?)
}
