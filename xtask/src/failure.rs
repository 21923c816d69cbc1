//! From an error to what the person reads and the shell gets: `error:`, `caused by:`, and the hint last.

use std::fmt;

use tenancy_config::{Exit, UserError};

use crate::printer::Printer;

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
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CommandError {}

/// What an error of this workspace says beside its message.
struct Diagnosis {
    hint: Option<String>,
    exit: Exit,
}

/// Asks an error of one of the libraries, or of the command line, for its verdict.
fn verdict(error: &(dyn std::error::Error + 'static)) -> Option<Diagnosis> {
    if let Some(mistake) = error.downcast_ref::<CommandError>() {
        return Some(Diagnosis { hint: mistake.hint.clone(), exit: mistake.exit });
    }
    macro_rules! ask {
        ($($library:ty),* $(,)?) => {
            $(if let Some(error) = error.downcast_ref::<$library>() {
                return Some(Diagnosis { hint: error.hint(), exit: error.exit() });
            })*
        };
    }
    ask!(
        tenant_rls::Error,
        tenancy_config::environment::NotText,
        tenancy_config::FileError,
        tenancy_config::NameError,
        local_db::Error,
        tenant_ops::Error,
        tenant_audit::Error,
        backfill_engine::Error,
        rls_rollout::Error,
        rls_verify::Error,
        bench::Error,
        seed_tenant_defaults::Error,
        assign_chat_messages::Error
    );
    #[cfg(feature = "jwt")]
    ask!(dev_jwt::Error);
    None
}

/// Prints the error and returns the exit status.
pub(crate) fn report(error: &anyhow::Error, printer: &Printer) -> u8 {
    let (what, causes, hint) = explain(error);
    printer.error(&what, &causes, hint.as_deref());
    // The outermost error that has an opinion decides: it knows most about what was being done.
    let exit = error.chain().find_map(verdict).map_or(Exit::Failed, |verdict| verdict.exit);
    exit.code()
}

/// What happened, why, and what to do next.
pub(crate) fn explain(error: &anyhow::Error) -> (String, Vec<String>, Option<String>) {
    let (what, causes) = lines(error);
    let hint = error.chain().filter_map(verdict).find_map(|verdict| verdict.hint);
    (what, causes, hint)
}

/// The message and its causes; a library that repeats its cause inside its own message is not echoed.
fn lines(error: &anyhow::Error) -> (String, Vec<String>) {
    let mut messages = error.chain().map(ToString::to_string);
    let what = messages.next().unwrap_or_default();
    let mut causes: Vec<String> = Vec::new();
    for cause in messages {
        let said_before = causes.last().unwrap_or(&what).contains(&cause);
        if !said_before {
            causes.push(cause);
        }
    }
    (what, causes)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn causes_follow_in_order_and_none_is_said_twice() {
        let error = Err::<(), _>(anyhow::anyhow!("connection refused"))
            .context("cannot connect: connection refused")
            .context("the audit failed")
            .unwrap_err();
        let (what, causes) = lines(&error);
        assert_eq!(what, "the audit failed");
        assert_eq!(causes, ["cannot connect: connection refused"]);
    }

    #[test]
    fn the_outermost_verdict_decides() {
        let error = CommandError::refused("no", "--confirm").context("while starting");
        let found: Vec<_> = error.chain().filter_map(verdict).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].exit, Exit::Refused);
        assert_eq!(found[0].hint.as_deref(), Some("--confirm"));
    }
}
