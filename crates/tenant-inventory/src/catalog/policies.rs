//! Which policies of a table are the rollout's, and unaltered.

use tenancy_config::Ident;
use tenant_rls::{LoginPolicy, MembershipPolicy, PolicyForm, RolePolicy, unassigned_policy};

use super::definition::{Aspect, AspectKind};
use super::relations::Relation;
use crate::declared_login::memberships::Memberships;
use crate::declared_login::state::DeclaredLogin;

/// The policies of one table, with what is needed to tell ours from others.
#[derive(Debug, Clone, Copy)]
pub struct Policies<'a> {
    /// The table, or a partition of one.
    pub relation: &'a Relation,
    /// The name of the isolation policy.
    pub isolation: &'a str,
    /// The role that fills tenant columns.
    pub maintenance: &'a Ident,
    /// The role that counts rows.
    pub auditor: &'a Ident,
    /// The declared logins, of this table and of others.
    pub declared_logins: &'a [DeclaredLogin],
    /// The memberships that the application reads by their user, where this is their table.
    pub memberships: Option<&'a Memberships>,
}

impl<'a> Policies<'a> {
    /// The form of the isolation policies; `None` where there is none, or one that is not ours.
    pub fn form(&self) -> Option<PolicyForm> {
        let unassigned = self.text(&self.unassigned());
        self.relation.comparison.form(self.text(self.isolation)?, unassigned)
    }

    /// The form that the table is to have in the end, as `tenancy.toml` declares it.
    pub fn declared_form(&self) -> PolicyForm {
        match (self.relation.platform_rows, self.relation.shared_rows) {
            (true, _) => PolicyForm::Platform,
            (false, true) => PolicyForm::StrictWrites,
            (false, false) => PolicyForm::Strict,
        }
    }

    /// The name of the policy that shows rows without a tenant, where there is one.
    pub fn unassigned(&self) -> String {
        unassigned_policy(self.isolation)
    }

    /// Whether the policy that shows rows without a tenant is there, unaltered.
    pub fn has_unassigned(&self) -> bool {
        self.text(&self.unassigned()).is_some_and(|text| text == self.relation.comparison.printed_unassigned())
    }

    /// The permissive policies, names and texts, by name.
    pub fn permissive(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.relation.definition.all(AspectKind::Policy).filter(|(_, text)| text.starts_with("AS PERMISSIVE"))
    }

    /// The restrictive policies, names and texts, by name.
    pub fn restrictive(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.relation.definition.all(AspectKind::Policy).filter(|(_, text)| text.starts_with("AS RESTRICTIVE"))
    }

    /// Policies of others that widen what ours let through, by name.
    pub fn foreign_policies(&self) -> Vec<&'a str> {
        self.permissive().map(|(name, _)| name).filter(|name| !self.is_named_as_ours(name)).collect()
    }

    /// Whether a policy of the table is the rollout's and unaltered.
    pub fn is_ours(&self, name: &str) -> bool {
        if name == self.isolation {
            return self.form().is_some();
        }
        if name == self.unassigned() {
            return self.has_unassigned();
        }
        if let Some(memberships) = self.memberships.filter(|_| name == MembershipPolicy::NAME) {
            let policy = memberships.policy.as_ref().zip(self.text(name));
            return policy.is_some_and(|(policy, text)| policy.is_printed_as(text, &memberships.app));
        }
        if let Some((policy, role)) = self.login_policy(name) {
            return self.text(name).is_some_and(|text| policy.is_printed_as(text, role));
        }
        let mut named = self.with_roles(&RolePolicy::ALL).filter(|(policy, _)| policy.name() == name);
        named.any(|(policy, role)| {
            let text = self.text(policy.name());
            text.is_some_and(|text| policy.is_printed_as(text, role, &self.relation.comparison))
        })
    }

    /// The policies of the rollout's roles that are there unaltered and that the table is not to have, as it is declared now.
    pub fn outdated(&self) -> impl Iterator<Item = &'static str> + use<'a> {
        let policies = *self;
        let wanted = RolePolicy::of(self.relation.can_be_backfilled());
        let others = RolePolicy::ALL.into_iter().filter(move |policy| !wanted.contains(policy));
        others.map(RolePolicy::name).filter(move |name| policies.is_ours(name))
    }

    /// Whether the rollout's roles have their policies, unaltered.
    pub fn keeps_audits_and_backfills(&self) -> bool {
        self.role_policies().all(|(policy, _)| self.is_ours(policy.name()))
    }

    /// The policies of the rollout's roles, each with its role.
    pub fn role_policies(&self) -> impl Iterator<Item = (RolePolicy, &'a Ident)> + use<'a> {
        self.with_roles(RolePolicy::of(self.relation.can_be_backfilled()))
    }

    /// The policies of the rollout's roles that any table may have, each with its role.
    pub fn known_role_policies(&self) -> impl Iterator<Item = (RolePolicy, &'a Ident)> + use<'a> {
        self.with_roles(&RolePolicy::ALL)
    }

    /// The policy of this name that a declared login is to have, with its role.
    pub fn login_policy(&self, name: &str) -> Option<(LoginPolicy, &'a Ident)> {
        let policy = LoginPolicy::named(name)?;
        let login = self.declared_logins.iter().find(|login| login.purpose == policy.purpose)?;
        let table = login.tables.iter().find(|table| table.table == self.relation.name)?;
        table.rules.may(policy.right).then_some((policy, &login.role))
    }

    fn with_roles<'p>(
        &self,
        policies: &'p [RolePolicy],
    ) -> impl Iterator<Item = (RolePolicy, &'a Ident)> + use<'a, 'p> {
        let Self { maintenance, auditor, .. } = *self;
        policies.iter().map(move |policy| match policy {
            RolePolicy::AuditorRead => (*policy, auditor),
            RolePolicy::MaintenanceRead | RolePolicy::MaintenanceAssign => (*policy, maintenance),
        })
    }

    /// Whether a policy has the name of one of ours, or is the one of ours that shows rows without a tenant.
    pub fn is_named_as_ours(&self, name: &str) -> bool {
        let unassigned = name == self.unassigned() && self.has_unassigned();
        let of_role = self.is_ours(name) || self.role_policies().any(|(policy, _)| policy.name() == name);
        let of_user = name == MembershipPolicy::NAME && self.memberships.is_some();
        name == self.isolation || of_user || unassigned || of_role || self.login_policy(name).is_some()
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.relation.definition.get(&Aspect::named(AspectKind::Policy, name))
    }
}
