//! Ctrl-C and SIGTERM. The first signal asks a running job to end after its batch, the second ends the process at once. If no job is
//! running, the first one ends the process.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tenancy_config::{Exit, files};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};

use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::terminal::printer::Printer;

/// Runs a job that can stop between batches. Its receiver turns `true` when the job should end.
pub(crate) async fn gently<F: Future>(
    printer: &Arc<Printer>,
    job: impl FnOnce(watch::Receiver<bool>) -> F,
) -> F::Output {
    let _awaited = Awaited::here();
    let (sender, receiver) = watch::channel(false);
    let printer = Arc::clone(printer);
    let first = move || {
        // If the receiver is gone, the job has just ended.
        let _ = sender.send(true);
        say(move || printer.warning("stopping after the running batch; press Ctrl-C again to stop at once"));
    };
    let _listener = Listener::start(first, None);
    job(receiver).await
}

/// Listens for signals in a thread of its own until it is dropped: the job may hang in a write to a terminal that nobody reads.
struct Listener(#[expect(dead_code, reason = "dropping it ends the thread")] Option<oneshot::Sender<()>>);

impl Listener {
    /// The first signal is told to the job. The process ends with the second one, or once the job took longer than `longest` to end.
    fn start(first: impl FnOnce() + Send + 'static, longest: Option<Duration>) -> Self {
        let Some((runtime, mut signals)) = listening() else { return Self(None) };
        let (alive, dropped) = oneshot::channel();
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = dropped => {}
                    () = async {
                        signals.next().await;
                        first();
                        let second = signals.next();
                        match longest {
                            Some(longest) => drop(tokio::time::timeout(longest, second).await),
                            None => drop(second.await),
                        }
                        end();
                    } => {}
                }
            });
        });
        Self(Some(alive))
    }
}

/// A runtime that listens for signals already, for a thread that does nothing else.
fn listening() -> Option<(Runtime, Signals)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let signals = {
        // Entered, and not blocked on: the caller may be in a runtime itself.
        let _entered = runtime.enter();
        Signals::listen()
    };
    Some((runtime, signals))
}

/// Runs a job that has nothing to save. The first signal drops it, which also cancels its statement on the server. A job that cannot be dropped, as it
/// hangs in a write to a terminal that nobody reads, ends with the process.
///
/// # Errors
/// What the job returns, or that it was stopped.
pub(crate) async fn at_once<T>(job: impl Future<Output = Result<T, CommandFailure>>) -> Result<T, CommandFailure> {
    let _awaited = Awaited::here();
    let (stop, mut stopping) = watch::channel(false);
    let first = move || {
        // If the receiver is gone, the job has just ended.
        let _ = stop.send(true);
    };
    let _listener = Listener::start(first, Some(CANCELLING + Duration::from_secs(1)));
    let stopped = tokio::select! {
        done = job => return done,
        Ok(()) = stopping.changed() => CommandError::stopped(),
    };
    let _ = tokio::time::timeout(CANCELLING, until_tasks_end()).await;
    Err(stopped)
}

/// Ends the process at once when a signal comes that nothing else awaits, for example between connecting and asking. Incomplete
/// files are removed.
pub(crate) fn watch(printer: &Arc<Printer>) {
    // It must listen before the command begins.
    let Some((runtime, mut signals)) = listening() else { return };
    let printer = Arc::clone(printer);
    std::thread::spawn(move || {
        loop {
            let interrupts = runtime.block_on(signals.next()) == SignalKind::interrupt();
            let is_anothers = interrupts && INTERRUPTS_AWAITED.load(Ordering::SeqCst) > 0;
            if !is_anothers && AWAITED.load(Ordering::SeqCst) == 0 {
                let printer = Arc::clone(&printer);
                say(move || printer.error("stopped", &[], None));
                end();
            }
        }
    });
}

/// Says something. A reader of stderr that does not read must not delay the end.
fn say(text: impl FnOnce() + Send + 'static) {
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        text();
        said.send(())
    });
    let _ = heard.recv_timeout(Duration::from_millis(200));
}

/// Ends the process, whatever it is doing.
fn end() -> ! {
    files::remove_unfinished();
    std::process::exit(i32::from(Exit::Stopped.code()));
}

/// How many callers in this process await a signal.
static AWAITED: AtomicU32 = AtomicU32::new(0);

/// How many programs on the same terminal handle Ctrl-C themselves.
static INTERRUPTS_AWAITED: AtomicU32 = AtomicU32::new(0);

/// While it exists, something other than [`watch()`] handles signals.
pub(crate) struct Awaited(&'static AtomicU32);

impl Awaited {
    /// The caller handles signals.
    pub(crate) fn here() -> Self {
        Self::counted(&AWAITED)
    }

    /// Another program on the same terminal handles Ctrl-C.
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

/// A dropped transaction cancels its statement in a task of its own. The process must wait for that task.
async fn until_tasks_end() {
    let metrics = tokio::runtime::Handle::current().metrics();
    while metrics.num_alive_tasks() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Ctrl-C, and SIGTERM, which is how CI systems cancel a job.
struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Listens from now on. A signal that comes before [`next`](Self::next) is polled is not lost.
    fn listen() -> Self {
        Self(
            signal(SignalKind::interrupt())
                .and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)))
                .ok(),
        )
    }

    async fn next(&mut self) -> SignalKind {
        // Without a handler, the default of the system ends the process.
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        }
    }
}
