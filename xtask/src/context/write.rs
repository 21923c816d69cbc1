//! What is said before a write, and the question before one to anything but the project's own database.

use tenancy_config::plain::plain;

use crate::context::command_error::CommandError;
use crate::context::target::Connected;
use crate::context::{CommandContext, stop};
use crate::terminal::prompt;

impl CommandContext {
    /// Says where something is about to be written and `what`, and has it confirmed unless the database is the project's own.
    ///
    /// # Errors
    /// Nobody confirmed; nothing was written.
    pub(crate) async fn before_writing(&self, connected: &Connected, what: &str) -> anyhow::Result<()> {
        connected.database.needs_writing()?;
        // One that is not reached from here is no reason to refuse what does not need it; it is proven again where it is used.
        if let Err(error @ tenant_rls::Error::OtherDatabase { .. }) = connected.database.prove_direct().await {
            return Err(error.into());
        }
        self.confirmed(connected, &WRITING, what).await
    }

    #[cfg(feature = "jwt")]
    /// Says whose session is about to be minted, and has it confirmed as a write would be: a session opens what is in the
    /// database.
    ///
    /// # Errors
    /// Nobody confirmed; nothing was minted.
    pub(crate) async fn before_minting(&self, connected: &Connected, what: &str) -> anyhow::Result<()> {
        self.confirmed(connected, &MINTING, what).await
    }

    async fn confirmed(&self, connected: &Connected, deed: &ConfirmedAction, what: &str) -> anyhow::Result<()> {
        // Also with --quiet: what a write went to belongs into every log.
        self.printer.line(&format!("{} {}: {}", deed.doing, plain(connected.line()), plain(what)));
        let Some(environment) = &connected.environment else { return Ok(()) };
        let answer = match &self.global.confirm {
            Some(name) => Some(name.clone()),
            None => {
                self.ask(&format!("This is not the local database. Type `{}` to go on:", plain(environment))).await?
            }
        };
        confirm(environment, answer.as_deref(), deed)
    }

    /// Waits for the answer in a thread of its own, so that a signal is heard and ends the command.
    pub(crate) async fn ask(&self, question: &str) -> anyhow::Result<Option<String>> {
        stop::at_once(prompt::ask(&self.printer, question)).await
    }
}

/// What is confirmed, in the forms that messages need.
struct ConfirmedAction {
    doing: &'static str,
    to_do: &'static str,
    done: &'static str,
}

const WRITING: ConfirmedAction = ConfirmedAction { doing: "writing to", to_do: "to write to it", done: "written" };
#[cfg(feature = "jwt")]
const MINTING: ConfirmedAction =
    ConfirmedAction { doing: "minting a session for", to_do: "to mint a session for it", done: "minted" };

/// The rule behind the question.
fn confirm(environment: &str, answer: Option<&str>, deed: &ConfirmedAction) -> anyhow::Result<()> {
    let (hint, done) = (format!("{}, name it: --confirm {environment}", deed.to_do), deed.done);
    match answer {
        Some(name) if name == environment => Ok(()),
        Some(name) => Err(CommandError::refused(
            format!("`{name}` was confirmed, but this database is `{environment}`; nothing was {done}"),
            hint,
        )),
        None => Err(CommandError::refused(
            format!("`{environment}` is not the local database, and nobody confirmed; nothing was {done}"),
            hint,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{WRITING, confirm};

    #[test]
    fn only_the_exact_name_confirms() {
        assert!(confirm("production", Some("production"), &WRITING).is_ok());
        assert!(confirm("production", Some("Production"), &WRITING).is_err());
        assert!(confirm("production", Some(""), &WRITING).is_err());
        assert!(confirm("production", None, &WRITING).is_err());
    }
}
