//! What rollouts made for roles and `tenancy.toml` declares no more, as the journal has it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{Aspect, AspectKind, BornClosed, DeclaredLogin, Phase, Relation, read_definitions};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, LoginPolicy, MembershipPolicy, OwnerTx, RolePolicy, Sql};

use crate::declared_login::role::{drop_role, revoke, role_id};
use crate::error::Result;
use crate::journal::Recorded;
use crate::journal::change::{Change, ChangeState};
use crate::plan::alter;
use crate::plan::step::{Lock, Step, StepSubject};

/// What rollouts made for one role and `tenancy.toml` declares no more, and that is still there.
#[derive(Debug, Clone)]
pub(crate) struct LeftLogin {
    pub(crate) role: Ident,
    /// A rollout made the role itself.
    pub(crate) made: bool,
    pub(crate) tables: Vec<LeftTable>,
    /// The role, and what it may use beside its tables.
    pub(crate) changes: Vec<Change>,
}

/// What rollouts gave such a role of one table.
#[derive(Debug, Clone)]
pub(crate) struct LeftTable {
    pub(crate) table: TableName,
    column: Ident,
    /// What is as the rollouts left it.
    aspects: Vec<Aspect>,
    /// What somebody changed since, which nothing takes away.
    altered: Vec<String>,
}

/// A role that has from rollouts what `tenancy.toml` declares no more: most often one that it names no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftRole {
    /// The role.
    pub role: Ident,
    /// A rollout made it, so that it goes with its rights.
    pub made_by_rollout: bool,
    /// The tables on which it has rights or policies from rollouts.
    pub tables: Vec<TableName>,
    /// What somebody changed since: no rollout takes that away.
    pub altered: Vec<String>,
}

impl fmt::Display for LeftRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, made_by_rollout, tables, altered } = self;
        write!(f, "{role} has rights or policies from rollouts that tenancy.toml declares no more")?;
        if !tables.is_empty() {
            let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
            write!(f, " on {}", names.join(", "))?;
        }
        f.write_str("; the next rollout takes them away")?;
        if *made_by_rollout {
            f.write_str(", and drops the role, which a rollout made")?;
        }
        altered
            .iter()
            .try_for_each(|what| write!(f, "; somebody changed {what}, which stays until it is dropped by hand"))
    }
}

/// Reads what rollouts made for roles that `tenancy.toml` names no more.
pub(crate) async fn left(database: &Database, tenancy: &Tenancy, recorded: &Recorded) -> Result<Vec<LeftLogin>> {
    let roles = undeclared(tenancy, recorded)?;
    if roles.is_empty() {
        return Ok(Vec::new());
    }
    let tables: Vec<&TableName> = recorded.tables().filter(|table| is_table(table)).collect();
    // Neither rights nor policies depend on the tenant column.
    let column = Ident::new(&tenancy.columns[0])?;
    let wanted: Vec<(&TableName, &str)> = tables.iter().map(|table| (*table, column.as_str())).collect();
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let definitions = read_definitions(tx.connection(), &wanted).await?;
    let mut ids = BTreeMap::new();
    for role in roles {
        // Whoever dropped it has taken all of it.
        if let Some(id) = role_id(tx.connection(), &role).await? {
            ids.insert(role, id);
        }
    }
    tx.rollback().await?;
    let mut found = Vec::new();
    for (role, id) in ids {
        let mut left = of_login(tenancy, &role, &id, recorded);
        for (table, now) in tables.iter().zip(&definitions) {
            let mut of_table =
                LeftTable { table: (*table).clone(), column: column.clone(), aspects: Vec::new(), altered: Vec::new() };
            let gone = |change: &&Change| is_made(change) && !is_given_anew(tenancy, table, &change.aspect);
            for change in recorded.changes(table).iter().filter(gone).filter(|change| is_for(tenancy, change, &role)) {
                match change.state_in(now) {
                    ChangeState::AsBefore => {}
                    ChangeState::AsLeft => of_table.aspects.push(change.aspect.clone()),
                    ChangeState::Drifted => of_table.altered.push(change.subject()),
                }
            }
            if !of_table.aspects.is_empty() || !of_table.altered.is_empty() {
                left.tables.push(of_table);
            }
        }
        if left.made || !left.changes.is_empty() || !left.tables.is_empty() {
            found.push(left);
        }
    }
    Ok(found)
}

/// The login itself, without its tables. A role of that name that somebody made since is not what a rollout made.
fn of_login(tenancy: &Tenancy, role: &Ident, id: &str, recorded: &Recorded) -> LeftLogin {
    let is_the_same = |change: &&Change| match change.aspect.kind {
        AspectKind::Role => change.aspect.name == role.as_str() && change.after.as_deref() == Some(id),
        _ => change.aspect.role == role.as_str(),
    };
    let of_role =
        recorded.changes(&DeclaredLogin::subject()).iter().filter(|change| is_made(change)).filter(is_the_same);
    let is_left = !tenancy.names_role(role.as_str());
    let changes: Vec<Change> = of_role.filter(|_| is_left).cloned().collect();
    let made = changes.iter().any(|change| change.aspect.kind == AspectKind::Role);
    LeftLogin { role: role.clone(), made, tables: Vec::new(), changes }
}

