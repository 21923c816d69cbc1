//! Errors and refusals of the command line itself.

use std::error::Error;
use std::time::SystemTimeError;
use std::{fmt, io};

use tenancy_config::{Exit, Hint, UserError};
use tokio::task::JoinError;

use crate::context::failure::CommandFailure;

/// An error or a refusal that comes from no library.
#[derive(Debug)]
pub(crate) struct CommandError {
    message: String,
    hint: Option<Hint>,
    exit: Exit,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl CommandError {
    /// The command line is wrong. Nothing was done.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<Hint>) -> CommandFailure {
        Self { message: message.into(), hint: Some(hint.into()), exit: Exit::Usage, source: None }.into()
    }

    /// A write is refused for safety. Nothing was written.
    pub(crate) fn refused(message: impl Into<String>, hint: impl Into<Hint>) -> CommandFailure {
        Self { message: message.into(), hint: Some(hint.into()), exit: Exit::Refused, source: None }.into()
    }

    /// Something failed in the command itself.
    pub(crate) fn failed(message: impl Into<String>, hint: impl Into<Hint>) -> CommandFailure {
        Self { message: message.into(), hint: Some(hint.into()), exit: Exit::Failed, source: None }.into()
    }

    /// Ctrl-C or SIGTERM ended a command that had nothing to save.
    pub(crate) fn stopped() -> CommandFailure {
        Self { message: "stopped".into(), hint: None, exit: Exit::Stopped, source: None }.into()
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CommandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl UserError for CommandError {
    fn hint(&self) -> Option<Hint> {
        self.hint.clone()
    }

    fn exit(&self) -> Exit {
        self.exit
    }
}

/// An error of the standard library or of another crate, which has no hint and no exit status. Errors of this workspace have both
/// and must not be listed here.
pub(crate) trait Foreign: Error + Send + Sync + 'static {}

impl Foreign for io::Error {}
impl Foreign for serde_json::Error {}
impl Foreign for SystemTimeError {}
impl Foreign for JoinError {}

/// Makes a failure of an error that has no hint.
pub(crate) trait OrFailed<T> {
    /// Says what failed. The error is the cause.
    ///
    /// # Errors
    /// The result is an error.
    fn or_failed(self, what: impl fmt::Display) -> Result<T, CommandFailure>;
}

impl<T, E: Foreign> OrFailed<T> for Result<T, E> {
    fn or_failed(self, what: impl fmt::Display) -> Result<T, CommandFailure> {
        self.map_err(|source| {
            let (message, source) = (what.to_string(), Some(source.into()));
            CommandError { message, hint: None, exit: Exit::Failed, source }.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_in_order_and_none_is_said_twice() {
        let refused = Err::<(), _>(io::Error::other("connection refused"));
        let failure = refused.or_failed("cannot connect: connection refused").unwrap_err().context("the audit failed");
        let causes = vec!["cannot connect: connection refused".to_owned()];
        assert_eq!(failure.explain(), ("the audit failed".to_owned(), causes, None));
        assert_eq!(failure.exit(), Exit::Failed);
    }

    #[test]
    fn context_keeps_hint_and_exit_status() {
        let failure = CommandError::refused("no", "--confirm").context("while starting");
        assert_eq!(failure.exit(), Exit::Refused);
        assert_eq!(failure.explain().2, Some("--confirm".into()));
    }
}
