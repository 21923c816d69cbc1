//! Before a write: the line that says where it goes, and the question if that is not the project's local database.

use tenancy_config::plain::plain;

use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::target::Connected;
use crate::context::{Context, stop};
use crate::terminal::prompt;

impl Context {
    /// Says where the command is about to write and `what`, and asks for a confirmation unless the database is the project's own.
    ///
    /// # Errors
    /// Nobody confirmed; nothing was written.
    pub(crate) async fn before_writing(&self, connected: &Connected, what: &str) -> Result<(), CommandFailure> {
        connected.database.needs_writing()?;
        // A direct URL that cannot be reached is no reason to refuse a command that does not use it. Whatever uses it proves it again.
        if let Err(error @ tenant_rls::Error::OtherDatabase { .. }) = connected.database.prove_direct().await {
            return Err(error.into());
        }
        self.confirmed(connected, &WRITING, what).await
    }

    #[cfg(feature = "jwt")]
    /// Says whose session the command is about to mint, and asks for a confirmation as before a write: a session gives access to
    /// the database.
    ///
    /// # Errors
    /// Nobody confirmed; nothing was minted.
    pub(crate) async fn before_minting(&self, connected: &Connected, what: &str) -> Result<(), CommandFailure> {
        self.confirmed(connected, &MINTING, what).await
    }

    async fn confirmed(
        &self,
        connected: &Connected,
        action: &ConfirmedAction,
        what: &str,
    ) -> Result<(), CommandFailure> {
        // Also with --quiet: every log must say where a write went.
        self.printer.line(&format!("{} {}: {}", action.doing, plain(connected.line()), plain(what)));
        for unused in &connected.unused_urls {
            self.printer.line(&format!("note: {}", plain(unused)));
        }
        let Some(environment) = &connected.environment else { return Ok(()) };
        let answer = match &self.global.confirm {
            Some(name) => Some(name.clone()),
            None => {
                self.ask(&format!("This is not the local database. Type `{}` to go on:", plain(environment))).await?
            }
        };
        confirm(environment, answer.as_deref(), action)
    }

    /// Asks a question. A signal ends the command while it waits for the answer.
    pub(crate) async fn ask(&self, question: &str) -> Result<Option<String>, CommandFailure> {
        stop::at_once(prompt::ask(&self.printer, question)).await
    }
}

/// The action that is confirmed, in the forms that the messages need.
struct ConfirmedAction {
    doing: &'static str,
    to_do: &'static str,
    done: &'static str,
}

const WRITING: ConfirmedAction = ConfirmedAction { doing: "writing to", to_do: "to write to it", done: "written" };
#[cfg(feature = "jwt")]
const MINTING: ConfirmedAction =
    ConfirmedAction { doing: "minting a session for", to_do: "to mint a session for it", done: "minted" };

/// Accepts the name of the environment and nothing else.
fn confirm(environment: &str, answer: Option<&str>, action: &ConfirmedAction) -> Result<(), CommandFailure> {
    let (hint, done) = (format!("{}, name it: --confirm {environment}", action.to_do), action.done);
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
