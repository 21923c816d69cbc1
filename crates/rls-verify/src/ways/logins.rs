//! What the application's login can reach through the roles that it can become.

use tenant_inventory::claim::breach::Breach;
use tenant_inventory::{AspectKind, Escape, Inventory, LoginReach, Unfiltered};

/// The roles that the login is or can become and that no policy filters, or to which a policy shows each tenant's rows.
pub(crate) fn unfiltered(reach: &LoginReach, inventory: &Inventory, superuser: bool) -> Vec<Breach> {
    let login = inventory.logins.app.0.to_string();
    let forced = |why: &Unfiltered| {
        matches!(why, Unfiltered::OwnerOf(_))
            && inventory.relations.iter().all(|relation| relation.definition.has(AspectKind::Forced))
    };
    let escapes = inventory.logins.escapes.iter().filter(|escape| !forced(&escape.why));
    let unfiltered = escapes.map(|Escape { role, why }| Breach::UnfilteredLogin {
        login: login.clone(),
        role: role.clone(),
        why: why.clone(),
    });
    let ours = [&inventory.logins.auditor.0, &inventory.logins.maintenance.0].map(ToString::to_string);
    let shown = ours.into_iter().filter(|role| !superuser && reach.roles.contains(role));
    unfiltered.chain(shown.map(|role| Breach::RolloutRole { login: login.clone(), role })).collect()
}
