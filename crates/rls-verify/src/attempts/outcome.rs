//! What an answer of the server says about an attempt.

use sqlx::postgres::PgDatabaseError;
use tenant_rls::Error as RlsError;

use crate::report::{Attempt, AttemptKind, Evidence};

/// Functions of the server that complain about a row after the policies let it in.
const AFTER_POLICIES: [&str; 4] =
    ["ExecConstraints", "ReportNotNullViolationError", "_bt_check_unique", "ri_ReportViolation"];

/// The rows that must be seen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ExpectedRows {
    /// All of so many rows.
    All(usize),
    /// None; else these rows are seen: `of others`.
    None(&'static str),
}

pub(crate) fn as_expected(what: AttemptKind, login: &str) -> Attempt {
    attempt(what, login, Evidence::AsExpected, None)
}

pub(crate) fn not_tried(what: AttemptKind, login: &str, why: &str) -> Attempt {
    attempt(what, login, Evidence::NotTried, Some(why.to_owned()))
}

fn attempt(what: AttemptKind, login: &str, result: Evidence, detail: Option<String>) -> Attempt {
    Attempt { what, login: login.to_owned(), result, detail }
}

/// The outcome of an attempt to read, by the number of rows that were seen.
pub(crate) fn read(what: AttemptKind, login: &str, expected: ExpectedRows, seen: sqlx::Result<u64>) -> Attempt {
    match (seen, expected) {
        // A policy without NULLIF fails on an empty uuid: no row is seen, but the application does not work either.
        (Err(error), _) => not_tried(what, login, &error.to_string()),
        (Ok(seen), ExpectedRows::All(all)) if seen == all as u64 => as_expected(what, login),
        (Ok(seen), ExpectedRows::All(all)) => {
            attempt(what, login, Evidence::Hidden, Some(format!("of {all} rows {seen} are seen")))
        }
        (Ok(0), ExpectedRows::None(_)) => as_expected(what, login),
        (Ok(seen), ExpectedRows::None(whose)) => {
            attempt(what, login, Evidence::Leak, Some(format!("{seen} rows {whose} are seen")))
        }
    }
}

/// The outcome of an attempt to write that a policy must refuse, or that must reach no row.
pub(crate) fn refused(what: AttemptKind, login: &str, done: sqlx::Result<u64>) -> Attempt {
    let error = match done {
        Ok(0) => return as_expected(what, login),
        Ok(rows) => return attempt(what, login, Evidence::Leak, Some(format!("{rows} rows were written"))),
        Err(error) => error,
    };
    let database_error = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    // A missing right has the same SQLSTATE as a policy's refusal, and says nothing of the policy.
    match database_error.and_then(PgDatabaseError::routine) {
        Some("ExecWithCheckOptions") => as_expected(what, login),
        Some(routine) if AFTER_POLICIES.contains(&routine) => {
            let detail = format!("the policies let the row in, and only a constraint refused it: {error}");
            attempt(what, login, Evidence::Leak, Some(detail))
        }
        _ => not_tried(what, login, &error.to_string()),
    }
}

/// Why a table is left out where it is locked or its statement takes too long; any other error is returned.
pub(crate) fn held_up(error: RlsError) -> Result<String, RlsError> {
    match error.sqlstate() {
        Some("55P03" | "57014") => Ok(error.to_string()),
        _ => Err(error),
    }
}
