//! Ctrl-C and SIGTERM: the first asks a running job to end after its batch, the second ends the process at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tenant_rls::Exit;
use tokio::sync::watch;

use crate::failure::Mistake;
use crate::printer::Printer;

/// Runs what can stop between batches. The job gets a receiver that turns `true` when it should end.
pub(crate) async fn gently<F: Future>(
    printer: &Arc<Printer>,
    job: impl FnOnce(watch::Receiver<bool>) -> F,
) -> F::Output {
    let (sender, receiver) = watch::channel(false);
    let listener = tokio::spawn({
        let printer = Arc::clone(printer);
        async move {
            signal().await;
            printer.warning("stopping after the running batch; press Ctrl-C again to stop at once");
            // The receiver may be gone already: then the job has just ended.
            let _ = sender.send(true);
            signal().await;
            std::process::exit(i32::from(Exit::Stopped.code()));
        }
    });
    let output = job(receiver).await;
    listener.abort();
    output
}

/// Runs what keeps nothing that would be lost: the first signal drops it, which also cancels its statement on the server.
///
/// # Errors
/// What the job returns, or that it was stopped.
pub(crate) async fn at_once<T>(job: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let stopped = {
        tokio::select! {
            done = job => return done,
            () = signal() => Mistake::stopped(),
        }
    };
    let _ = tokio::time::timeout(CANCELLING, until_tasks_end()).await;
    Err(stopped)
}

/// How long a cancel request to the server may take before the process ends without it.
const CANCELLING: Duration = Duration::from_secs(2);

/// A dropped transaction cancels its statement in a task of its own, which must not end with the process.
async fn until_tasks_end() {
    let metrics = tokio::runtime::Handle::current().metrics();
    while metrics.num_alive_tasks() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits for Ctrl-C or, where there is one, SIGTERM (how CI systems cancel a job).
async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system's default stands, and ends the process.
        std::future::pending::<()>().await;
    }
}
