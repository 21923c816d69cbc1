//! The steps that give the role of sign-in its rights and policies, table by table.

use tenant_inventory::{Aspect, AspectKind, Phase, SignIn, SignInPart, SignInProblemKind, SignInTable};
use tenant_rls::{AuthPolicy, MembershipPolicy, Sql};

use crate::error::Result;
use crate::plan::alter;
use crate::plan::step::{Lock, Step, StepSubject};
use crate::sign_in::blocked::{aspect, made};
use crate::state::RolloutState;

/// The steps that are still to be done. A table gets its policies before row level security, so that no sign-in fails in between.
pub(crate) fn steps(state: &RolloutState) -> Result<Vec<Step>> {
    let Some(sign_in) = &state.inventory.sign_in else { return Ok(Vec::new()) };
    let mut steps = Vec::new();
    for table in sign_in.tables.iter().filter(|table| table.is_there) {
        steps.extend(of_table(state, sign_in, table)?);
    }
    steps.extend(of_memberships(sign_in)?);
    // Tables that are declared no more lose what rollouts gave them.
    for problem in &sign_in.problems {
        let SignInProblemKind::Undeclared { table, parts } = &problem.what else { continue };
        if sign_in.tables.iter().any(|declared| declared.table == *table) {
            continue;
        }
        let column = state.inventory.relation(table).map(|relation| relation.comparison.column.clone());
        let column = match column {
            Some(column) => column,
            None => tenancy_config::Ident::new(&state.inventory.tenancy.columns[0])?,
        };
        let subject = StepSubject { table, column: &column, phase: Phase::Prepare, name: TAKE };
        let mut taken = Taken::default();
        for part in parts.iter().filter(|part| made(state, sign_in, table, part)) {
            taken.part(sign_in, &subject, part)?;
        }
        steps.extend(taken.step(&subject));
    }
    Ok(steps)
}

const GIVE: &str = "let sign-in use it before a tenant is known";
const TAKE: &str = "take from sign-in what is not declared";

/// The policy by which the application reads the memberships of its user, where it is missing or altered.
fn of_memberships(sign_in: &SignIn) -> Result<Option<Step>> {
    let Some(memberships) = &sign_in.memberships else { return Ok(None) };
    let Some(policy) = memberships.policy.as_ref().filter(|_| !memberships.is_made()) else { return Ok(None) };
    let (table, column) = (&memberships.table, &memberships.column);
    let subject = StepSubject { table, column, phase: Phase::Prepare, name: "show a user's own memberships" };
    let named = Aspect::named(AspectKind::Policy, MembershipPolicy::NAME);
    let mut statements = alter::statements(table, column, &named, memberships.text(), None)?;
    statements.push(policy.create(table, &memberships.app)?);
    Ok(Some(subject.transaction(Lock::AccessExclusive, statements)))
}

fn of_table(state: &RolloutState, sign_in: &SignIn, table: &SignInTable) -> Result<Option<Step>> {
    let subject = StepSubject { table: &table.table, column: &table.column, phase: Phase::Prepare, name: GIVE };
    let mut taken = Taken::default();
    for problem in sign_in.problems_of(&table.table) {
        match &problem.what {
            SignInProblemKind::Missing { parts, .. } => {
                for part in parts {
                    give(sign_in, table, part, &mut taken)?;
                }
            }
            SignInProblemKind::Undeclared { parts, .. } => {
                for part in parts.iter().filter(|part| made(state, sign_in, &table.table, part)) {
                    taken.part(sign_in, &subject, part)?;
                }
            }
            _ => {}
        }
    }
    Ok(taken.step(&subject))
}

fn give(sign_in: &SignIn, table: &SignInTable, part: &SignInPart, taken: &mut Taken) -> Result<()> {
    let Some(aspect) = aspect(sign_in, part) else { return Ok(()) };
    let there = table.definition.get(&aspect);
    match part {
        SignInPart::Policy { policy } => {
            taken.locks = true;
            taken.statements.extend(alter::statements(&table.table, &table.column, &aspect, there, None)?);
            if let Some(policy) = AuthPolicy::named(policy) {
                taken.statements.push(policy.create(&table.table, &sign_in.role)?);
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
    fn part(&mut self, sign_in: &SignIn, subject: &StepSubject<'_>, part: &SignInPart) -> Result<()> {
        let Some(aspect) = aspect(sign_in, part) else { return Ok(()) };
        self.locks |= aspect.kind == AspectKind::Policy;
        self.statements.extend(alter::statements(subject.table, subject.column, &aspect, Some(""), None)?);
        Ok(())
    }

    fn step(self, subject: &StepSubject<'_>) -> Option<Step> {
        let lock = if self.locks { Lock::AccessExclusive } else { Lock::None };
        (!self.statements.is_empty()).then(|| subject.transaction(lock, self.statements))
    }
}
