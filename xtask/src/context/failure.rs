//! Prints an error, its causes and its hint, and gives its exit status.

use tenancy_config::{Exit, UserError};

use crate::context::command_error::CommandError;
use crate::terminal::printer::Printer;

/// The hint and the exit status of an error of this workspace.
struct Diagnosis {
    hint: Option<String>,
    exit: Exit,
}

/// Diagnoses an error of one of the libraries or of the command line; `None` for any other.
fn diagnosis(error: &(dyn std::error::Error + 'static)) -> Option<Diagnosis> {
    if let Some(error) = error.downcast_ref::<CommandError>() {
        return Some(Diagnosis { hint: error.hint().map(str::to_owned), exit: error.exit() });
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
    // The outermost error that has an exit status decides, as it knows most about what was being done.
    let exit = error.chain().find_map(diagnosis).map_or(Exit::Failed, |diagnosis| diagnosis.exit);
    exit.code()
}

/// What happened, why, and what to do next.
pub(crate) fn explain(error: &anyhow::Error) -> (String, Vec<String>, Option<String>) {
    let (what, causes) = lines(error);
    let hint = error.chain().filter_map(diagnosis).find_map(|diagnosis| diagnosis.hint);
    (what, causes, hint)
}

/// The message and its causes. A cause that the message before it contains is left out.
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
    fn the_outermost_diagnosis_decides() {
        let error = CommandError::refused("no", "--confirm").context("while starting");
        let diagnoses: Vec<_> = error.chain().filter_map(diagnosis).collect();
        assert_eq!(diagnoses.len(), 1);
        assert_eq!(diagnoses[0].exit, Exit::Refused);
        assert_eq!(diagnoses[0].hint.as_deref(), Some("--confirm"));
    }
}
