//! The steps that give a declared login its rights and policies, table by table.

use tenancy_config::tenancy::LoginPurpose;
use tenant_inventory::{Aspect, AspectKind, DeclaredLogin, DeclaredTable, LoginPart, LoginProblemKind, Phase};
use tenant_rls::{LoginPolicy, MembershipPolicy, Sql};

use crate::declared_login::blocked::{aspect, made};
use crate::error::Result;
use crate::plan::alter;
use crate::plan::step::{Lock, Step, StepSubject};
use crate::state::RolloutState;

/// The steps that are still to be done. A table gets its policies before row level security, so that no sign-in and no job fails in between.
pub(crate) fn steps(state: &RolloutState, login: &DeclaredLogin) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for table in login.tables.iter().filter(|table| table.is_there) {
        steps.extend(of_table(state, login, table)?);
    }
    steps.extend(of_memberships(login)?);
    // Tables that are declared no more lose what rollouts gave them.
    for problem in &login.problems {
        let LoginProblemKind::Undeclared { table, parts } = &problem.what else { continue };
        if login.tables.iter().any(|declared| declared.table == *table) {
            continue;
        }
        let column = state.inventory.relation(table).map(|relation| relation.comparison.column.clone());
        let column = match column {
            Some(column) => column,
            None => tenancy_config::Ident::new(&state.inventory.tenancy.columns[0])?,
        };
        let subject = StepSubject { table, column: &column, phase: Phase::Prepare, name: take_name(&login.purpose) };
        let mut taken = Taken::default();
        for part in parts.iter().filter(|part| made(state, login, table, part)) {
            taken.part(login, &subject, part)?;
        }
        steps.extend(taken.step(&subject));
    }
    Ok(steps)
}

/// What the step does that gives a login what it lacks.
fn give_name(purpose: &LoginPurpose) -> &'static str {
    match purpose {
        LoginPurpose::SignIn => "let sign-in use it before a tenant is known",
        LoginPurpose::Job { .. } => "let a job use it for every tenant",
    }
}

/// What the step does that takes away what is not declared.
fn take_name(purpose: &LoginPurpose) -> &'static str {
    match purpose {
        LoginPurpose::SignIn => "take from sign-in what is not declared",
        LoginPurpose::Job { .. } => "take from a job what is not declared",
    }
}

/// The policy by which the application reads the memberships of its user, where it is missing or altered.
fn of_memberships(login: &DeclaredLogin) -> Result<Option<Step>> {
    let Some(memberships) = &login.memberships else { return Ok(None) };
    let Some(policy) = memberships.policy.as_ref().filter(|_| !memberships.is_made()) else { return Ok(None) };
    let (table, column) = (&memberships.table, &memberships.column);
    let subject = StepSubject { table, column, phase: Phase::Prepare, name: "show a user's own memberships" };
    let named = Aspect::named(AspectKind::Policy, MembershipPolicy::NAME);
    let mut statements = alter::statements(table, column, &named, memberships.text(), None)?;
    statements.push(policy.create(table, &memberships.app)?);
    Ok(Some(subject.transaction(Lock::AccessExclusive, statements)))
}

fn of_table(state: &RolloutState, login: &DeclaredLogin, table: &DeclaredTable) -> Result<Option<Step>> {
    let subject = StepSubject {
        table: &table.table,
        column: &table.column,
        phase: Phase::Prepare,
        name: give_name(&login.purpose),
    };
    let mut taken = Taken::default();
    for problem in login.problems_of(&table.table) {
        match &problem.what {
            LoginProblemKind::Missing { parts, .. } => {
                for part in parts {
                    give(login, table, part, &mut taken)?;
                }
            }
            LoginProblemKind::Undeclared { parts, .. } => {
                for part in parts.iter().filter(|part| made(state, login, &table.table, part)) {
                    taken.part(login, &subject, part)?;
                }
            }
            _ => {}
        }
    }
    Ok(taken.step(&subject))
}

fn give(login: &DeclaredLogin, table: &DeclaredTable, part: &LoginPart, taken: &mut Taken) -> Result<()> {
    let Some(aspect) = aspect(login, part) else { return Ok(()) };
    let there = table.definition.get(&aspect);
    match part {
        LoginPart::Policy { policy } => {
            taken.locks = true;
            taken.statements.extend(alter::statements(&table.table, &table.column, &aspect, there, None)?);
            if let Some(policy) = LoginPolicy::named(policy) {
                taken.statements.push(policy.create(&table.table, &login.role)?);
            }
        }
        // Without the right to use the schema none of its rights counts.
        _ if there.is_some() => {}
        _ => taken.statements.extend(alter::statements(&table.table, &table.column, &aspect, None, Some(""))?),
    }
    Ok(())
}

/// The statements of one step.
#[derive(Default)]
struct Taken {
    statements: Vec<Sql>,
    locks: bool,
}

impl Taken {
    /// Takes away what a rollout gave.
    fn part(&mut self, login: &DeclaredLogin, subject: &StepSubject<'_>, part: &LoginPart) -> Result<()> {
        let Some(aspect) = aspect(login, part) else { return Ok(()) };
        self.locks |= aspect.kind == AspectKind::Policy;
        self.statements.extend(alter::statements(subject.table, subject.column, &aspect, Some(""), None)?);
        Ok(())
    }

    fn step(self, subject: &StepSubject<'_>) -> Option<Step> {
        let lock = if self.locks { Lock::AccessExclusive } else { Lock::None };
        (!self.statements.is_empty()).then(|| subject.transaction(lock, self.statements))
    }
}
