//! The gate before a rollout: no statement of the application gets slower or fails that nobody named.

use std::path::PathBuf;

use clap::Args;
use rls_predict::{PredictOptions, PredictWay};
use rls_rollout::RolloutOptions;
use tenancy_config::Settings;
use tenant_rls::{ConnectOptions, Database};

use crate::commands::rls::statements::{given, times};
use crate::commands::rls::verify::{AppLogin, app_url};
use crate::context::Context;
use crate::context::failure::CommandFailure;
use crate::context::stop;
use crate::number_format::counted;

/// Which statements are predicted before a rollout.
#[derive(Debug, Args)]
pub(super) struct GateArgs {
    /// First predict for the statements of this file, and roll nothing out while one gets slower or fails; - is standard input
    #[arg(long, value_name = "FILE")]
    statements: Option<PathBuf>,
    /// From how many times the cost on a statement counts as slower
    #[arg(long, value_name = "TIMES", default_value = "2", value_parser = times, requires = "statements")]
    slower_than: f64,
    /// Statements that may get slower or fail, by their fingerprints in `rls predict`
    #[arg(long, value_name = "FINGERPRINT,…", value_delimiter = ',', requires = "statements")]
    allow_slower: Vec<String>,
}

/// Whether the rollout may begin. Where it may not, the prediction was reported.
///
/// # Errors
/// The file or a database cannot be read.
pub(super) async fn is_open(
    context: &Context,
    settings: &Settings,
    login: &AppLogin,
    gate: &GateArgs,
    rollout: &RolloutOptions,
) -> Result<bool, CommandFailure> {
    let Some(file) = &gate.statements else { return Ok(true) };
    let source = given(file)?;
    let connected = stop::at_once(context.connect_by_choice(settings)).await?;
    let (url, origin) = app_url(context, settings, &connected, login)?;
    let predict = PredictOptions {
        rollout: rollout.clone(),
        way: PredictWay::Catalog,
        trusts_statements: false,
        slower_than: gate.slower_than,
    };
    let report = stop::at_once(async {
        let connect = ConnectOptions { tls_no_verify: settings.tls_no_verify(), ..ConnectOptions::default() };
        let app = Database::connect(&url, &connect).await?;
        context.printer.note(&format!("first planning the statements for {} (from {origin})", app.session().role));
        let report = rls_predict::predict(&connected.database, &app, settings.tenancy(), source, &predict).await?;
        app.close().await;
        Ok(report)
    })
    .await?;
    connected.database.close().await;
    let worse = report.findings_besides(&gate.allow_slower);
    if worse.is_empty() {
        return Ok(true);
    }
    context.report(&report)?;
    let told = counted(worse.len() as u64, "statement fails, gets", "statements fail, get");
    let named = worse.join(",");
    context.printer.warning(&format!(
        "nothing was rolled out: {told} slower or could not be planned, and nobody said that this may be; what helps is said above, and --allow-slower {named} lets it be"
    ));
    Ok(false)
}
