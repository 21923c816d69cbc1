//! `db`: the project's local database.

mod reset;
mod up;
mod view;

use clap::{Args, Subcommand, ValueEnum};
use local_db::{LocalDb, StartOptions, demo};
use tenancy_config::{CommandRef, Hint};

use self::up::{UpOptions, tell};
use self::view::UrlReport;
use crate::context::command_error::{CommandError, OrFailed};
use crate::context::failure::CommandFailure;
use crate::context::seed_options::DemoSeedOptions;
use crate::context::server_options::ServerOptions;
use crate::context::{CommandResult, Context, stop};
use crate::document::report::{self};
use crate::number_format::count;

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
    Seed(DemoSeedOptions),
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
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    context.refuse_a_url("db")?;
    let local = context.local(options.server.into())?;
    match options.command {
        Command::Up(up) => tell(context, &local.up(&mut context.notes(), up.into()).await?)?,
        Command::Down => {
            let stopped = local.down().await?;
            context.printer.note(if stopped { "stopped; the data stays" } else { "it was not running" });
        }
        Command::Status => context.report(&local.status()?)?,
        Command::Url(role) => url(context, &local, role.role).await?,
        Command::Psql(psql) => open_psql(context, &local, psql).await?,
        Command::Reset(options) => reset::run(context, &local, &options).await?,
        Command::Seed(options) => stop::at_once(seed(context, &local, &options)).await?,
    }
    Ok(None)
}

async fn url(context: &Context, local: &LocalDb, role: Role) -> Result<(), CommandFailure> {
    report::refuse_csv("db url", context.global.format())?;
    let url = local.up(&mut context.notes(), StartOptions::default()).await?.url(role.into())?;
    context.report(&UrlReport { url: url.expose().to_owned() })
}

async fn open_psql(context: &Context, local: &LocalDb, psql: Psql) -> Result<(), CommandFailure> {
    let running = local.up(&mut context.notes(), StartOptions::default()).await?;
    let url = running.url(psql.role.role.into())?;
    let Some(program) = local_db::psql::locate(Some(running.programs())) else {
        return Err(CommandError::failed(
            "psql is not installed",
            Hint::from("any PostgreSQL client connects with what ")
                .then_quoted(CommandRef::DbUrl)
                .then(" prints, such as pgcli, DBeaver, or in the app's folder: npx prisma studio"),
        ));
    };
    // psql handles Ctrl-C itself: it cancels a statement there, and must not end this process, which waits for psql.
    let handled_by_psql = stop::Awaited::elsewhere();
    let status =
        tokio::process::Command::from(local_db::psql::command(&program, &url)).args(&psql.arguments).status().await;
    drop(handled_by_psql);
    let status = status.or_failed(format_args!("cannot start {}", program.display()))?;
    if status.success() {
        Ok(())
    } else {
        Err(CommandError::failed(format!("psql ended with {status}"), "its own message says why"))
    }
}

async fn seed(context: &Context, local: &LocalDb, options: &DemoSeedOptions) -> Result<(), CommandFailure> {
    let running = local.up(&mut context.notes(), StartOptions::default()).await?;
    context.printer.note(&format!("planting {} bookings", count(u64::from(options.bookings))));
    context.report(&demo::plant(&running.url(local_db::Role::Superuser)?, &options.into(), &mut context.notes()).await?)
}
