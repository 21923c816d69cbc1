//! Errors and refusals of the command line itself.

use std::fmt;

use tenancy_config::Exit;

/// An error or a refusal that comes from no library.
#[derive(Debug)]
pub(crate) struct CommandError {
    message: String,
    hint: Option<String>,
    exit: Exit,
}

impl CommandError {
    /// The command line is wrong. Nothing was done.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: Some(hint.into()), exit: Exit::Usage }.into()
    }

    /// A write is refused for safety. Nothing was written.
    pub(crate) fn refused(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: Some(hint.into()), exit: Exit::Refused }.into()
    }

    /// Something failed in the command itself.
    pub(crate) fn failed(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: Some(hint.into()), exit: Exit::Failed }.into()
    }

    /// Ctrl-C or SIGTERM ended a command that had nothing to save.
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
