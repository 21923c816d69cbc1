//! An interactive client for the local database, where one is installed.

use std::path::{Path, PathBuf};

use crate::Programs;

/// Finds `psql`: beside the server programs (npm's package has none), else in the `PATH`.
pub fn locate(programs: Option<&Programs>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside = programs.map(Programs::bin).map(Path::to_owned);
    beside.into_iter().chain(std::env::split_paths(&path)).map(|folder| folder.join("psql")).find(|psql| psql.is_file())
}
