//! What the application's login does with a leak: each case proves by plain SQL that it is one, or that it is none.

use local_db::Role;
use sqlx::{Executor as _, PgConnection, Row as _};

use super::corpus::{Proof, Shows};
use super::database::Planting;
use crate::error::{Error, Result, query};

/// What a proof came to.
#[derive(Debug)]
pub(crate) struct Shown {
    /// It shows what the case says.
    pub(crate) holds: bool,
    /// What was seen.
    pub(crate) seen: String,
}

/// Runs the proof in the copy, whose content does not matter any more afterwards.
///
/// # Errors
/// [`Error::Database`]: no connection can be made.
pub(crate) async fn prove(planting: &Planting, proof: &Proof) -> Result<Shown> {
    let writes = proof.shows == Shows::Write;
    let before = if writes { planting.foreign_rows().await? } else { Vec::new() };
    let mut app = planting.session(Role::AppUser).await?;
    let result = run(app.connection(), proof).await;
    app.close().await;
    let changed = writes && planting.foreign_rows().await? != before;
    let refused = |error: &Error| matches!(proof.shows, Shows::Refused) && refusal(error);
    Ok(match (&result, proof.shows) {
        (Err(error), _) => Shown { holds: refused(error), seen: error.to_string() },
        (Ok(_), Shows::Refused) => Shown { holds: false, seen: "nothing was refused".to_owned() },
        (Ok(_), Shows::Write) => {
            let seen = if changed { "foreign rows changed" } else { "foreign rows are as they were" };
            Shown { holds: changed, seen: seen.to_owned() }
        }
        (Ok(Some(rows)), Shows::More) => Shown { holds: *rows > proof.own, seen: format!("{rows} rows") },
        (Ok(Some(rows)), Shows::Fewer) => Shown { holds: *rows < proof.own, seen: format!("{rows} rows") },
        (Ok(None), _) => Shown { holds: false, seen: "no number".to_owned() },
    })
}

/// Whether a policy, a right, a constraint or the setting of the session refused it; a mistake in the statement is no refusal.
fn refusal(error: &Error) -> bool {
    let Error::Database(error) = error else { return false };
    error
        .sqlstate()
        .is_some_and(|state| matches!(state, "42501" | "42704" | "23502" | "23503" | "23514" | "22P02" | "P0001"))
}

/// The number that the statements return as `shown`. Everything stays only where a write is to be seen.
async fn run(app: &mut PgConnection, proof: &Proof) -> Result<Option<i64>> {
    let proving = |error| query("proving a case")(error);
    app.execute("BEGIN").await.map_err(proving)?;
    if !proof.unset {
        let set = sqlx::query(include_str!("../../../../sql/bench/leaks/set_tenant.sql"));
        set.bind(&proof.tenant).execute(&mut *app).await.map_err(proving)?;
    }
    let statements = sqlx::raw_sql(proof.statements.text());
    let rows = statements.fetch_all(&mut *app).await.map_err(proving)?;
    let end = if proof.shows == Shows::Write { "COMMIT" } else { "ROLLBACK" };
    app.execute(end).await.map_err(proving)?;
    Ok(rows.last().and_then(|row| row.try_get("shown").ok()))
}
