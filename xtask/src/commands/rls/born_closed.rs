//! `rls born-closed`: an event trigger that switches row level security on for each new tenant table, until the next rollout.

use clap::Args;
use rls_rollout::BornClosedReport;
use tenancy_config::{CommandRef, Hint};
use tenant_inventory::BornClosedState;

use crate::context::{CommandResult, Context, holder, stop};
use crate::document::block::{Document, code, lines};
use crate::document::report;
use crate::document::report::Report;

/// Have new tables with a tenant column born closed
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls born-closed --dry-run
  cargo xtask rls born-closed --database-url postgresql://postgres@db.example.com/app

An event trigger then switches row level security on for each new table that has a tenant column, or a foreign key
to the tenant table: it shows no row, but to its owner, until `rls rollout` gives it policies. The command needs a
superuser, or the role that your host lets make event triggers. `rls rollback --to none` takes it back.")]
pub(super) struct Options {
    /// Make it and take it back at once, to see whether this login may, and show the statements
    #[arg(long)]
    dry_run: bool,
}

/// Makes the event trigger in the database that the settings name.
///
/// # Errors
/// The job's.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("rls born-closed", context.global.format())?;
    let settings = context.settings()?;
    let connected = stop::at_once(context.connect_for_ddl(&settings)).await?;
    if options.dry_run {
        context.printer.note(&format!("trying on {}; nothing will be changed", connected.line()));
    } else {
        context.before_writing(&connected, "an event trigger that closes new tables").await?;
    }
    let holder = holder::name(tenancy_config::environment::checked);
    let (database, tenancy) = (&connected.database, settings.tenancy());
    let mut queued = |holder: &str| {
        context.printer.note(&format!("{holder} holds the lease; waiting to see whether they are alive"))
    };
    let done = stop::at_once(async {
        Ok(rls_rollout::born_closed(database, tenancy, options.dry_run, &holder, &mut queued).await?)
    })
    .await?;
    connected.database.close().await;
    context.report(&done)?;
    Ok(None)
}

impl Report for BornClosedReport {
    const NAME: &'static str = "rls born-closed";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let in_force = self.before.as_ref().filter(|before| before.state == BornClosedState::InForce);
        let said = match (in_force, self.rollout) {
            (Some(before), _) => Hint::from(format!("Nothing was left to do: {before}.")),
            (None, Some(rollout)) => Hint::from("From now on, each new table with a tenant column, or with a foreign key to the tenant table, shows no row until the next rollout, but to its owner. To take it back: ")
                .then_run(CommandRef::RlsRollbackRun { rollout }),
            (None, None) => "This login may make it. It would run these statements.".into(),
        };
        let mut document = Document::new([lines([said])]);
        if self.dry_run && in_force.is_none() {
            document.push(code("sql", self.statements.iter().map(|sql| format!("{sql};\n")).collect::<String>()));
        }
        document
    }
}
