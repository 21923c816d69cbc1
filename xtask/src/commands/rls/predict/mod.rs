//! `rls predict`: which statements get slower or fail once the tables have their policies.

mod view;

use std::path::PathBuf;

use clap::Args;
use rls_predict::{PredictOptions, PredictWay, Source};
use rls_rollout::RolloutOptions;
use tenancy_config::Exit;
use tenant_rls::{ConnectOptions, Database};

use crate::commands::rls::args::{LockArgs, named};
use crate::commands::rls::statements::{given, times};
use crate::commands::rls::verify::{AppLogin, app_url};
use crate::context::{CommandResult, Context, stop};
use crate::document::report;

/// Show which of the application's statements get slower or fail once the tables have policies, before they have any
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls predict --local --statements queries.sql
  cargo xtask rls predict --app-url \"$APP_DATABASE_URL\"
  cargo xtask rls predict --try --slower-than 1.5 --confirm staging
  cargo xtask rls predict --format json --output predicted.json

No statement is run: the server is asked for its plan. Without --statements they are those of
pg_stat_statements that took longest. With --try, on a copy or on staging, the tables get their
policies in a transaction that is rolled back, and are locked until then; without it, the catalog
says which indexes cannot be used any more. It ends with 3 if a statement fails or gets slower than
that, or something beside the statements fails.")]
pub(super) struct Options {
    /// A file of statements; - is standard input [default: pg_stat_statements]
    #[arg(long, value_name = "FILE")]
    statements: Option<PathBuf>,
    /// Give the tables their policies in a transaction that is rolled back, and plan the statements behind them
    #[arg(long = "try")]
    trial: bool,
    /// With --try, plan the statements although this login is a superuser, whom code that they call could become
    #[arg(long, requires = "trial")]
    trust_statements: bool,
    /// From how many times the cost on a statement counts as slower
    #[arg(long, value_name = "TIMES", default_value = "2", value_parser = times)]
    slower_than: f64,
    /// Only these tables
    #[arg(long, value_delimiter = ',', value_name = "TABLE,…")]
    tables: Vec<String>,
    /// Replace permissive policies of others, as the rollout with --adopt does
    #[arg(long)]
    adopt: bool,
    #[command(flatten)]
    login: AppLogin,
    #[command(flatten)]
    lock: LockArgs,
}

/// Predicts for the database that the settings name.
///
/// # Errors
/// The file cannot be read, the settings are wrong, a database cannot be reached or read, or nobody confirmed a trial.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("rls predict", context.global.format())?;
    let source = options.statements.as_deref().map(given).transpose()?.unwrap_or(Source::Server);
    let settings = context.settings()?;
    let way = if options.trial { PredictWay::Trial } else { PredictWay::Catalog };
    let connected = if options.trial {
        let connected = stop::at_once(context.connect_for_ddl(&settings)).await?;
        let what = format!("policies on {}, locked meanwhile and rolled back at the end", named(&options.tables));
        context.before_writing(&connected, &what).await?;
        connected
    } else {
        let connected = stop::at_once(context.connect_by_choice(&settings)).await?;
        context.printer.note(&format!("reading {}; --try also tries the policies", connected.line()));
        connected
    };
    let (url, origin) = app_url(context, &settings, &connected, &options.login)?;
    let rollout = RolloutOptions {
        tables: options.tables,
        adopt: options.adopt,
        lock_retry: options.lock.into(),
        ..RolloutOptions::default()
    };
    let predict =
        PredictOptions { rollout, way, trusts_statements: options.trust_statements, slower_than: options.slower_than };
    let report = stop::at_once(async {
        let connect = ConnectOptions { tls_no_verify: settings.tls_no_verify(), ..ConnectOptions::default() };
        let app = Database::connect(&url, &connect).await?;
        context.printer.note(&format!("planning for {} (from {origin})", app.session().role));
        let report = rls_predict::predict(&connected.database, &app, settings.tenancy(), source, &predict).await?;
        app.close().await;
        Ok(report)
    })
    .await?;
    connected.database.close().await;
    context.report(&report)?;
    Ok(report.has_findings().then_some(Exit::NotYet))
}
