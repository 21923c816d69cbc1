//! What the definition of a table says where an attempt was not made.

use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::examined::Attempt;
use tenant_inventory::claim::untried::Untried;
use tenant_inventory::{AspectKind, Inventory, LoginReach, Relation};
use tenant_rls::PolicyForm;

/// Whether the definition alone keeps the login inside one tenant: our unaltered policy is on and forced, no other policy lets the login through
/// or narrows what it reaches, and the login can become nobody whom policies do not filter.
pub(crate) fn holds(inventory: &Inventory, reach: &LoginReach, relation: &Relation, superuser: bool) -> bool {
    let policies = inventory.policies(relation);
    let form = policies.form();
    let isolates = form == Some(PolicyForm::Strict) || form == Some(policies.declared_form());
    let others = reach.other_policies(policies).chain(reach.restrictive_policies(policies));
    isolates
        && relation.definition.has(AspectKind::RowSecurity)
        && relation.definition.has(AspectKind::Forced)
        && !others.into_iter().any(|policy| policy.role.is_some())
        && !superuser
        && inventory.logins.escapes.is_empty()
}

/// Lets the definition stand in for attempts that were not made, where it can. `rights` says whether the login has any right on the table: where
/// it has none, the application does not work with the table through this login, and nothing is known.
pub(crate) fn settle(attempts: &mut [Attempt], rights: bool) {
    for attempt in attempts {
        let Evidence::NotTried { because } = &attempt.evidence else { continue };
        let denied = matches!(because, Untried::NoRight { .. }) && !rights;
        if because.leaves_the_definition() && !denied {
            attempt.evidence = Evidence::HeldByDefinition { because: because.clone() };
        }
    }
}
