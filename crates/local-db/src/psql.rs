//! An interactive client for the local database, if one is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use tenancy_config::{DatabaseUrl, environment};

use crate::server::programs::Programs;

/// Finds `psql` beside the server programs (npm's package does not have it), or else in the `PATH`.
pub fn locate(programs: Option<&Programs>) -> Option<PathBuf> {
    let beside = programs.map(Programs::bin).map(Path::to_owned);
    beside
        .into_iter()
        .chain(environment::program_folders())
        .map(|folder| folder.join("psql"))
        .find(|psql| psql.is_file())
}

/// The command that opens a database in `psql`. `PGSERVICE`, `PGHOSTADDR` and `PGSSLMODE` do not affect it. Its
/// arguments, which every user of the machine can read, contain no password.
pub fn command(program: &Path, url: &DatabaseUrl) -> Command {
    let mut command = Command::new(program);
    environment::strip(&mut command);
    command.arg(url.with_user(url.user(), None).expose());
    command.envs(url.expose_password().map(|password| ("PGPASSWORD", password)));
    command
}
