//! The roles of the server, and what each of them can become.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Row, types::Json};
use tenant_rls::{Error, Result};

/// A role.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// The name as a statement has it.
    pub(crate) printed: String,
    pub(crate) superuser: bool,
    pub(crate) bypass_rls: bool,
    pub(crate) replication: bool,
    pub(crate) create_role: bool,
    memberships: Vec<Membership>,
}

/// What a role may do with a role that it is a member of.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Membership {
    of: i64,
    admin: bool,
    inherit: bool,
    set: bool,
}

/// How a login comes to act as another role, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum RoleStep {
    /// By SET ROLE.
    Set {
        /// The role that it becomes.
        role: String,
    },
    /// It has ADMIN on the role, so it grants the role to itself, and becomes it then.
    Grant {
        /// The role that it becomes.
        role: String,
    },
}

/// A role that a login can act as.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    pub(crate) id: i64,
    /// How; no step where it is the login itself.
    pub(crate) steps: Vec<RoleStep>,
}

/// The roles of the server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roles {
    by_id: BTreeMap<i64, Role>,
}

impl Roles {
    /// Reads them; every role may.
    pub(crate) async fn read(connection: &mut PgConnection) -> Result<Self> {
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways/roles.sql"))
            .fetch_all(connection)
            .await
            .map_err(Error::query("reading the roles"))?;
        let role = |row: &sqlx::postgres::PgRow| {
            let Json(memberships) = row.get("memberships");
            Role {
                id: row.get("id"),
                name: row.get("role"),
                printed: row.get("printed"),
                superuser: row.get("superuser"),
                bypass_rls: row.get("bypass_rls"),
                replication: row.get("replication"),
                create_role: row.get("create_role"),
                memberships,
            }
        };
        Ok(Self { by_id: rows.iter().map(role).map(|role| (role.id, role)).collect() })
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Role> {
        self.by_id.get(&id)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Role> {
        self.by_id.values().find(|role| role.name == name)
    }

    /// The name of a role; a number where it was dropped.
    pub(crate) fn name(&self, id: i64) -> String {
        self.get(id).map_or_else(|| id.to_string(), |role| role.name.clone())
    }

    /// The role and those whose rights it has without doing anything for it.
    pub(crate) fn inherited(&self, id: i64) -> BTreeSet<i64> {
        let mut inherited = BTreeSet::from([id]);
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            let memberships = self.get(next).map(|role| role.memberships.as_slice()).unwrap_or_default();
            open.extend(memberships.iter().filter(|m| m.inherit).map(|m| m.of).filter(|of| inherited.insert(*of)));
        }
        inherited
    }

    /// Whether a role has the rights of another, as the server asks for owners and for policies.
    pub(crate) fn has_rights_of(&self, id: i64, of: i64) -> bool {
        self.get(id).is_some_and(|role| role.superuser) || self.inherited(id).contains(&of)
    }

    /// The statement that ends the membership by which a role inherits the rights of another.
    pub(crate) fn end_of_membership(&self, id: i64, of: i64) -> Option<String> {
        let member = |id: &i64| self.get(*id).filter(|role| role.memberships.iter().any(|m| m.inherit && m.of == of));
        let direct = member(&id);
        let member = direct.or_else(|| self.inherited(id).iter().find_map(member))?;
        Some(format!("REVOKE {} FROM {}", self.get(of)?.printed, member.printed))
    }

    /// The roles that a login can act as, itself first. A superuser need not become anybody.
    pub(crate) fn reachable(&self, login: i64) -> Vec<Reached> {
        let mut reached = vec![Reached { id: login, steps: Vec::new() }];
        if self.get(login).is_some_and(|role| role.superuser) {
            return reached;
        }
        let mut known = BTreeSet::from([login]);
        // First what is reached without a change of any role, then what a grant to itself opens, until nothing is added.
        loop {
            let step = self
                .next(&reached, &known, |role, id| role.id == id, |m| m.set)
                .map(|(at, of)| (at, of, RoleStep::Set { role: self.name(of) }))
                .or_else(|| {
                    let granted = self.next(&reached, &known, |_, _| true, |m| m.admin);
                    granted.map(|(at, of)| (at, of, RoleStep::Grant { role: self.name(of) }))
                });
            let Some((at, of, step)) = step else { return reached };
            known.insert(of);
            let steps = reached[at].steps.iter().cloned().chain([step]).collect();
            reached.push(Reached { id: of, steps });
        }
    }

    /// The first role that is not known and that a membership of a reached role, or of one that it inherits, leads to.
    fn next(
        &self,
        reached: &[Reached],
        known: &BTreeSet<i64>,
        counts: impl Fn(&Role, i64) -> bool,
        leads: impl Fn(&Membership) -> bool,
    ) -> Option<(usize, i64)> {
        reached.iter().enumerate().find_map(|(at, from)| {
            let inherited = self.inherited(from.id);
            let roles = inherited.iter().filter_map(|id| self.get(*id)).filter(|role| counts(role, from.id));
            let mut memberships = roles.flat_map(|role| &role.memberships);
            let found = memberships.find(|m| leads(m) && !known.contains(&m.of) && self.by_id.contains_key(&m.of))?;
            Some((at, found.of))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(memberships: &[(i64, i64, &str)]) -> Roles {
        let role = |id: i64| {
            let of = memberships.iter().filter(|(member, ..)| *member == id).map(|(_, of, how)| Membership {
                of: *of,
                admin: how.contains('a'),
                inherit: how.contains('i'),
                set: how.contains('s'),
            });
            let memberships = of.collect();
            let (name, printed) = (format!("r{id}"), format!("r{id}"));
            let (superuser, bypass_rls, replication, create_role) = (false, false, false, false);
            Role { id, name, printed, superuser, bypass_rls, replication, create_role, memberships }
        };
        Roles { by_id: (0..6).map(|id| (id, role(id))).collect() }
    }

    fn reached(memberships: &[(i64, i64, &str)]) -> Vec<i64> {
        let mut ids: Vec<i64> = roles(memberships).reachable(0).iter().map(|reached| reached.id).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn roles_are_reached_by_set_and_by_admin_through_others() {
        assert_eq!(reached(&[(0, 1, "s"), (1, 2, "s"), (3, 4, "s")]), [0, 1, 2]);
        assert_eq!(reached(&[(0, 1, "a"), (1, 2, "s")]), [0, 1, 2]);
        // ADMIN of a role that is inherited counts.
        assert_eq!(reached(&[(0, 1, "i"), (1, 2, "a")]), [0, 2]);
    }

    #[test]
    fn a_membership_that_allows_nothing_leads_nowhere() {
        assert_eq!(reached(&[(0, 1, ""), (1, 2, "sa")]), [0]);
        // What is only inherited is not somebody to become.
        assert_eq!(reached(&[(0, 1, "i"), (1, 2, "s")]), [0]);
    }

    #[test]
    fn rights_are_inherited_through_inheriting_memberships_only() {
        let roles = roles(&[(0, 1, "i"), (1, 2, "i"), (0, 3, "s")]);
        assert!(roles.has_rights_of(0, 2) && !roles.has_rights_of(0, 3));
    }
}
