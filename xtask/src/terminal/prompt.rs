//! Questions on the terminal, and their answers.

use std::io;

use crate::context::command_error::OrFailed;
use crate::context::failure::CommandFailure;
use crate::terminal::printer::Printer;

/// Asks, and waits for the answer in a thread of its own, so that the caller still receives signals. `None` if there is no
/// terminal, or the input ended.
///
/// # Errors
/// The terminal cannot be read.
pub(crate) async fn ask(printer: &Printer, question: &str) -> Result<Option<String>, CommandFailure> {
    if !printer.question(question) {
        return Ok(None);
    }
    const UNREAD: &str = "cannot read the answer from the terminal";
    let answer = tokio::task::spawn_blocking(answer).await.or_failed(UNREAD)?.or_failed(UNREAD)?;
    printer.answered();
    Ok(answer)
}

/// Reads one line. It holds no lock while it waits, so that the printer can still write. `None` is the end of the input, as
/// Ctrl-D gives it.
fn answer() -> io::Result<Option<String>> {
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer)?;
    Ok((read > 0).then(|| answer.trim().to_owned()))
}
