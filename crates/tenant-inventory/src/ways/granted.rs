//! From whom a right of the login's is to be taken: from those to whom it was granted, everybody among them, and else by the end of a membership.

use std::fmt::Display;

use super::facts::GrantedOn;
use super::found::Analysis;
use super::object::Privilege;

/// Roles of the server that have rights on all tables and views without a grant.
const ON_ALL_DATA: [(&str, &[Privilege]); 2] = [
    ("pg_read_all_data", &[Privilege::Select]),
    ("pg_write_all_data", &[Privilege::Insert, Privilege::Update, Privilege::Delete]),
];

/// From what a role has some rights on something.
pub(crate) struct Granted {
    /// Those to whom one of them was granted, as a statement has them.
    to: Vec<String>,
    /// The ends of memberships by which it has one of them without a grant.
    memberships: Vec<String>,
}

impl Granted {
    /// From what a role has these rights on something of this owner's.
    pub(crate) fn of(analysis: &Analysis<'_>, on: GrantedOn, owner: i64, privileges: &[Privilege], role: &str) -> Self {
        let roles = analysis.roles;
        let Some(role) = roles.named(role) else { return Self { to: vec![role.to_owned()], memberships: Vec::new() } };
        let has = roles.inherited(role.id);
        let rights: Vec<String> = privileges.iter().map(ToString::to_string).collect();
        let grants = analysis.facts.grants.get(&on).into_iter().flatten();
        let grants = grants.filter(|grant| (grant.to == 0 || has.contains(&grant.to)) && rights.contains(&grant.right));
        let mut to: Vec<String> = grants
            .map(|grant| roles.get(grant.to).map_or_else(|| "PUBLIC".to_owned(), |role| role.printed.clone()))
            .collect();
        to.sort();
        to.dedup();
        let on_data = ON_ALL_DATA.iter().filter(|(_, of)| {
            matches!(on, GrantedOn::Relation(_)) && of.iter().any(|privilege| privileges.contains(privilege))
        });
        let ungranted = on_data.filter_map(|(name, _)| roles.named(name)).map(|role| role.id).chain([owner]);
        let ends = ungranted.filter(|of| *of != role.id && has.contains(of));
        let memberships: Vec<String> = ends.filter_map(|of| roles.end_of_membership(role.id, of)).collect();
        if to.is_empty() && memberships.is_empty() {
            to.push(role.printed.clone());
        }
        Self { to, memberships }
    }

    /// The statement that takes `what`, such as the right to do something on something.
    pub(crate) fn revoke(&self, what: impl Display) -> String {
        let to = (!self.to.is_empty()).then(|| format!("REVOKE {what} FROM {}", self.to.join(", ")));
        let statements: Vec<String> = to.into_iter().chain(self.memberships.iter().cloned()).collect();
        statements.join("; ")
    }

    /// The statement that gives them `what` again; none where nobody was granted anything.
    pub(crate) fn grant(&self, what: impl Display) -> Option<String> {
        (!self.to.is_empty()).then(|| format!("GRANT {what} TO {}", self.to.join(", ")))
    }
}
