//! The error that a command ends with, and how people read it.

use std::error::Error;
use std::fmt;

use tenancy_config::{Exit, Hint, UserError};

/// The error that a command ends with. `?` makes it of every error that has a hint and an exit status, and of no other: an error type
/// of a library without [`UserError`] does not compile here, and neither does one of another crate before
/// [`OrFailed`](crate::context::command_error::OrFailed) says what failed.
#[derive(Debug)]
pub(crate) struct CommandFailure(Box<dyn UserError + Send + Sync>);

impl<E: UserError + Send + Sync + 'static> From<E> for CommandFailure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl CommandFailure {
    /// The same failure with what it meant for the command. Hint and exit status stay.
    pub(crate) fn context(self, what: impl Into<String>) -> Self {
        InContext { what: what.into(), cause: self.0 }.into()
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        self.0.exit()
    }

    /// What happened, why, and what to do next.
    pub(crate) fn explain(&self) -> (String, Vec<String>, Option<Hint>) {
        let (what, causes) = self.lines();
        (what, causes, self.0.hint())
    }

    /// The message and its causes. A cause that the message before it contains is left out.
    fn lines(&self) -> (String, Vec<String>) {
        let what = self.0.to_string();
        let mut causes: Vec<String> = Vec::new();
        let mut next = self.0.source();
        while let Some(error) = next {
            let cause = error.to_string();
            let said_before = causes.last().unwrap_or(&what).contains(&cause);
            if !said_before {
                causes.push(cause);
            }
            next = error.source();
        }
        (what, causes)
    }
}

/// A failure with what it meant for the command.
#[derive(Debug)]
struct InContext {
    what: String,
    cause: Box<dyn UserError + Send + Sync>,
}

impl fmt::Display for InContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for InContext {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

impl UserError for InContext {
    fn hint(&self) -> Option<Hint> {
        self.cause.hint()
    }

    fn exit(&self) -> Exit {
        self.cause.exit()
    }
}