/// The roles for which rollouts made something and that `tenancy.toml` names no more.
fn undeclared(tenancy: &Tenancy, recorded: &Recorded) -> Result<BTreeSet<Ident>> {
    let mut roles = BTreeSet::new();
    for table in recorded.tables().filter(|table| **table != BornClosed::subject()) {
        for change in recorded.changes(table).iter().filter(|change| is_made(change)) {
            match change.aspect.kind {
                AspectKind::Role => drop(roles.insert(Ident::new(&change.aspect.name)?)),
                AspectKind::Grant | AspectKind::SchemaUsage | AspectKind::SequenceUsage => {
                    roles.insert(Ident::new(&change.aspect.role)?);
                }
                AspectKind::Policy => roles.extend(role_of_policy(change)),
                _ => {}
            }
        }
    }
    roles.retain(|role| !tenancy.names_role(role.as_str()));
    // The application's login is named, and may have a policy that is declared no more.
    for table in recorded.tables() {
        let made = recorded.changes(table).iter().filter(|change| is_made(change));
        roles
            .extend(made.filter(|change| !is_given_anew(tenancy, table, &change.aspect)).filter_map(shows_memberships));
    }
    Ok(roles)
}

fn role_of_policy(change: &Change) -> Option<Ident> {
    let (name, text) = (change.aspect.name.as_str(), change.after.as_deref()?);
    if let Some(policy) = LoginPolicy::named(name) {
        return policy.role_in(text);
    }
    let of_role = RolePolicy::ALL.iter().any(|policy| policy.name() == name);
    of_role.then(|| RolePolicy::role_in(text)).flatten()
}

/// The role to which a policy shows its user's memberships, where the change made that policy.
fn shows_memberships(change: &Change) -> Option<Ident> {
    let is_ours = change.aspect == Aspect::named(AspectKind::Policy, MembershipPolicy::NAME);
    is_ours.then(|| MembershipPolicy::role_in(change.after.as_deref()?)).flatten()
}

/// Whether a change is about a role, which `tenancy.toml` may still name for something else.
fn is_for(tenancy: &Tenancy, change: &Change, role: &Ident) -> bool {
    if shows_memberships(change).is_some_and(|of| of == *role) {
        return true;
    }
    let of_role = match change.aspect.kind {
        AspectKind::Grant => change.aspect.role == role.as_str(),
        AspectKind::Policy => role_of_policy(change).is_some_and(|of| of == *role),
        _ => false,
    };
    of_role && !tenancy.names_role(role.as_str())
}

/// Whether the login that is declared now gets a policy of this name, which takes the place of the one that is there.
fn is_given_anew(tenancy: &Tenancy, table: &TableName, aspect: &Aspect) -> bool {
    if aspect.kind != AspectKind::Policy {
        return false;
    }
    if aspect.name == MembershipPolicy::NAME {
        let declared = tenancy.auth_memberships().ok().flatten();
        return declared.is_some_and(|(declared, _)| declared == *table);
    }
    let Some(policy) = LoginPolicy::named(&aspect.name) else { return false };
    let declared = tenancy.declared_logins();
    let login = declared.iter().find(|login| login.purpose == policy.purpose);
    login.and_then(|login| login.table(tenancy, table)).is_some_and(|rules| rules.may(policy.right))
}

fn is_made(change: &Change) -> bool {
    change.before.is_none() && change.after.is_some()
}

fn is_table(table: &TableName) -> bool {
    *table != DeclaredLogin::subject() && *table != BornClosed::subject()
}

impl LeftLogin {
    /// The steps that take from the role what rollouts gave it of tables.
    pub(crate) fn steps(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for LeftTable { table, column, aspects, .. } in &self.tables {
            let name = "take from a role what is declared no more";
            let subject = StepSubject { table, column, phase: Phase::Prepare, name };
            let mut statements: Vec<Sql> = Vec::new();
            for aspect in aspects {
                statements.extend(alter::statements(table, column, aspect, Some(""), None)?);
            }
            let is_policy = |aspect: &Aspect| aspect.kind == AspectKind::Policy;
            let lock = if aspects.iter().any(is_policy) { Lock::AccessExclusive } else { Lock::None };
            if !statements.is_empty() {
                steps.push(subject.transaction(lock, statements));
            }
        }
        Ok(steps)
    }

    /// The statements that take the rest, and the role itself where a rollout made it. They come after the steps.
    pub(crate) fn statements(&self) -> Result<Vec<Sql>> {
        let mut statements = Vec::new();
        for change in &self.changes {
            statements.extend(revoke(&change.aspect)?);
        }
        if self.made {
            statements.push(drop_role(&self.role));
        }
        Ok(statements)
    }

    /// What is told of it.
    pub(crate) fn told(&self) -> LeftRole {
        let altered = |table: &LeftTable| {
            let of = |what: &String| format!("{what} of {}", table.table);
            table.altered.iter().map(of).collect::<Vec<_>>()
        };
        LeftRole {
            role: self.role.clone(),
            made_by_rollout: self.made,
            tables: self.tables.iter().map(|table| table.table.clone()).collect(),
            altered: self.tables.iter().flat_map(altered).collect(),
        }
    }
}

/// Removes from what is known of a table the policies that the next rollout drops before anything else.
pub(crate) fn forget(left: &[LeftLogin], relation: &mut Relation) {
    let of_table = left.iter().flat_map(|login| &login.tables).filter(|table| table.table == relation.name);
    for aspect in of_table.flat_map(|table| &table.aspects).filter(|aspect| aspect.kind == AspectKind::Policy) {
        relation.definition.forget_policy(&aspect.name);
    }
}
