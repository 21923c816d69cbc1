//! `rls plan`: shows the statements of a rollout, to be read or to be run by hand.

use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::Args;
use rls_rollout::{PlanReport, RolloutOptions};
use tenancy_config::{Exit, Settings};

use super::args::{PhaseArg, RolloutArgs};
use super::prisma;
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, stop};
use crate::document::block::{Document, code};
use crate::document::report;
use crate::document::report::Report;

/// Where Prisma keeps migrations, beside the schema.
const MIGRATIONS: &str = "prisma/migrations";

/// Show the statements of a rollout in order, with the lock that each takes
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls plan
  cargo xtask rls plan --phase prepare --output prepare.sql
  cargo xtask rls plan --format json
  cargo xtask rls plan --phase prepare --prisma prisma/migrations
  cargo xtask rls plan --prisma prisma/migrations --schema prisma/app.prisma
  cargo xtask rls plan --add-column invoice_items
  cargo xtask rls plan --add-columns

It reads the catalog, and rows only to time how a policy best asks another table (`through`): whether a table can be
tightened, the audit says when it comes to that.")]
pub(super) struct Options {
    /// How far: the declared logins alone, prepare, tighten, enforce, or all of them
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "logins|prepare|tighten|enforce|auto",
        hide_possible_values = true
    )]
    phase: PhaseArg,
    /// Also write a Prisma migration into this folder, with the edits that schema.prisma needs
    #[arg(long, value_name = "DIR")]
    prisma: Option<PathBuf>,
    /// The application's schema.prisma, or the folder with its files [default: beside the migrations, or in prisma]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    #[command(flatten)]
    rollout: RolloutArgs,
}

/// Plans on the database that the settings name.
///
/// # Errors
/// The settings are wrong, the database cannot be reached or read, or a table that was asked for does not exist.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("rls plan", context.global.format())?;
    let mut schema = None;
    if let Some(migrations) = &options.prisma {
        prisma::expect_folder(migrations)?;
        schema = prisma::schema(migrations, options.schema.as_deref(), &context.trust()?)?;
    }
    let settings = context.settings()?;
    let mut plan = make(context, &settings, &options.rollout.options(options.phase.into())).await?;
    if schema.is_none() && (options.schema.is_some() || plan.schema_edits.iter().any(|edit| edit.added.is_some())) {
        schema = prisma::schema(Path::new(MIGRATIONS), options.schema.as_deref(), &context.trust()?)?;
    }
    plan.schema_prisma.clone_from(&schema);
    if let Some(migrations) = &options.prisma {
        prisma::write(migrations, schema.as_ref(), &plan, Utc::now(), &context.printer)?;
    }
    show(context, &plan)
}

/// Makes the plan. Nothing is changed.
pub(super) async fn make(
    context: &Context,
    settings: &Settings,
    options: &RolloutOptions,
) -> Result<PlanReport, CommandFailure> {
    stop::at_once(async {
        let connected = context.connect_for_ddl(settings).await?;
        context.printer.note(&format!("planning for {}; nothing will be changed", connected.line()));
        let plan = rls_rollout::plan(&connected.database, settings.tenancy(), options).await?;
        connected.database.close().await;
        Ok(plan)
    })
    .await
}

/// Shows the plan.
pub(super) fn show(context: &Context, plan: &PlanReport) -> CommandResult {
    context.report(plan)?;
    Ok(plan.has_findings().then_some(Exit::NotYet))
}

impl Report for PlanReport {
    const NAME: &'static str = "rls plan";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        Document::new([code("sql", self.script())])
    }
}
