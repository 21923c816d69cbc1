//! `audit`: counts what is wrong in each table.

mod view;

pub(crate) use view::lacks;

use clap::Args;
use tenancy_config::{Exit, Tenancy, environment};
use tenant_audit::{AuditOptions, AuditProgress, AuditReport};
use tenant_rls::Database;

use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, stop};
use crate::number_format::counted;
use crate::terminal::progress::Meter;

/// Count rows without a tenant, and those of a wrong one
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask audit
  cargo xtask audit --tables bookings,invoices
  cargo xtask audit --format json --output audit.json
  cargo xtask audit --ci          in a workflow: an annotation for each table at fault

A wrong tenant does not exist, or is not that of a row that this one references.
It ends with 3 if there is any finding.")]
pub(crate) struct Options {
    /// Only these tables
    #[arg(long, value_delimiter = ',', value_name = "TABLE,…")]
    tables: Vec<String>,
    /// For CI: never the local database unless --local says so, and findings as annotations of a GitHub workflow
    #[arg(long)]
    ci: bool,
}

/// Audits the database that the settings name.
///
/// # Errors
/// The audit failed, usually because no role sees every row.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    // `--ci` means the same as the variable CI, which most systems set.
    let in_ci =
        |name: &str| if name == "CI" && options.ci { Ok(Some("true".to_owned())) } else { environment::text(name) };
    let settings = context.settings_in(&in_ci)?;
    let report = stop::at_once(async {
        let connected = context.connect(&settings).await?;
        context.printer.note(&format!("auditing {}", connected.line()));
        let report = audit(context, &connected.database, settings.tenancy(), options.tables.clone()).await?;
        connected.database.close().await;
        Ok(report)
    })
    .await?;
    context.report(&report)?;
    if options.ci {
        let in_workflow = environment::checked("GITHUB_ACTIONS").as_deref() == Some("true");
        for (title, message) in view::findings(&report) {
            context.printer.finding(in_workflow, &title, &message);
        }
    }
    Ok((report.findings() > 0).then_some(Exit::NotYet))
}

/// Runs the job with its progress. The demo calls it too.
pub(crate) async fn audit(
    context: &Context,
    database: &Database,
    tenancy: &Tenancy,
    tables: Vec<String>,
) -> Result<AuditReport, CommandFailure> {
    let mut meter = None;
    let mut progress = |event| match event {
        AuditProgress::Planned { tables, role, .. } => {
            let role = role.map_or_else(String::new, |role| format!(" as {role}, which sees every row"));
            context.printer.note(&format!("counting {}{role}", counted(tables as u64, "table", "tables")));
            meter = Some(Meter::start(&context.printer, "audit", "tables", 0, Some(tables as u64)));
        }
        AuditProgress::Counted { table, done, .. } | AuditProgress::NotCounted { table, done, .. } => {
            if let Some(meter) = &mut meter {
                meter.set(done as u64, &table.to_string());
            }
        }
    };
    let options = AuditOptions { tables, ..AuditOptions::default() };
    let report = tenant_audit::audit(database, tenancy, &options, &mut progress).await;
    if let Some(meter) = meter {
        meter.finish();
    }
    Ok(report?)
}
