//! `rls rollback`: every definition as it was.

use clap::{Args, ValueEnum};
use rls_rollout::RollbackReport;
use tenancy_config::Exit;
use tenant_inventory::Phase;

use super::{Patience, tell};
use crate::app::{CommandContext, Outcome};
use crate::report::Report;
use crate::text::{count, counted, line, table};
use crate::{holder, report, stop};

/// Take a rollout back: every definition as the journal has it from before
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls rollback --to prepare
  cargo xtask rls rollback --run 7
  cargo xtask rls rollback --to none --tables bookings

It refuses where somebody changed a definition since: that would be lost. The roles and the schema tenant_ops stay.")]
pub(super) struct Options {
    /// The phase to go back to
    #[arg(long, value_enum, default_value_t, value_name = "none|prepare|tighten", hide_possible_values = true)]
    to: To,
    /// Only what this rollout did
    #[arg(long, value_name = "NUMBER", conflicts_with = "to")]
    run: Option<i64>,
    /// Only these tables
    #[arg(long, value_delimiter = ',', value_name = "TABLE,…")]
    tables: Vec<String>,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum To {
    #[default]
    None,
    Prepare,
    Tighten,
}

impl From<To> for Phase {
    fn from(to: To) -> Self {
        match to {
            To::None => Self::None,
            To::Prepare => Self::Prepare,
            To::Tighten => Self::Tighten,
        }
    }
}

/// Takes back on the database that the settings name.
///
/// # Errors
/// The job's; tables that were restored stay so.
pub(super) async fn run(app: &CommandContext, options: Options) -> Outcome {
    report::refuse_csv("rls rollback", app.global.format())?;
    let settings = app.settings()?;
    let connected = stop::at_once(app.connect_for_ddl(&settings)).await?;
    let back = match options.run {
        Some(run) => format!("to what it was before rollout {run}"),
        None => format!("back to `{}`", Phase::from(options.to)),
    };
    let what = format!("row level security of {}, {back}", super::named(&options.tables));
    app.before_writing(&connected, &what).await?;
    let rollback = rls_rollout::RollbackOptions {
        to: options.to.into(),
        rollout: options.run,
        tables: options.tables,
        lock_retry: options.patience.into(),
    };
    let holder = holder::name(tenancy_config::environment::checked);
    let mut progress = |event| tell(&app.printer, &event);
    let done = stop::gently(&app.printer, |stop| {
        rls_rollout::rollback(&connected.database, settings.tenancy(), &rollback, &holder, stop, &mut progress)
    })
    .await?;
    connected.database.close().await;
    app.report(&done)?;
    Ok(done.stopped.then_some(Exit::Stopped))
}

impl Report for RollbackReport {
    const NAME: &'static str = "rls rollback";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let gone: String = self
            .gone
            .iter()
            .map(|table| line(format!("{table} is gone, dropped or renamed: nothing of it was restored.")))
            .collect();
        if self.tables.is_empty() {
            return format!("{gone}Nothing was left to take back.\n");
        }
        let rows = self.tables.iter().map(|restored| {
            let phase = restored.phase.map_or_else(|| "not a tenant table".to_owned(), |phase| phase.to_string());
            vec![restored.table.to_string(), count(restored.restored as u64), phase]
        });
        let tables = counted(self.tables.len() as u64, "table", "tables");
        let end = if self.stopped {
            "Stopped; the same command goes on from here."
        } else {
            "The roles and the schema tenant_ops stay."
        };
        format!("{}\n{gone}Restored {tables}. {end}\n", table(&["table", ">definitions restored", "is"], rows))
    }
}
