//! What an answer of the server says about an attempt.

use sqlx::postgres::PgDatabaseError;
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::breach::{Breach, Whose};
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::examined::Attempt;
use tenant_inventory::claim::untried::Untried;
use tenant_rls::Error as RlsError;

/// Functions of the server that complain about a row after the policies let it in.
const AFTER_POLICIES: [&str; 4] =
    ["ExecConstraints", "ReportNotNullViolationError", "_bt_check_unique", "ri_ReportViolation"];

/// The rows that must be seen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ExpectedRows {
    /// All of so many rows.
    All(usize),
    /// None of these.
    None(Whose),
}

/// Why a statement failed.
enum Failure {
    /// A right is missing: the server did not come to look at a policy.
    Denied(String),
    /// A policy refused the row.
    Refused(String),
    /// A constraint refused the row that the policies had let in.
    Constraint(String),
    /// The condition of an unqualified statement was computed for a row.
    ReachedARow,
    /// A lock, a limit, or a lost connection.
    HeldUp(String),
    Other(String),
}

impl Failure {
    fn of(error: &sqlx::Error) -> Self {
        let message = message(error);
        let Some(said) = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()) else {
            return Self::HeldUp(message);
        };
        match (said.code(), said.routine()) {
            // A missing right has the same SQLSTATE as a policy's refusal, and says nothing of the policy.
            ("42501", Some("ExecWithCheckOptions")) => Self::Refused(message),
            ("42501", _) => Self::Denied(message),
            ("22012", _) => Self::ReachedARow,
            (_, Some(routine)) if AFTER_POLICIES.contains(&routine) => Self::Constraint(message),
            (code, _) if is_held_up(code) => Self::HeldUp(message),
            _ => Self::Other(message),
        }
    }
}

/// What the server said, without the words that the library puts around it.
pub(crate) fn message(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())
}

/// Whether an SQLSTATE is of a lock, a limit of time, a deadlock, a lack of resources, or a server that goes down.
fn is_held_up(code: &str) -> bool {
    code == "55P03" || ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

pub(crate) fn attempt(what: AttemptKind, login: &str, evidence: Evidence) -> Attempt {
    Attempt { what, login: login.to_owned(), evidence }
}

pub(crate) fn held(what: AttemptKind, login: &str) -> Attempt {
    attempt(what, login, Evidence::Held)
}

pub(crate) fn not_tried(what: AttemptKind, login: &str, because: Untried) -> Attempt {
    attempt(what, login, Evidence::NotTried { because })
}

fn broken(what: AttemptKind, login: &str, breach: Breach) -> Attempt {
    attempt(what, login, Evidence::Broken { breach })
}

/// The same reason for attempts of several kinds.
pub(crate) fn none_tried(kinds: impl IntoIterator<Item = AttemptKind>, login: &str, because: &Untried) -> Vec<Attempt> {
    kinds.into_iter().map(|what| not_tried(what, login, because.clone())).collect()
}

/// Why a statement that prepares attempts failed.
pub(crate) fn unprepared(error: &sqlx::Error) -> Untried {
    match Failure::of(error) {
        Failure::Denied(message) => Untried::NoRight { message },
        Failure::HeldUp(message) => Untried::HeldUp { message },
        Failure::Refused(message) | Failure::Constraint(message) | Failure::Other(message) => {
            Untried::Failed { message }
        }
        Failure::ReachedARow => Untried::Failed { message: message(error) },
    }
}

/// What an attempt to read showed, by the number of rows that were seen.
pub(crate) fn read(what: AttemptKind, login: &str, expected: ExpectedRows, seen: sqlx::Result<u64>) -> Attempt {
    let (login_, through) = (login.to_owned(), Vec::new());
    match (seen, expected) {
        (Err(error), _) => match Failure::of(&error) {
            Failure::Denied(message) => not_tried(what, login, Untried::NoRight { message }),
            Failure::HeldUp(message) => not_tried(what, login, Untried::HeldUp { message }),
            _ => broken(what, login, Breach::Raised { what, login: login_, message: message(&error), through }),
        },
        (Ok(seen), ExpectedRows::All(all)) if seen == all as u64 => held(what, login),
        (Ok(rows), ExpectedRows::All(all)) => {
            broken(what, login, Breach::Hidden { what, login: login_, of: all as u64, rows, through })
        }
        (Ok(0), ExpectedRows::None(_)) => held(what, login),
        (Ok(rows), ExpectedRows::None(whose)) => {
            broken(what, login, Breach::Reached { what, login: login_, rows: Some(rows), whose, through })
        }
    }
}

/// What an attempt to write showed that a policy must refuse, or that must reach no row.
pub(crate) fn refused(what: AttemptKind, login: &str, whose: Whose, done: sqlx::Result<u64>) -> Attempt {
    let (login_, through) = (login.to_owned(), Vec::new());
    let error = match done {
        Ok(0) => return held(what, login),
        Ok(rows) => {
            return broken(what, login, Breach::Reached { what, login: login_, rows: Some(rows), whose, through });
        }
        Err(error) => error,
    };
    match Failure::of(&error) {
        Failure::Refused(_) => held(what, login),
        Failure::Constraint(message) => broken(what, login, Breach::LetIn { what, login: login_, message, through }),
        Failure::ReachedARow => {
            broken(what, login, Breach::Reached { what, login: login_, rows: None, whose, through })
        }
        Failure::Denied(message) => not_tried(what, login, Untried::NoRight { message }),
        Failure::HeldUp(message) => not_tried(what, login, Untried::HeldUp { message }),
        Failure::Other(message) => not_tried(what, login, Untried::Failed { message }),
    }
}

/// What an attempt to write one's own row showed, which must reach exactly that row.
pub(crate) fn allowed(what: AttemptKind, login: &str, done: sqlx::Result<u64>) -> Attempt {
    let login_ = login.to_owned();
    let error = match done {
        Ok(1) => return held(what, login),
        Ok(rows) => {
            return broken(what, login, Breach::Hidden { what, login: login_, of: 1, rows, through: Vec::new() });
        }
        Err(error) => error,
    };
    match Failure::of(&error) {
        Failure::Refused(message) => broken(what, login, Breach::Refused { what, login: login_, message }),
        Failure::Denied(message) => not_tried(what, login, Untried::NoRight { message }),
        Failure::HeldUp(message) => not_tried(what, login, Untried::HeldUp { message }),
        Failure::Constraint(message) | Failure::Other(message) => not_tried(what, login, Untried::Failed { message }),
        Failure::ReachedARow => not_tried(what, login, Untried::Failed { message: message(&error) }),
    }
}

/// What an attempt showed to write a row that is declared: the policies must let it through. A constraint that refuses it afterwards shows that
/// they did.
pub(crate) fn let_in(what: AttemptKind, login: &str, done: sqlx::Result<u64>) -> Attempt {
    match done {
        Err(error) if matches!(Failure::of(&error), Failure::Constraint(_)) => held(what, login),
        done => allowed(what, login, done),
    }
}

/// Why a table is left out: what kept its rows from being found.
pub(crate) fn left_out(error: &RlsError) -> Untried {
    let message = error.to_string();
    match error.sqlstate() {
        Some(code) if !is_held_up(code) => Untried::Failed { message },
        _ => Untried::HeldUp { message },
    }
}
