//! Makes the login of sign-in under the lease, before the first table is changed.

use std::path::{Path, PathBuf};

use tenancy_config::files::{self, Readers};
use tenancy_config::{Ident, TableName};
use tenant_inventory::{Phase, SignIn, SignInProblem, SignInProblemKind, create_sign_in};
use tenant_ops::NewStep;
use tenant_rls::{OwnerTx, Sql};
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::journal::change::Change;
use crate::options::RolloutOptions;
use crate::run::executor::{Executor, StepPurpose};
use crate::run::progress::RolloutEvent;
use crate::run::refused::refused;
use crate::sign_in::report::SignInOutcome;
use crate::sign_in::{blocked, login, password, steps};
use crate::state::RolloutState;
use crate::stop::Stop;

/// Where the password goes if nobody says otherwise: into the working directory, named after the role.
pub(crate) fn password_file(options: &RolloutOptions, role: &Ident) -> PathBuf {
    let named = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = role.as_str().chars().map(named).collect();
    options.auth_password_file.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.password")))
}

/// Refuses before anything is written where the password could not be kept.
///
/// # Errors
/// [`Error::PasswordFile`] where something is there already; [`Error::File`] where no file can be made.
pub(crate) fn check_password_file(state: &RolloutState, options: &RolloutOptions) -> Result<()> {
    match &state.inventory.sign_in {
        Some(sign_in) if makes_role(sign_in) && blocked::blockers(state).is_empty() => {
            expect_free(&password_file(options, &sign_in.role))
        }
        _ => Ok(()),
    }
}

fn expect_free(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(Error::PasswordFile { path: path.to_owned() });
    }
    Ok(files::check(path)?)
}

pub(crate) fn makes_role(sign_in: &SignIn) -> bool {
    sign_in.id.is_none()
}

/// Gives sign-in what is declared. What stops it is in the outcome; its tables stay as they are then.
pub(crate) async fn run(
    executor: &Executor<'_>,
    state: &RolloutState,
    options: &RolloutOptions,
    stop: &watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<Option<SignInOutcome>> {
    let Some(sign_in) = &state.inventory.sign_in else { return Ok(None) };
    let stopped_by = blocked::blockers(state);
    let mut outcome = SignInOutcome { role: sign_in.role.clone(), password_file: None, steps: 0, stopped_by };
    if !outcome.stopped_by.is_empty() {
        return Ok(Some(outcome));
    }
    match make_login(executor, (state, sign_in), options).await {
        Ok(None) => {}
        Ok(Some(password_file)) => {
            outcome.password_file = password_file;
            outcome.steps += 1;
        }
        Err(Error::Database(error)) if error.sqlstate() == Some("42501") && makes_role(sign_in) => {
            // The server, or the host in its place, lets nobody but its own tools make roles.
            let what = SignInProblemKind::NoRole { may_create: false };
            let problem = Box::new(SignInProblem { role: sign_in.role.clone(), what });
            outcome.stopped_by.push(Stop::SignIn { problem });
            return Ok(Some(outcome));
        }
        Err(error) => return Err(error),
    }
    for step in steps::steps(state)? {
        if *stop.borrow() {
            break;
        }
        match executor.run(&step, &StepPurpose::Forward, progress).await {
            Ok(_) => outcome.steps += 1,
            Err(error) => outcome.stopped_by.push(refused(&step, error)?),
        }
    }
    Ok(Some(outcome))
}

/// Makes the role where it is missing, and lets it use schemas and sequences. The answer is none where nothing was missing, else the file with
/// the password of a role that was made.
async fn make_login(
    executor: &Executor<'_>,
    (state, sign_in): (&RolloutState, &SignIn),
    options: &RolloutOptions,
) -> Result<Option<Option<PathBuf>>> {
    let role = &sign_in.role;
    let usages = login::usages(sign_in)?;
    let gone = gone(state, sign_in);
    if !makes_role(sign_in) && usages.is_empty() && gone.is_none() {
        return Ok(None);
    }
    let mut tx = OwnerTx::begin(executor.database, executor.lock_retry.lock_timeout).await?;
    let (mut texts, mut changes, mut kept) = (Vec::new(), Vec::new(), None);
    if makes_role(sign_in) {
        let (path, secret) = (password_file(options, role), password::random()?);
        expect_free(&path)?;
        tx.run(&doing(role), &login::create_with(role, &password::verifier(&secret)?)).await?;
        let id = login::role_id(tx.connection(), role).await?;
        changes.push(Change { aspect: SignIn::role_aspect(role), before: None, after: id });
        // The journal has it without the password.
        texts.push(create_sign_in(role));
        kept = Some((path, secret));
    }
    if let Some(gone) = gone {
        // What is given from here on is given to the other role.
        let new = NewStep {
            table: &SignIn::subject(),
            phase: Phase::Prepare.as_str(),
            step: "note that somebody made the login of sign-in anew",
            statements: Vec::new(),
            changes: &[gone],
        };
        executor.rollout.record(tx.connection(), executor.lease, &new).await?;
    }
    for (aspect, sql) in usages {
        tx.run(&doing(role), &sql).await?;
        changes.push(Change { aspect, before: None, after: Some(String::new()) });
        texts.push(sql);
    }
    if !changes.is_empty() {
        let new = NewStep {
            table: &SignIn::subject(),
            phase: Phase::Prepare.as_str(),
            step: "give sign-in a login of its own",
            statements: texts.iter().map(Sql::as_str).collect(),
            changes: &changes,
        };
        executor.rollout.record(tx.connection(), executor.lease, &new).await?;
    }
    // Before the commit: a role whose password nobody has would be of no use.
    if let Some((path, secret)) = &kept {
        files::write(path, format!("{}\n", **secret), Readers::Owner)?;
    }
    match tx.commit().await {
        Ok(()) => Ok(Some(kept.map(|(path, _)| path))),
        Err(error) => {
            // Whether the server has it is not known where the connection was lost.
            if let (Some((path, _)), true) = (&kept, error.sqlstate().is_some()) {
                let _ = std::fs::remove_file(path);
            }
            Err(error.into())
        }
    }
}

/// That the role which a rollout made is gone, where there is another one of its name.
fn gone(state: &RolloutState, sign_in: &SignIn) -> Option<Change> {
    let id = sign_in.id?.to_string();
    let aspect = SignIn::role_aspect(&sign_in.role);
    let mut made = state.recorded.changes(&SignIn::subject()).iter().filter(|change| change.aspect == aspect);
    let made = made.find_map(|change| change.after.clone()).filter(|made| *made != id)?;
    Some(Change { aspect, before: Some(made), after: None })
}

fn doing(role: &Ident) -> String {
    format!("making the login {role} for sign-in")
}

/// The table in whose place the journal has the login.
pub(crate) fn is_login(table: &TableName) -> bool {
    *table == SignIn::subject()
}
