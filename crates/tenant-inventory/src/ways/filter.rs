//! Whom the policies of which table filter.

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::TableName;

use super::body::Body;
use super::facts::{Facts, PolicyFacts};
use super::logins::Unfiltered;
use super::roles::Roles;

/// Roles whose members read and write files of the server and run programs there.
pub(crate) const SERVER_ROLES: [&str; 3] =
    ["pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"];

/// Words of a policy that make it depend on who asks.
const WHO_ASKS: [&str; 5] = ["current_role", "current_user", "pg_has_role", "session_user", "user"];

/// A policy of the rollout's, unaltered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OurPolicy {
    /// It compares the tenant column with the session variable.
    Isolation,
    /// It shows rows to exactly this role.
    Role(String),
}

/// The rollout's policies, by table and name.
pub(crate) type OurPolicies = BTreeMap<(TableName, String), OurPolicy>;

/// Whom the policies filter.
pub(crate) struct Filter<'a> {
    facts: &'a Facts,
    roles: &'a Roles,
    /// The login whom policies are to hold.
    login: i64,
    ours: &'a OurPolicies,
    policies: BTreeMap<i64, Vec<&'a PolicyFacts>>,
    /// The tables that policies protect.
    pub(crate) protected: &'a BTreeSet<i64>,
}

impl<'a> Filter<'a> {
    pub(crate) fn new(
        facts: &'a Facts,
        roles: &'a Roles,
        login: i64,
        ours: &'a OurPolicies,
        protected: &'a BTreeSet<i64>,
    ) -> Self {
        let mut policies: BTreeMap<i64, Vec<&PolicyFacts>> = BTreeMap::new();
        for policy in &facts.policies {
            policies.entry(policy.relation).or_default().push(policy);
        }
        Self { facts, roles, login, ours, policies, protected }
    }

    /// Why the policy that holds for the login does not hold for a role on this table; none where it does.
    pub(crate) fn why(&self, role: i64, table: i64) -> Option<Unfiltered> {
        let relation = self.facts.relations.get(&table)?;
        if let Some(why) = self.by_attribute(role) {
            return Some(why);
        }
        let table_name = relation.name.to_string();
        if !relation.row_security {
            return Some(Unfiltered::RowSecurityOff { table: table_name });
        }
        if !relation.forced && self.roles.has_rights_of(role, relation.owner) {
            return Some(Unfiltered::OwnerOf { table: table_name });
        }
        let lets_through = self.policies.get(&table)?.iter().find(|policy| self.lets_through(role, policy))?;
        Some(Unfiltered::LetThrough { policy: lets_through.policy.clone(), table: table_name })
    }

    /// Why a role reaches some table past its policies, and the tables.
    pub(crate) fn anywhere(&self, role: i64) -> Option<(Unfiltered, BTreeSet<i64>)> {
        let mut first = None;
        let mut tables = BTreeSet::new();
        for table in self.protected {
            if let Some(why) = self.why(role, *table) {
                first.get_or_insert(why);
                tables.insert(*table);
            }
        }
        let server = || self.server_role(role).map(|role| Unfiltered::ServerRole { role });
        first.or_else(server).map(|why| (why, tables))
    }

    /// The same, where the login decides which statement the role runs, or nobody knows: the owner of a table that is held by FORCE switches its
    /// policies off.
    pub(crate) fn by_any_statement(&self, role: i64) -> Option<(Unfiltered, BTreeSet<i64>)> {
        let owned = || {
            let owner = |id: &i64| self.facts.relations.get(id).filter(|table| self.owns(role, table.owner));
            let tables: BTreeSet<i64> = self.protected.iter().copied().filter(|id| owner(id).is_some()).collect();
            let first = tables.iter().find_map(owner)?;
            Some((Unfiltered::OwnerOf { table: first.name.to_string() }, tables))
        };
        self.anywhere(role).or_else(owned)
    }

    /// Whether a role has the rights of an owner, and the login itself has not.
    fn owns(&self, role: i64, owner: i64) -> bool {
        self.roles.has_rights_of(role, owner) && !self.roles.has_rights_of(self.login, owner)
    }

    /// A superuser or BYPASSRLS.
    pub(crate) fn by_attribute(&self, role: i64) -> Option<Unfiltered> {
        let facts = self.roles.get(role)?;
        match (facts.superuser, facts.bypass_rls) {
            (true, _) => Some(Unfiltered::Superuser),
            (false, true) => Some(Unfiltered::BypassRls),
            (false, false) => None,
        }
    }

    /// The role of [`SERVER_ROLES`] whose rights a role has.
    pub(crate) fn server_role(&self, role: i64) -> Option<String> {
        let inherited = self.roles.inherited(role);
        let mut names = inherited.iter().filter_map(|id| self.roles.get(*id)).map(|role| role.name.as_str());
        names.find(|name| SERVER_ROLES.contains(name)).map(str::to_owned)
    }

    /// Whether a policy lets a role through further than the login.
    fn lets_through(&self, role: i64, policy: &PolicyFacts) -> bool {
        let holds_for = |role: i64| policy.roles.iter().any(|of| *of == 0 || self.roles.has_rights_of(role, *of));
        if !holds_for(role) {
            return false;
        }
        let name = self.facts.relations.get(&policy.relation).map(|relation| relation.name.clone());
        match name.and_then(|name| self.ours.get(&(name, policy.policy.clone()))) {
            Some(OurPolicy::Isolation) => false,
            Some(OurPolicy::Role(only)) => self.roles.name(role) == *only,
            // What holds for the login too, whoever asks, is a finding of the table, and not of the way there.
            None => !holds_for(self.login) || asks_who(&policy.expressions),
        }
    }
}

/// Whether an expression depends on the role that runs it.
fn asks_who(expression: &str) -> bool {
    Body::read(expression).map_or(true, |body| WHO_ASKS.iter().any(|word| body.names.contains(*word)))
}
