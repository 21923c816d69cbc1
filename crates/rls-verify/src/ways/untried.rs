//! Why something about a way could not be tried, from what the server said.

use tenant_inventory::claim::untried::Untried;

use crate::attempts::outcome::message;
use crate::error::Error;

/// The server refused for want of a right.
const NO_RIGHT: &str = "42501";

/// A lock or a limit of time was in the way.
const HELD_UP: [&str; 2] = ["55P03", "57014"];

/// The reason in an error of the server's.
pub(crate) fn of_server(error: &sqlx::Error) -> Untried {
    let message = message(error);
    match error.as_database_error().and_then(|error| error.code()).as_deref() {
        Some(NO_RIGHT) => Untried::NoRight { message },
        Some(code) if HELD_UP.contains(&code) => Untried::HeldUp { message },
        _ => Untried::Failed { message },
    }
}

/// The reason in an error that would end the way's check.
pub(crate) fn of(error: &Error) -> Untried {
    let message = error.to_string();
    match error {
        Error::Database(tenant_rls::Error::CannotSee(_)) => Untried::NoReader { message },
        Error::Database(error) if error.sqlstate().is_some_and(|code| HELD_UP.contains(&code)) => {
            Untried::HeldUp { message }
        }
        Error::Database(error) if error.sqlstate() == Some(NO_RIGHT) => Untried::NoRight { message },
        _ => Untried::Failed { message },
    }
}
