//! Makes the declared logins under the lease, before the first table is changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tenancy_config::TableName;
use tenancy_config::files::{self, Readers};
use tenancy_config::tenancy::LoginPurpose;
use tenant_inventory::{DeclaredLogin, LoginProblem, LoginProblemKind, Phase, create_login};
use tenant_ops::NewStep;
use tenant_rls::{OwnerTx, Sql};
use tokio::sync::watch;

use crate::declared_login::report::LoginOutcome;
use crate::declared_login::{blocked, password, role, steps};
use crate::error::{Error, Result};
use crate::journal::change::Change;
use crate::options::RolloutOptions;
use crate::run::executor::{Executor, StepPurpose};
use crate::run::progress::RolloutEvent;
use crate::run::refused::refused;
use crate::state::RolloutState;
use crate::stop::Stop;

/// Where the password of a login goes: into the file that was named for it, else into one that is named after the role.
pub(crate) fn password_file(options: &RolloutOptions, login: &DeclaredLogin) -> PathBuf {
    if let (LoginPurpose::SignIn, Some(file)) = (&login.purpose, &options.auth_password_file) {
        return file.clone();
    }
    let named = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = login.role.as_str().chars().map(named).collect();
    options.password_dir.clone().unwrap_or_default().join(format!("{name}.password"))
}

/// Refuses before anything is written where a password could not be kept.
///
/// # Errors
/// [`Error::PasswordFile`] where something is there already; [`Error::OnePasswordFile`] where two logins would have the same file; [`Error::File`] where no file can be made.
pub(crate) fn check_password_files(state: &RolloutState, options: &RolloutOptions) -> Result<()> {
    let mut files = BTreeSet::new();
    for login in state.inventory.declared_logins.iter().filter(|login| makes_role(login)) {
        let path = password_file(options, login);
        if !blocked::blockers(state, login).is_empty() {
            continue;
        }
        expect_free(&path)?;
        if !files.insert(path.clone()) {
            return Err(Error::OnePasswordFile { path });
        }
    }
    Ok(())
}

fn expect_free(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(Error::PasswordFile { path: path.to_owned() });
    }
    Ok(files::check(path)?)
}

pub(crate) fn makes_role(login: &DeclaredLogin) -> bool {
    login.id.is_none()
}

/// Gives each login what is declared. What stops one is in its outcome; its tables stay as they are then.
pub(crate) async fn run(
    executor: &Executor<'_>,
    state: &RolloutState,
    options: &RolloutOptions,
    stop: &watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<Vec<LoginOutcome>> {
    let mut outcomes = Vec::new();
    for login in &state.inventory.declared_logins {
        if *stop.borrow() {
            break;
        }
        outcomes.push(Box::pin(run_one(executor, (state, login), options, stop, progress)).await?);
    }
    Ok(outcomes)
}

async fn run_one(
    executor: &Executor<'_>,
    (state, login): (&RolloutState, &DeclaredLogin),
    options: &RolloutOptions,
    stop: &watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<LoginOutcome> {
    let mut outcome = LoginOutcome {
        purpose: login.purpose.clone(),
        role: login.role.clone(),
        password_file: None,
        steps: 0,
        stopped_by: blocked::blockers(state, login),
    };
    if !outcome.stopped_by.is_empty() {
        return Ok(outcome);
    }
    match make_login(executor, (state, login), options).await {
        Ok(None) => {}
        Ok(Some(password_file)) => {
            outcome.password_file = password_file;
            outcome.steps += 1;
        }
        Err(Error::Database(error)) if error.sqlstate() == Some("42501") && makes_role(login) => {
            // The server, or the host in its place, lets nobody but its own tools make roles.
            let what = LoginProblemKind::NoRole { may_create: false };
            let problem = LoginProblem { purpose: login.purpose.clone(), role: login.role.clone(), what };
            outcome.stopped_by.push(Stop::Login { problem: Box::new(problem) });
            return Ok(outcome);
        }
        Err(error) => return Err(error),
    }
    for step in steps::steps(state, login)? {
        if *stop.borrow() {
            break;
        }
        match executor.run(&step, &StepPurpose::Forward, progress).await {
            Ok(_) => outcome.steps += 1,
            Err(error) => outcome.stopped_by.push(refused(&step, error)?),
        }
    }
    Ok(outcome)
}

/// Makes the role where it is missing, and lets it use schemas and sequences. The answer is none where nothing was missing, else the file with
/// the password of a role that was made.
async fn make_login(
    executor: &Executor<'_>,
    (state, login): (&RolloutState, &DeclaredLogin),
    options: &RolloutOptions,
) -> Result<Option<Option<PathBuf>>> {
    let role = &login.role;
    let usages = role::usages(login)?;
    let gone = gone(state, login);
    if !makes_role(login) && usages.is_empty() && gone.is_none() {
        return Ok(None);
    }
    let mut tx = OwnerTx::begin(executor.database, executor.lock_retry.lock_timeout).await?;
    let (mut texts, mut changes, mut kept) = (Vec::new(), Vec::new(), None);
    if makes_role(login) {
        let (path, secret) = (password_file(options, login), password::random()?);
        expect_free(&path)?;
        tx.run(&doing(login), &role::create_with(role, &password::verifier(&secret)?)).await?;
        let id = role::role_id(tx.connection(), role).await?;
        changes.push(Change { aspect: DeclaredLogin::role_aspect(role), before: None, after: id });
        // The journal has it without the password.
        texts.push(create_login(role));
        kept = Some((path, secret));
    }
    if let Some(gone) = gone {
        // What is given from here on is given to the other role.
        let new = NewStep {
            table: &DeclaredLogin::subject(),
            phase: Phase::Prepare.as_str(),
            step: "note that somebody made a declared login anew",
            statements: Vec::new(),
            changes: &[gone],
        };
        executor.rollout.record(tx.connection(), executor.lease, &new).await?;
    }
    for (aspect, sql) in usages {
        tx.run(&doing(login), &sql).await?;
        changes.push(Change { aspect, before: None, after: Some(String::new()) });
        texts.push(sql);
    }
    if !changes.is_empty() {
        let new = NewStep {
            table: &DeclaredLogin::subject(),
            phase: Phase::Prepare.as_str(),
            step: match login.purpose {
                LoginPurpose::SignIn => "give sign-in a login of its own",
                LoginPurpose::Job { .. } => "give a job a login of its own",
            },
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
fn gone(state: &RolloutState, login: &DeclaredLogin) -> Option<Change> {
    let id = login.id?.to_string();
    let aspect = DeclaredLogin::role_aspect(&login.role);
    let mut made = state.recorded.changes(&DeclaredLogin::subject()).iter().filter(|change| change.aspect == aspect);
    let made = made.find_map(|change| change.after.clone()).filter(|made| *made != id)?;
    Some(Change { aspect, before: Some(made), after: None })
}

fn doing(login: &DeclaredLogin) -> String {
    format!("making the login {} for {}", login.role, login.purpose)
}

/// The table in whose place the journal has the login.
pub(crate) fn is_login(table: &TableName) -> bool {
    *table == DeclaredLogin::subject()
}
