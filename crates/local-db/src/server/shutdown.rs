//! Ends a server, in an orderly way or as if the machine had lost power.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Result};
use crate::server::pid::running_pid;
use crate::server::process;

/// How long a shutdown may take. Flushing to a slow disk takes long.
const STOP_LIMIT: Duration = Duration::from_secs(120);
const STEP: Duration = Duration::from_millis(20);

/// How a server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Sessions are ended, and data is flushed.
    Fast,
    /// No new session can begin, and the existing ones end by themselves.
    Smart,
    /// The server is killed, as if the machine had lost power.
    Crash,
}

/// Ends the server on a data folder, if one runs, and waits until it is gone. Returns whether one ran.
///
/// # Errors
/// [`Error::Program`]: it still runs after two minutes.
pub async fn end(data: &Path, how: Shutdown) -> Result<bool> {
    let Some(pid) = running_pid(data) else { return Ok(false) };
    let failed =
        |output: String| Error::Program { program: format!("stopping process {}", pid.as_raw_nonzero()), output };
    let ended = match how {
        Shutdown::Fast => signal(pid, Signal::INT).map(|()| Vec::new()),
        Shutdown::Smart => signal(pid, Signal::TERM).map(|()| Vec::new()),
        Shutdown::Crash => kill_family(pid),
    };
    let sessions = ended.map_err(|error| failed(error.to_string()))?;
    for _ in 0..STOP_LIMIT.as_millis() / STEP.as_millis() {
        if running_pid(data) != Some(pid) && !sessions.iter().any(|session| process::is_alive(*session)) {
            return Ok(true);
        }
        tokio::time::sleep(STEP).await;
    }
    Err(failed(format!("it still runs after {} s", STOP_LIMIT.as_secs())))
}

/// Kills the server on a data folder, if one runs, and does not wait until it is gone.
pub fn kill(data: &Path) {
    if let Some(pid) = running_pid(data) {
        // If it is gone already, there is nothing to do.
        let _ = kill_family(pid);
    }
}

/// Kills a server with its sessions, which would otherwise live a moment longer, and returns the sessions.
fn kill_family(server: Pid) -> rustix::io::Result<Vec<Pid>> {
    // A stopped server can neither start a session nor wait for one that ended, whose pid could then go to another
    // program.
    signal(server, Signal::STOP)?;
    let sessions = process::children(server);
    for pid in sessions.iter().chain([&server]) {
        signal(*pid, Signal::KILL)?;
    }
    Ok(sessions)
}

/// Sends a signal. It is not an error if the process is gone already.
fn signal(pid: Pid, signal: Signal) -> rustix::io::Result<()> {
    match kill_process(pid, signal) {
        Err(rustix::io::Errno::SRCH) => Ok(()),
        sent => sent,
    }
}
