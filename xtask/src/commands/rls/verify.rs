//! `rls verify`: proof by trying, as the application's own login.

use clap::Args;
use local_db::{LocalOptions, Role};
use rls_verify::{Attempt, AttemptKind, Evidence, Finding, TableProof, VerifyOptions, VerifyReport};
use tenancy_config::{DatabaseUrl, Exit, SettingOrigin, Settings};
use tenant_rls::{ConnectOptions, Database};

use crate::app::{CommandContext, Outcome};
use crate::report::Report;
use crate::stop;
use crate::target::Connected;
use crate::text::{counted, line, table};

/// Try to reach other tenants' rows, as the application's own login, and prove that it cannot
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls verify --local
  cargo xtask rls verify --app-url \"$APP_DATABASE_URL\"
  cargo xtask rls verify --tables bookings --write-probes --confirm staging

Reads a few rows by key under each value of the session variable, and compares policies, views and roles in the
catalog. With --write-probes (and always on the local database) it also writes, in transactions that are taken back:
that leaves dead rows, and numbers drawn from sequences. It ends with 3 if anything is not as it must be.")]
pub(super) struct Options {
    /// Only these tables
    #[arg(long, value_delimiter = ',', value_name = "TABLE,…")]
    tables: Vec<String>,
    #[command(flatten)]
    login: AppLogin,
    /// Also try to write, in transactions that are taken back
    #[arg(long)]
    write_probes: bool,
    /// Also write to tables whose triggers would fire
    #[arg(long)]
    fire_triggers: bool,
}

/// As whom the application logs in.
#[derive(Debug, Clone, Args)]
pub(super) struct AppLogin {
    /// The URL with which the application itself connects [default: APP_DATABASE_URL, else the database's own URL]
    #[arg(long, value_name = "URL")]
    app_url: Option<String>,
}

/// Verifies the database that the settings name.
///
/// # Errors
/// The job's.
pub(super) async fn run(app: &CommandContext, options: Options) -> Outcome {
    let settings = app.settings()?;
    let connected = stop::at_once(app.connect_by_choice(&settings)).await?;
    let write_probes = options.write_probes || connected.is_local();
    if write_probes {
        let what = format!("attempts on rows of {}, each taken back", super::named(&options.tables));
        app.before_writing(&connected, &what).await?;
    } else {
        app.printer.note(&format!("reading {}; --write-probes also tries to write", connected.line()));
    }
    let verify = VerifyOptions { tables: options.tables, write_probes, fire_triggers: options.fire_triggers };
    let report = prove(app, &settings, &connected, &options.login, &verify).await?;
    connected.database.close().await;
    app.report(&report)?;
    Ok((!report.is_proven()).then_some(Exit::NotYet))
}

/// The attempts; `rollout --verify` makes them too.
pub(super) async fn prove(
    app: &CommandContext,
    settings: &Settings,
    connected: &Connected,
    login: &AppLogin,
    options: &VerifyOptions,
) -> anyhow::Result<VerifyReport> {
    let (url, origin) = app_url(app, settings, connected, login)?;
    stop::at_once(async {
        let connect = ConnectOptions { tls_no_verify: settings.tls_no_verify(), ..ConnectOptions::default() };
        let as_app = Database::connect(&url, &connect).await?;
        app.printer.note(&format!("trying as {} (from {origin})", as_app.session().role));
        let mut progress = |table: &tenancy_config::TableName| app.printer.note(&format!("{table}: trying"));
        let report =
            rls_verify::verify(&connected.database, &as_app, settings.tenancy(), options, &mut progress).await?;
        as_app.close().await;
        Ok(report)
    })
    .await
}

/// The application's URL, and where it was said.
fn app_url(
    app: &CommandContext,
    settings: &Settings,
    connected: &Connected,
    login: &AppLogin,
) -> anyhow::Result<(DatabaseUrl, SettingOrigin)> {
    let given = match &login.app_url {
        Some(url) => Some((url.clone(), SettingOrigin::Flag("--app-url"))),
        None => settings.env("APP_DATABASE_URL").filter(|(url, _)| !url.trim().is_empty()),
    };
    if let Some((text, origin)) = given {
        let url = DatabaseUrl::parse(&text).map_err(|source| {
            tenant_rls::Error::from(tenancy_config::settings::SettingsError::Url { origin: origin.clone(), source })
        })?;
        return Ok((url, origin));
    }
    if connected.is_local() {
        return Ok((app.local(LocalOptions::default())?.running()?.url(Role::AppUser)?, SettingOrigin::LocalDatabase));
    }
    Ok((connected.database.url().clone(), connected.origin.clone()))
}

impl Report for VerifyReport {
    const NAME: &'static str = "rls verify";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let headings = [
            "table",
            "phase",
            "own",
            "other",
            "unset",
            "empty",
            "unknown",
            "platform",
            "ins own",
            "ins other",
            "ins unset",
            "give",
            "change",
            "delete",
            "no tenant",
        ];
        let mut out = table(&headings, self.tables.iter().map(row));
        out.push_str("\nown to platform: reading; then inserting, giving away, changing, deleting, and writing without a tenant. -: not tried.\n");
        if !self.findings.is_empty() {
            out.push_str("\nFindings:\n");
        }
        for finding in &self.findings {
            out.push_str(&told(finding));
        }
        if !self.notes.is_empty() {
            out.push_str("\nNot open to the application's login:\n");
        }
        for note in &self.notes {
            out.push_str(&told(note));
        }
        if self.untried() > 0 {
            let untried = counted(self.untried() as u64, "table", "tables");
            out.push_str(&format!(
                "\nOther tenants' rows could not be tried in {untried}: there the catalog alone speaks; --format json says why.\n"
            ));
        }
        let tables = counted(self.tables.len() as u64, "table", "tables");
        let found = match self.findings.len() {
            0 => "no tenant reaches another's rows".to_owned(),
            found => counted(found as u64, "finding", "findings"),
        };
        out + "\n" + &line(format!("{tables}, tried as {}: {found}.", self.app_login))
    }
}

fn told(finding: &Finding) -> String {
    let table = finding.table.as_ref().map(|table| format!("{table}: ")).unwrap_or_default();
    line(format!("  {table}{}", finding.what))
}

fn row(proof: &TableProof) -> Vec<String> {
    let mut cells = vec![proof.table.to_string(), proof.phase.to_string()];
    cells.extend(AttemptKind::ALL.map(|what| cell(&proof.attempts, what).to_owned()));
    cells
}

/// The worst of the attempts of a kind.
fn cell(attempts: &[Attempt], what: AttemptKind) -> &'static str {
    let of_kind = || attempts.iter().filter(|attempt| attempt.what == what).map(|attempt| attempt.result);
    if of_kind().any(|result| result == Evidence::Leak) {
        "LEAK"
    } else if of_kind().any(|result| result == Evidence::Hidden) {
        "HIDDEN"
    } else if of_kind().any(|result| result == Evidence::AsExpected) {
        "ok"
    } else {
        "-"
    }
}
