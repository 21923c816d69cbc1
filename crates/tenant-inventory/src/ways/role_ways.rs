//! Roles that the login is or can become, and that the policies do not hold.

use std::collections::{BTreeMap, BTreeSet};

use super::found::Analysis;
use super::logins::Unfiltered;
use super::object::WayObject;
use super::roles::{Reached, Role, RoleStep};
use super::way::{Actor, Reach, Reviewable, Way, WayVerdict};

/// The first version in which CREATEROLE alone does not make a role a member of others.
const ADMIN_OPTION_DECIDES: i32 = 160_000;

/// The ways. `ours` are the rollout's roles, whose policies show them rows of each tenant.
pub(crate) fn role_ways(
    analysis: &Analysis<'_>,
    reached: &[Reached],
    ours: &BTreeMap<&str, Unfiltered>,
    version: i32,
) -> Vec<Way> {
    let mut ways: Vec<(i64, Way)> = Vec::new();
    for reached in reached {
        let Some(role) = analysis.roles.get(reached.id) else { continue };
        for way in of_role(analysis, reached, role, ours, version) {
            // What a role is by the rights that it inherits is told once, and not again of the role that it inherits them from.
            let is_told = ways.iter().any(|(by, told)| {
                told.acts_as.why == way.acts_as.why
                    && told.tables == way.tables
                    && analysis.roles.inherited(*by).contains(&reached.id)
            });
            let is_inherited = matches!(way.acts_as.why, Unfiltered::ServerRole { .. } | Unfiltered::OwnerOf { .. });
            if !(is_told && is_inherited) {
                ways.push((reached.id, way));
            }
        }
    }
    ways.into_iter().map(|(_, way)| way).collect()
}

fn of_role(
    analysis: &Analysis<'_>,
    reached: &Reached,
    role: &Role,
    ours: &BTreeMap<&str, Unfiltered>,
    version: i32,
) -> Vec<Way> {
    let way = |why: Unfiltered, tables: &BTreeSet<i64>, verdict: WayVerdict| Way {
        closing: closing(analysis, reached, role, &why, tables),
        object: WayObject::Role { role: role.name.clone() },
        acts_as: Actor { role: role.name.clone(), why },
        tables: analysis.names(tables),
        chain: Vec::new(),
        reach: Reach::Acts { steps: reached.steps.clone() },
        verdict,
        review: Reviewable::NotCode,
    };
    let none = BTreeSet::new();
    let all = analysis.filter.protected;
    if let Some(why) = analysis.filter.by_attribute(role.id) {
        return vec![way(why, all, WayVerdict::Open)];
    }
    let mut ways = Vec::new();
    if let Some(why) = ours.get(role.name.as_str()) {
        ways.push(way(why.clone(), &none, WayVerdict::Open));
    }
    if role.replication {
        ways.push(way(Unfiltered::Replication, all, WayVerdict::Open));
    }
    if role.create_role && version < ADMIN_OPTION_DECIDES {
        ways.push(way(Unfiltered::CreateRole, all, WayVerdict::Open));
    }
    if let Some(server) = analysis.filter.server_role(role.id) {
        ways.push(way(Unfiltered::ServerRole { role: server }, all, WayVerdict::Open));
    }
    ways.extend(by_tables(analysis, role, ours).into_iter().map(|(why, tables, verdict)| way(why, &tables, verdict)));
    ways
}

/// The tables that a role owns, or where a policy that is not ours lets it through.
fn by_tables(
    analysis: &Analysis<'_>,
    role: &Role,
    ours: &BTreeMap<&str, Unfiltered>,
) -> Vec<(Unfiltered, BTreeSet<i64>, WayVerdict)> {
    let (mut unforced, mut forced, mut let_through) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut owner_why, mut policy_why) = (None, None);
    for table in analysis.filter.protected {
        let Some(relation) = analysis.facts.relations.get(table) else { continue };
        match analysis.filter.why(role.id, *table) {
            Some(why @ Unfiltered::OwnerOf { .. }) => {
                unforced.insert(*table);
                owner_why.get_or_insert(why);
            }
            // The policies that hold for the login are findings of their tables.
            Some(why @ Unfiltered::LetThrough { .. })
                if role.name != analysis.login && !ours.contains_key(role.name.as_str()) =>
            {
                let_through.insert(*table);
                policy_why.get_or_insert(why);
            }
            _ if analysis.roles.has_rights_of(role.id, relation.owner) => {
                forced.insert(*table);
            }
            _ => {}
        }
    }
    let named = |set: &BTreeSet<i64>| analysis.names(set).first().map(ToString::to_string).unwrap_or_default();
    let forced_why = Unfiltered::OwnerOf { table: named(&forced) };
    let forced = (!forced.is_empty()).then_some((forced_why, forced, WayVerdict::CanSwitchOff));
    let unforced = owner_why.map(|why| (why, unforced, WayVerdict::Open));
    let let_through = policy_why.map(|why| (why, let_through, WayVerdict::Open));
    [unforced, let_through, forced].into_iter().flatten().collect()
}

fn closing(
    analysis: &Analysis<'_>,
    reached: &Reached,
    role: &Role,
    why: &Unfiltered,
    tables: &BTreeSet<i64>,
) -> Option<String> {
    // The membership that the last step used.
    let member = match reached.steps.len() {
        0 | 1 => analysis.login.to_owned(),
        several => match &reached.steps[several - 2] {
            RoleStep::Set { role } | RoleStep::Grant { role } => role.clone(),
        },
    };
    let printed = |name: &str| analysis.roles.named(name).map_or_else(|| name.to_owned(), |role| role.printed.clone());
    if !reached.steps.is_empty() {
        return Some(format!("REVOKE {} FROM {}", role.printed, printed(&member)));
    }
    let attribute = match why {
        Unfiltered::Superuser => "NOSUPERUSER",
        Unfiltered::BypassRls => "NOBYPASSRLS",
        Unfiltered::Replication => "NOREPLICATION",
        Unfiltered::CreateRole => "NOCREATEROLE",
        Unfiltered::ServerRole { role: server } => {
            return analysis.roles.end_of_membership(role.id, analysis.roles.named(server)?.id);
        }
        Unfiltered::OwnerOf { .. } => {
            let owner = tables.iter().find_map(|id| analysis.facts.relations.get(id))?.owner;
            return analysis.roles.end_of_membership(role.id, owner).filter(|_| owner != role.id);
        }
        _ => return None,
    };
    Some(format!("ALTER ROLE {} {attribute}", role.printed))
}
