//! `rls verify`: tries to reach other tenants' rows as the application's own login.

mod view;

use clap::Args;
use local_db::{LocalOptions, Role};
use rls_verify::{VerifyOptions, VerifyReport};
use tenancy_config::{DatabaseUrl, Exit, SettingOrigin, Settings};
use tenant_rls::{ConnectOptions, Database};

use crate::commands::rls::args::named;
use crate::context::failure::CommandFailure;
use crate::context::target::Connected;
use crate::context::{CommandResult, Context, stop};

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

/// How the application logs in.
#[derive(Debug, Clone, Args)]
pub(super) struct AppLogin {
    /// The URL with which the application itself connects [default: APP_DATABASE_URL, else the database's own URL]
    #[arg(long, value_name = "URL")]
    app_url: Option<String>,
}

/// Verifies the database that the settings name.
///
/// # Errors
/// The settings are wrong, a database cannot be reached or read, or the answer is not "proven" (exit 3).
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    let settings = context.settings()?;
    let connected = stop::at_once(context.connect_by_choice(&settings)).await?;
    let write_probes = options.write_probes || connected.is_local();
    if write_probes {
        let what = format!("attempts on rows of {}, each taken back", named(&options.tables));
        context.before_writing(&connected, &what).await?;
    } else {
        context.printer.note(&format!("reading {}; --write-probes also tries to write", connected.line()));
    }
    let verify = VerifyOptions {
        tables: options.tables,
        write_probes,
        fire_triggers: options.fire_triggers,
        ..VerifyOptions::default()
    };
    let report = prove(context, &settings, &connected, &options.login, &verify).await?;
    connected.database.close().await;
    context.report(&report)?;
    Ok((!report.is_proven()).then_some(Exit::NotYet))
}

/// Makes the attempts. `rollout --verify` calls it too.
pub(super) async fn prove(
    context: &Context,
    settings: &Settings,
    connected: &Connected,
    login: &AppLogin,
    options: &VerifyOptions,
) -> Result<VerifyReport, CommandFailure> {
    let (url, origin) = app_url(context, settings, connected, login)?;
    let mut urls = Vec::new();
    for declared in settings.tenancy().declared_logins() {
        let found = settings.login_url(&declared).map_err(tenant_rls::Error::from)?;
        urls.extend(found.map(|(url, origin)| (declared.purpose, url, origin)));
    }
    stop::at_once(async {
        let connect = ConnectOptions { tls_no_verify: settings.tls_no_verify(), ..ConnectOptions::default() };
        let as_app = Database::connect(&url, &connect).await?;
        context.printer.note(&format!("trying as {} (from {origin})", as_app.session().role));
        let mut options = options.clone();
        for (purpose, url, origin) in &urls {
            let login = Database::connect(url, &connect).await?;
            context.printer.note(&format!("trying {purpose} as {} (from {origin})", login.session().role));
            options.logins.insert(purpose.clone(), login);
        }
        let mut progress = |table: &tenancy_config::TableName| context.printer.note(&format!("{table}: trying"));
        let report =
            rls_verify::verify(&connected.database, &as_app, settings.tenancy(), &options, &mut progress).await?;
        as_app.close().await;
        for login in options.logins.into_values() {
            login.close().await;
        }
        Ok(report)
    })
    .await
}

fn parsed(text: &str, origin: SettingOrigin) -> Result<(DatabaseUrl, SettingOrigin), CommandFailure> {
    match DatabaseUrl::parse(text) {
        Ok(url) => Ok((url, origin)),
        Err(source) => {
            let error = tenancy_config::settings::SettingsError::Url { origin, source };
            Err(tenant_rls::Error::from(error).into())
        }
    }
}

/// The application's URL, and the setting that it comes from.
pub(super) fn app_url(
    context: &Context,
    settings: &Settings,
    connected: &Connected,
    login: &AppLogin,
) -> Result<(DatabaseUrl, SettingOrigin), CommandFailure> {
    let given = match &login.app_url {
        Some(url) => Some((url.clone(), SettingOrigin::Flag("--app-url"))),
        None => settings.env("APP_DATABASE_URL").filter(|(url, _)| !url.trim().is_empty()),
    };
    if let Some((text, origin)) = given {
        return parsed(&text, origin);
    }
    if connected.is_local() {
        return Ok((
            context.local(LocalOptions::default())?.running()?.url(Role::AppUser)?,
            SettingOrigin::LocalDatabase,
        ));
    }
    Ok((connected.database.url().clone(), connected.origin.clone()))
}
