//! How a login acts as a role of the rollout without inheriting it. PostgreSQL applies the policies `TO` a role to whoever inherits it: an
//! owner that does would have `current_user = …` beside its own condition, and no index serves the two together.

use std::collections::BTreeSet;

use tenancy_config::Ident;
use tenant_inventory::{Inventory, Membership, RoleState};
use tenant_rls::{SessionFacts, Sql, Template};

use crate::error::Result;
use crate::plan::notice::Notice;

/// The first version in which a member need not inherit.
const INHERIT_OPTION: i32 = 160_000;

/// The statements that let this login act as the role. A superuser, which needs no membership, gives it to the owner of the tenant table, so
/// that the owner can go on alone. Memberships that inherit are replaced where this login may do so.
pub(crate) fn statements(session: &SessionFacts, role: &Ident, facts: &RoleState) -> Result<Vec<Sql>> {
    let member = match session.superuser {
        true => facts.owner_without.clone(),
        false => (!facts.assumable).then(|| Ident::new(&session.role)).transpose()?,
    };
    let members: BTreeSet<&Ident> = member.iter().chain(replaceable(&facts.membership)).collect();
    let separate = session.server_version_num >= INHERIT_OPTION;
    Ok(match &facts.membership.between {
        _ if members.is_empty() => Vec::new(),
        Some(between) if !separate => through(between, role, &facts.membership, &members),
        _ => {
            let options = Sql::from_static(if separate { " WITH INHERIT FALSE, SET TRUE" } else { "" });
            let grant = Template::new("GRANT :\"role\" TO :\"member\":options")
                .ident("role", role)
                .fragment("options", options);
            members.into_iter().map(|member| grant.clone().ident("member", member).build()).collect()
        }
    })
}

/// The memberships that inherit, and that this login can replace.
fn replaceable(facts: &Membership) -> &[Ident] {
    if facts.may_replace && facts.between.is_some() { &facts.direct_heirs } else { &[] }
}

/// The statements that make these members of the role through the role `between`.
fn through(between: &Ident, role: &Ident, facts: &Membership, members: &BTreeSet<&Ident>) -> Vec<Sql> {
    let mut statements = Vec::new();
    if !facts.between_exists {
        let create = Template::new("CREATE ROLE :\"role\" NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT");
        statements.push(create.ident("role", between).build());
    }
    if !facts.between_is_member {
        statements.push(of("GRANT :\"role\" TO :\"member\"", role, between));
    }
    statements.extend(members.iter().map(|member| of("GRANT :\"role\" TO :\"member\"", between, member)));
    statements.extend(replaceable(facts).iter().map(|heir| of("REVOKE :\"role\" FROM :\"member\"", role, heir)));
    statements
}

fn of(statement: &'static str, role: &Ident, member: &Ident) -> Sql {
    Template::new(statement).ident("role", role).ident("member", member).build()
}

/// The notices of who inherits a role of the rollout, and will still do so after [`statements`].
pub(crate) fn inherited(inventory: &Inventory) -> impl Iterator<Item = Notice> {
    let roles = [&inventory.logins.maintenance, &inventory.logins.auditor];
    roles.into_iter().filter_map(|(role, facts)| {
        let replaced = replaceable(&facts.membership);
        let stay = facts.membership.heirs.iter().filter(|heir| !replaced.contains(heir));
        let heirs: Vec<String> = stay.map(ToString::to_string).collect();
        (!heirs.is_empty()).then(|| Notice::Inherits { role: role.to_string(), heirs })
    })
}
