//! Ctrl-C and SIGTERM: the first asks a running job to end after its batch, the second ends the process at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tenant_rls::Exit;
use tokio::signal::unix::{Signal, SignalKind, signal};
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
        let mut signals = Signals::listen();
        async move {
            signals.next().await;
            printer.warning("stopping after the running batch; press Ctrl-C again to stop at once");
            // The receiver may be gone already: then the job has just ended.
            let _ = sender.send(true);
            signals.next().await;
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
    let mut signals = Signals::listen();
    let stopped = tokio::select! {
        done = job => return done,
        () = signals.next() => Mistake::stopped(),
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

/// Ctrl-C, and SIGTERM, which is how CI systems cancel a job.
struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Listens from now on: a signal that comes before [`next`](Self::next) is first polled is not lost.
    fn listen() -> Self {
        Self(
            signal(SignalKind::interrupt())
                .and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)))
                .ok(),
        )
    }

    async fn next(&mut self) {
        // Without a handler the system's default stands, and ends the process.
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
