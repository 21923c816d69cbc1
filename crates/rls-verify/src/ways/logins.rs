//! What the application's login can reach through the roles that it can become.

use tenant_inventory::{AspectKind, Escape, Inventory, LoginReach, Unfiltered};

use crate::report::Finding;

/// The roles that the login is or can become and that no policy filters, or to which a policy shows every tenant's rows.
pub(crate) fn unfiltered(reach: &LoginReach, inventory: &Inventory, superuser: bool) -> Vec<Finding> {
    let app = inventory.logins.app.0.to_string();
    let forced = |why: &Unfiltered| {
        matches!(why, Unfiltered::OwnerOf(_))
            && inventory.relations.iter().all(|r| r.definition.has(AspectKind::Forced))
    };
    let unfiltered =
        inventory.logins.escapes.iter().filter(|escape| !forced(&escape.why)).map(|Escape { role, why }| {
            if *role == app {
                format!("the login {app} is {why}: no policy filters it")
            } else {
                format!("the login {app} can become {role}, which is {why}: no policy filters that")
            }
        });
    let ours = [&inventory.logins.auditor.0, &inventory.logins.maintenance.0].map(ToString::to_string);
    let shown = ours.iter().filter(|role| !superuser && reach.roles.contains(role)).map(|role| {
        format!("the login {app} can become {role}, whose policies show it keys of the rows of every tenant")
    });
    unfiltered.chain(shown).map(|what| Finding { table: None, what }).collect()
}
