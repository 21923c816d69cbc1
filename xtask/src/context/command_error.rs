//! What the command line itself refuses or fails at.

use std::fmt;

use tenancy_config::Exit;

/// A mistake or a refusal that only the command line knows of.
#[derive(Debug)]
pub(crate) struct CommandError {
    message: String,
    hint: Option<String>,
    exit: Exit,
}

impl CommandError {
    /// A wrong command line: nothing was tried.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: Some(hint.into()), exit: Exit::Usage }.into()
    }

    /// A write that safety forbids: nothing was written.
    pub(crate) fn refused(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: Some(hint.into()), exit: Exit::Refused }.into()
    }

    /// Something failed here and not in a library.
    pub(crate) fn failed(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: Some(hint.into()), exit: Exit::Failed }.into()
    }

    /// Ctrl-C or SIGTERM ended a command that keeps nothing.
    pub(crate) fn stopped() -> anyhow::Error {
        Self { message: "stopped".into(), hint: None, exit: Exit::Stopped }.into()
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CommandError {}
