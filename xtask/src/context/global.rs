//! The options that all commands have.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, Resettable};
use clap::{Args, ValueEnum};
use tenancy_config::Flags;

use crate::document::report::Format;

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database options")]
pub(crate) struct Global {
    /// The database [default: DATABASE_URL, NETLIFY_DATABASE_URL, else the local database, but not for `rls`]
    #[arg(long, global = true, value_name = "URL", allow_hyphen_values = true)]
    database_url: Option<String>,
    /// The same database without its pooler [default: DIRECT_URL, DATABASE_URL_UNPOOLED, …]
    #[arg(long, global = true, value_name = "URL")]
    direct_url: Option<String>,
    /// Use the project's local database, whatever DATABASE_URL says
    #[arg(long, global = true, conflicts_with = "database_url")]
    pub(crate) local: bool,
    /// Name the environment that may be written to, where nobody can be asked
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// Do not verify the server's certificate
    #[arg(long, global = true)]
    tls_no_verify: bool,
    /// The tenancy.toml to use [default: TENANCY_CONFIG, else upwards to the git root]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder with the application's .env files [default: the working directory]
    #[arg(long, global = true, value_name = "DIR")]
    app_dir: Option<PathBuf>,

    /// Shape of the report
    #[arg(
        long,
        global = true,
        default_value = "table",
        value_parser = PossibleValuesParser::new(formats()),
        value_name = "FORMAT",
        help_heading = "Output options"
    )]
    // It is text so that a command with shapes of its own can replace it by an option of the same id.
    format: String,
    /// Write the report into a file, whole or not at all
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output options")]
    pub(crate) output: Option<PathBuf>,
    /// Say nothing but the report, what is written to, warnings and errors
    #[arg(long, short, global = true, help_heading = "Output options")]
    pub(crate) quiet: bool,
    /// Show no progress
    #[arg(long, global = true, help_heading = "Output options")]
    pub(crate) no_progress: bool,
}

/// The values of `--format`, without their comments, for which the help has no room.
fn formats() -> impl Iterator<Item = PossibleValue> {
    let values = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    values.map(|value| value.help(Resettable::Reset))
}

impl Global {
    /// The shape of the report. A command with shapes of its own reads them itself.
    pub(crate) fn format(&self) -> Format {
        Format::from_str(&self.format, false).unwrap_or_default()
    }

    /// The options that settings are made of.
    pub(crate) fn flags(&self) -> Flags {
        Flags {
            database_url: self.database_url.clone(),
            direct_url: self.direct_url.clone(),
            config: self.config.clone(),
            config_is_new: false,
            app_dir: self.app_dir.clone(),
            tls_no_verify: self.tls_no_verify,
            local: self.local,
        }
    }
}
