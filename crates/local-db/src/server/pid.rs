//! Finds the process that is the server of a data folder. The pid in a file may meanwhile belong to another process,
//! and a file without a pid does not mean that no server runs.

use std::fs;
use std::path::Path;

use rustix::process::Pid;

use crate::server::process;

/// Whether a server runs on a data folder.
pub fn is_running(data: &Path) -> bool {
    running_pid(data).is_some()
}

/// The process of the server that runs on a data folder, if one does.
pub(crate) fn running_pid(data: &Path) -> Option<Pid> {
    let folder = data.canonicalize().ok()?;
    let named = || {
        let file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        Pid::from_raw(file.lines().next()?.trim().parse().ok()?)
    };
    // If the file is empty, cut off or gone, a server may still be running.
    named().filter(|pid| works_in(*pid, data, &folder)).or_else(|| server_in(&folder))
}

/// Whether a process is the server of a data folder.
fn works_in(pid: Pid, data: &Path, folder: &Path) -> bool {
    let Some(arguments) = process::command_line(pid) else { return false };
    // A server's working directory is its data folder, even if that was moved. If this user may not see the working
    // directory, the arguments decide.
    match process::working_folder(pid) {
        Some(at) => arguments.contains("postgres") && at == folder,
        None => arguments.contains(&*data.to_string_lossy()),
    }
}

/// The server, among the processes whose working directory is this data folder. The others are its sessions, which live
/// a moment longer than a server that is killed; they call themselves `postgres: …`.
fn server_in(folder: &Path) -> Option<Pid> {
    let there = process::working_in(folder);
    let is_session = |pid: Pid| {
        process::command_line(pid).is_none_or(|arguments| arguments.starts_with("postgres: "))
            || process::parent(pid).is_some_and(|parent| there.contains(&parent))
    };
    there.iter().copied().find(|pid| works_in(*pid, folder, folder) && !is_session(*pid))
}
