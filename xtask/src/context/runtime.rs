//! The runtime of commands that talk to a server.

use std::future::Future;

use crate::context::command_error::OrFailed;
use crate::context::failure::CommandFailure;

/// Runs a command to its end, in this thread: the server does most of the work, and an answer that had to wake another thread would take a
/// fifth longer. What must not wait for this thread has one of its own: [`crate::context::stop`].
///
/// # Errors
/// The command failed, or the system gives no means to wait for a server.
pub(crate) fn block_on<T>(command: impl Future<Output = Result<T, CommandFailure>>) -> Result<T, CommandFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.or_failed("cannot start the runtime")?;
    let outcome = runtime.block_on(command);
    // A question that Ctrl-C interrupted still reads from the terminal. Do not wait for it.
    runtime.shutdown_background();
    outcome
}
