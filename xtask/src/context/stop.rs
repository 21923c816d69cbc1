//! Ctrl-C and SIGTERM: the first asks a running job to end after its batch, the second ends the process at once. So does the first
//! where no job runs.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tenancy_config::{Exit, files};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::context::command_error::CommandError;
use crate::terminal::printer::Printer;

/// Runs what can stop between batches. The job gets a receiver that turns `true` when it should end.
pub(crate) async fn gently<F: Future>(
    printer: &Arc<Printer>,
    job: impl FnOnce(watch::Receiver<bool>) -> F,
) -> F::Output {
    let _awaited = Awaited::here();
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
            end();
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
    let _awaited = Awaited::here();
    let mut signals = Signals::listen();
    let stopped = tokio::select! {
        done = job => return done,
        _ = signals.next() => CommandError::stopped(),
    };
    let _ = tokio::time::timeout(CANCELLING, until_tasks_end()).await;
    Err(stopped)
}

/// Ends the process at a signal that nothing in it awaits, such as one between connecting and asking: at once, and without a half
/// written file.
pub(crate) fn watch(printer: &Arc<Printer>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    let printer = Arc::clone(printer);
    // Listens before the command begins.
    let mut signals = runtime.block_on(async { Signals::listen() });
    std::thread::spawn(move || {
        loop {
            let interrupts = runtime.block_on(signals.next()) == SignalKind::interrupt();
            let anothers = interrupts && INTERRUPTS_AWAITED.load(Ordering::SeqCst) > 0;
            if !anothers && AWAITED.load(Ordering::SeqCst) == 0 {
                say_stopped(&printer);
                end();
            }
        }
    });
}

/// Whoever reads our streams may have stopped reading, and must not hold up the end.
fn say_stopped(printer: &Arc<Printer>) {
    let (said, heard) = std::sync::mpsc::channel();
    let printer = Arc::clone(printer);
    std::thread::spawn(move || {
        printer.error("stopped", &[], None);
        said.send(())
    });
    let _ = heard.recv_timeout(Duration::from_millis(200));
}

/// Ends the process, whatever it is doing.
fn end() -> ! {
    files::remove_unfinished();
    std::process::exit(i32::from(Exit::Stopped.code()));
}

/// How many parts of the command await a signal.
static AWAITED: AtomicU32 = AtomicU32::new(0);

/// The same for Ctrl-C alone.
static INTERRUPTS_AWAITED: AtomicU32 = AtomicU32::new(0);

/// For as long as it lives, a signal is awaited by somebody else than [`watch()`].
pub(crate) struct Awaited(&'static AtomicU32);

impl Awaited {
    /// By a part of this process.
    pub(crate) fn here() -> Self {
        Self::counted(&AWAITED)
    }

    /// By a program on the same terminal, which takes Ctrl-C for itself.
    pub(crate) fn elsewhere() -> Self {
        Self::counted(&INTERRUPTS_AWAITED)
    }

    fn counted(counter: &'static AtomicU32) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(counter)
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
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

    async fn next(&mut self) -> SignalKind {
        // Without a handler the system's default stands, and ends the process.
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        }
    }
}
