//! The runtime of commands that talk to a server.

use std::future::Future;

use anyhow::Context;

/// Two workers: the server does the heavy work, and the machine is often a small one.
///
/// # Errors
/// The command's, or that the system gives no threads.
pub(crate) fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let outcome = runtime.block_on(command);
    // A question that Ctrl-C left unanswered still waits for a line; nobody waits for it.
    runtime.shutdown_background();
    outcome
}
