//! Has new tables born closed: an event trigger switches row level security on for each new table with a tenant column, or with a foreign key to the
//! tenant table, so that nobody but its owner reads it before a rollout gives it policies.

pub(crate) mod back;

use serde::Serialize;
use tenancy_config::Tenancy;
use tenant_inventory::{BornClosed, BornClosedState, Phase};
use tenant_ops::{Lease, NewStep, Rollout, born_closed_statements, make_born_closed, verify_born_closed};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx, Sql};

use crate::declared_login::run::is_login;
use crate::error::{Error, Result};
use crate::journal;
use crate::journal::change::Change;
use crate::options::RESOURCE;
use crate::plan::script::statement_text;
use crate::run::executor::ddl_is_possible;

/// What was done; its JSON is `rls-born-closed/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BornClosedReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Its number in `tenant_ops.rollout`; none where it was there already, and for a dry run.
    pub rollout: Option<i64>,
    /// Whether it was only tried.
    pub dry_run: bool,
    /// The event trigger that was there before, if there was one.
    pub before: Option<BornClosed>,
    /// The statements that make it.
    pub statements: Vec<String>,
}

/// Makes the event trigger, or renews one that was made for another `tenancy.toml` or that was switched off. Behind `dry_run` it is made and taken
/// back again, so that a login which may not make it is told.
///
/// # Errors
/// [`Error::EventTriggers`] where this login may not make event triggers; [`Error::NoJournal`] where nothing was rolled out here yet;
/// [`Error::OtherEventTrigger`] where one of this name is not ours; [`tenant_ops::Error::Untrusted`] where somebody changed it or what stands beside
/// it; [`tenant_ops::Error::Held`] where a rollout runs.
pub async fn born_closed(
    database: &Database,
    tenancy: &Tenancy,
    dry_run: bool,
    holder: &str,
    queued: &mut (dyn FnMut(&str) + Send),
) -> Result<BornClosedReport> {
    ddl_is_possible(database)?;
    let rules = BornClosed::rules(tenancy)?;
    let statements = born_closed_statements(&rules);
    let before = BornClosed::load(database, tenancy).await?;
    let done = |rollout| BornClosedReport {
        schema: "rls-born-closed/1",
        rollout,
        dry_run,
        before: before.clone(),
        statements: statements.iter().map(|sql| statement_text(sql).to_owned()).collect(),
    };
    match before.as_ref().map(|there| there.state) {
        Some(BornClosedState::InForce) => {
            verify_born_closed(database, tenancy).await?;
            return Ok(done(None));
        }
        Some(BornClosedState::NotOurs) => return Err(Error::OtherEventTrigger),
        Some(BornClosedState::Outdated | BornClosedState::Disabled) | None => {}
    }
    refuse_without_journal(database).await?;
    rehearse(database, tenancy, &rules).await?;
    if dry_run {
        return Ok(done(None));
    }
    tenant_ops::install(database, tenancy).await?;
    let lease = Lease::acquire(database, RESOURCE, holder, queued).await?;
    let alive = lease.keep_alive(database);
    let made = async {
        let rollout = Rollout::open(database, "born-closed").await?;
        let made = make(database, tenancy, &lease, rollout, &rules, &statements).await;
        if !made.as_ref().is_err_and(Error::lost_connection) {
            let _ = rollout.end(database, made.is_ok()).await;
        }
        made.map(|()| rollout.id)
    };
    let made = made.await;
    drop(alive);
    // Nobody waits for a server that is gone: the lease runs out by itself.
    if !made.as_ref().is_err_and(Error::lost_connection) {
        let _ = lease.release(database).await;
    }
    Ok(done(Some(made?)))
}

/// A superuser who made the book-keeping would own it, and shut the owner of the tables out of it.
async fn refuse_without_journal(database: &Database) -> Result<()> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let there: bool = sqlx::query_scalar("SELECT to_regclass('tenant_ops.rollout_step') IS NOT NULL")
        .fetch_one(tx.connection())
        .await
        .map_err(RlsError::query("looking for the journal of rollouts"))?;
    tx.rollback().await?;
    if there { Ok(()) } else { Err(Error::NoJournal) }
}

/// Makes it and takes it back: the server alone knows whether this login may, as hosts let roles make event triggers that are no superusers.
async fn rehearse(database: &Database, tenancy: &Tenancy, rules: &str) -> Result<()> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let made = make_born_closed(tx.connection(), tenancy, rules).await;
    let _ = tx.rollback().await;
    made.map_err(|error| refused(database, error))
}

/// The error, in words that help, where the login may not make event triggers.
fn refused(database: &Database, error: tenant_ops::Error) -> Error {
    match error {
        tenant_ops::Error::Database(error) if error.sqlstate() == Some("42501") => {
            Error::EventTriggers { role: database.session().role.clone(), message: error.to_string() }
        }
        error => error.into(),
    }
}

async fn make(
    database: &Database,
    tenancy: &Tenancy,
    lease: &Lease,
    rollout: Rollout,
    rules: &str,
    statements: &[Sql],
) -> Result<()> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let before = BornClosed::read(tx.connection(), tenancy).await?;
    if before.as_ref().is_some_and(|there| there.state == BornClosedState::NotOurs) {
        // Somebody made it while this command waited for the lease.
        return Err(Error::OtherEventTrigger);
    }
    make_born_closed(tx.connection(), tenancy, rules).await.map_err(|error| refused(database, error))?;
    let after = BornClosed::read(tx.connection(), tenancy).await?;
    let text = |there: Option<BornClosed>| there.map(|there| there.text());
    let change = Change { aspect: BornClosed::aspect(), before: text(before), after: text(after) };
    let new = NewStep {
        table: &BornClosed::subject(),
        phase: Phase::Prepare.as_str(),
        step: "have new tables born closed",
        statements: statements.iter().map(Sql::as_str).collect(),
        changes: std::slice::from_ref(&change),
    };
    rollout.record(tx.connection(), lease, &new).await?;
    Ok(tx.commit().await?)
}

/// The steps of the journal that are about it, apart from those of tables.
pub(crate) type Steps = Vec<tenant_ops::RecordedStep<Change>>;

/// Every step that was not taken back, by what it is about.
pub(crate) struct StepsApart {
    /// Those of tables.
    pub(crate) tables: Steps,
    /// Those of the event trigger.
    pub(crate) born_closed: Steps,
    /// Those of the declared logins.
    pub(crate) logins: Steps,
}

/// Reads the steps.
///
/// # Errors
/// As [`journal::steps`].
pub(crate) async fn steps_apart(database: &Database, tenancy: &Tenancy) -> Result<StepsApart> {
    let subject = BornClosed::subject();
    let steps = journal::steps(database, tenancy).await?;
    let (born_closed, others): (Steps, Steps) = steps.into_iter().partition(|step| step.table == subject);
    let (logins, tables) = others.into_iter().partition(|step| is_login(&step.table));
    Ok(StepsApart { tables, born_closed, logins })
}
