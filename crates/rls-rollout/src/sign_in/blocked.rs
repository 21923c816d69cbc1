//! What keeps a rollout from giving sign-in what is declared.

use tenancy_config::TableName;
use tenant_inventory::{Aspect, AspectKind, SignIn, SignInPart, SignInProblem, SignInProblemKind};

use crate::state::RolloutState;
use crate::stop::Stop;

/// The problems that a rollout cannot mend, as it takes away only what a rollout gave.
pub(crate) fn blockers(state: &RolloutState) -> Vec<Stop> {
    let Some(sign_in) = &state.inventory.sign_in else { return Vec::new() };
    let problems = sign_in.problems.iter().filter(|problem| !problem.what.lets_rollout_go_on());
    let stays = |problem: &SignInProblem| {
        let SignInProblemKind::Undeclared { table, parts } = &problem.what else { return Some(problem.clone()) };
        let parts: Vec<SignInPart> = parts.iter().filter(|part| !made(state, sign_in, table, part)).cloned().collect();
        let what = SignInProblemKind::Undeclared { table: table.clone(), parts };
        matches!(&what, SignInProblemKind::Undeclared { parts, .. } if !parts.is_empty())
            .then(|| SignInProblem { role: problem.role.clone(), what })
    };
    problems.filter_map(stays).map(|problem| Stop::SignIn { problem: Box::new(problem) }).collect()
}

/// Whether a rollout gave it to the role.
pub(crate) fn made(state: &RolloutState, sign_in: &SignIn, table: &TableName, part: &SignInPart) -> bool {
    aspect(sign_in, part).is_some_and(|aspect| state.recorded.made(table, &aspect))
}

/// A part as an aspect of its table.
pub(crate) fn aspect(sign_in: &SignIn, part: &SignInPart) -> Option<Aspect> {
    match part {
        SignInPart::Right { privilege, column } => Some(Aspect {
            role: sign_in.role.to_string(),
            column: column.clone().unwrap_or_default(),
            ..Aspect::named(AspectKind::Grant, privilege)
        }),
        SignInPart::Policy { policy } => Some(Aspect::named(AspectKind::Policy, policy)),
        SignInPart::Schema { .. } | SignInPart::Sequence { .. } => None,
    }
}

/// What stops a table of sign-in where sign-in is stopped: under policies, users could no longer sign in.
pub(crate) fn stop(state: &RolloutState, table: &TableName, blocked: bool) -> Option<Stop> {
    let sign_in = state.inventory.sign_in.as_ref().filter(|_| blocked)?;
    let mut tables = sign_in.tables.iter().map(|declared| &declared.table);
    let memberships = sign_in.memberships.as_ref().map(|memberships| &memberships.table);
    let declared = tables.any(|declared| declared == table) || memberships == Some(table);
    declared.then(|| Stop::SignInFirst { role: sign_in.role.to_string() })
}
