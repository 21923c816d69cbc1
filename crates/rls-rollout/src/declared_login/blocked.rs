//! What keeps a rollout from giving a declared login what it is to have.

use tenancy_config::TableName;
use tenancy_config::tenancy::LoginPurpose;
use tenant_inventory::{Aspect, AspectKind, DeclaredLogin, LoginPart, LoginProblem, LoginProblemKind};

use crate::state::RolloutState;
use crate::stop::Stop;

/// The problems that a rollout cannot mend, as it takes away only what a rollout gave.
pub(crate) fn blockers(state: &RolloutState, login: &DeclaredLogin) -> Vec<Stop> {
    let problems = login.problems.iter().filter(|problem| !problem.what.lets_rollout_go_on());
    let stays = |problem: &LoginProblem| {
        let LoginProblemKind::Undeclared { table, parts } = &problem.what else { return Some(problem.clone()) };
        let parts: Vec<LoginPart> = parts.iter().filter(|part| !made(state, login, table, part)).cloned().collect();
        let what = LoginProblemKind::Undeclared { table: table.clone(), parts };
        matches!(&what, LoginProblemKind::Undeclared { parts, .. } if !parts.is_empty())
            .then(|| LoginProblem { what, ..problem.clone() })
    };
    problems.filter_map(stays).map(|problem| Stop::Login { problem: Box::new(problem) }).collect()
}

/// Whether a rollout gave it to the role.
pub(crate) fn made(state: &RolloutState, login: &DeclaredLogin, table: &TableName, part: &LoginPart) -> bool {
    aspect(login, part).is_some_and(|aspect| state.recorded.made(table, &aspect))
}

/// A part as an aspect of its table.
pub(crate) fn aspect(login: &DeclaredLogin, part: &LoginPart) -> Option<Aspect> {
    match part {
        LoginPart::Right { privilege, column } => Some(Aspect {
            role: login.role.to_string(),
            column: column.clone().unwrap_or_default(),
            ..Aspect::named(AspectKind::Grant, privilege)
        }),
        LoginPart::Policy { policy } => Some(Aspect::named(AspectKind::Policy, policy)),
        LoginPart::Schema { .. } | LoginPart::Sequence { .. } => None,
    }
}

/// The logins that cannot get what they are to have.
pub(crate) fn blocked(state: &RolloutState) -> Vec<&LoginPurpose> {
    let logins = state.inventory.declared_logins.iter();
    logins.filter(|login| !blockers(state, login).is_empty()).map(|login| &login.purpose).collect()
}

/// What stops a table of logins that cannot get what they are to have: under policies, sign-in or the job would fail.
pub(crate) fn stop(state: &RolloutState, table: &TableName, blocked: &[&LoginPurpose]) -> Vec<Stop> {
    let logins = state.inventory.declared_logins.iter().filter(|login| blocked.contains(&&login.purpose));
    let of_table = logins.filter(|login| {
        let memberships = login.memberships.as_ref().map(|memberships| &memberships.table);
        login.tables.iter().map(|declared| &declared.table).chain(memberships).any(|declared| declared == table)
    });
    of_table.map(|login| Stop::LoginFirst { purpose: login.purpose.clone(), role: login.role.to_string() }).collect()
}
