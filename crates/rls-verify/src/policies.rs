//! What the catalog alone shows to be wrong with a table: row level security, its policies, and parts of the rollout that are missing.

use tenant_inventory::claim::breach::Breach;
use tenant_inventory::claim::lack::Lack;
use tenant_inventory::{AspectKind, Inventory, LoginReach, OtherPolicy, Relation, RelationKind};
use tenant_rls::PolicyForm;

use crate::report::NoteKind;

/// What is wrong, and what is worth a note.
#[derive(Debug, Default)]
pub(crate) struct PolicyFindings {
    pub(crate) breaches: Vec<Breach>,
    pub(crate) notes: Vec<NoteKind>,
}

/// Reads the definition of a relation.
pub(crate) fn inspect(inventory: &Inventory, reach: &LoginReach, relation: &Relation) -> PolicyFindings {
    let mut found = PolicyFindings::default();
    if !relation.definition.has(AspectKind::RowSecurity) {
        let partition_of = (relation.kind == RelationKind::Partition).then(|| inventory.audited_as(relation));
        found.breaches.push(Breach::RowSecurityOff { partition_of });
        return found;
    }
    let policies = inventory.policies(relation);
    for policy in reach.other_policies(policies) {
        found.add(inventory, relation, &policy, false);
    }
    for policy in reach.restrictive_policies(policies) {
        found.add(inventory, relation, &policy, true);
    }
    if matches!(policies.form(), Some(PolicyForm::Bridge | PolicyForm::Claimable)) {
        found.breaches.push(Breach::Bridge);
    }
    let lacks = lacks(inventory, relation);
    if !lacks.is_empty() {
        found.breaches.push(Breach::Incomplete { lacks });
    }
    found
}

impl PolicyFindings {
    fn add(&mut self, inventory: &Inventory, relation: &Relation, policy: &OtherPolicy<'_>, restrictive: bool) {
        let login = inventory.logins.app.0.as_str();
        let (name, definition) = (policy.name.to_owned(), policy.text.to_owned());
        let declared =
            inventory.tenancy.rules(&inventory.audited_as(relation)).and_then(|r| r.allow_policies.get(&name));
        match (policy.role.map(str::to_owned), declared) {
            (_, Some(why)) => {
                self.notes.push(NoteKind::AllowedPolicy { policy: name, why: why.clone(), definition });
            }
            (None, None) => {
                self.notes.push(NoteKind::PolicyForOthers { policy: name, login: login.to_owned(), definition });
            }
            (Some(role), None) if restrictive => {
                self.breaches.push(Breach::RestrictivePolicy { policy: name, role, definition });
            }
            (Some(role), None) => {
                let is_login = role == login;
                self.breaches.push(Breach::OtherPolicy { policy: name, role, is_login, definition });
            }
        }
    }
}

/// The parts of the rollout that a relation with row level security lacks.
fn lacks(inventory: &Inventory, relation: &Relation) -> Vec<Lack> {
    let policies = inventory.policies(relation);
    let default = relation.definition.text(AspectKind::Default);
    let has_default = default == Some(&relation.comparison.printed_default());
    let has_tenants = inventory.catalog.tenant_key_type.is_some();
    let parts = [
        (policies.form() != Some(policies.declared_form()), Lack::IsolationPolicy),
        (!policies.keeps_audits_and_backfills(), Lack::RolePolicies),
        (!relation.tenant_index && relation.kind != RelationKind::Partitioned, Lack::Index),
        (
            !relation.platform_rows && relation.parent.is_none() && !has_default,
            Lack::Default { found: default.map(str::to_owned) },
        ),
        (has_tenants && !relation.foreign_key_valid, Lack::ForeignKey),
        (!relation.null_rows_are_meant() && !relation.never_null, Lack::NotNull),
        (!relation.definition.has(AspectKind::Forced), Lack::Force),
    ];
    parts.into_iter().filter(|(lacks, _)| *lacks).map(|(_, lack)| lack).collect()
}
