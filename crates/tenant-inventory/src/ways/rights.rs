//! Rights that policies do not limit, rights in the book-keeping, and keys that change rows by themselves.

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::TableName;

use super::facts::{ActingKey, Cascade, Facts, Held, RelationFacts};
use super::found::Analysis;
use super::logins::Unfiltered;
use super::object::{Privilege, WayObject};
use super::review::review_of_text;
use super::way::{Actor, Barrier, Reach, Reviewable, Unreadable, Way, WayVerdict};

/// The schema of the book-keeping.
const OPS: &str = "tenant_ops";

/// A right, and whether somebody has it.
type Right = (Privilege, fn(&Held) -> bool);

const PAST_POLICIES: [Right; 3] = [
    (Privilege::Truncate, |held| held.truncates),
    (Privilege::Trigger, |held| held.triggers),
    (Privilege::References, |held| held.refers),
];

const IN_OPS: [Right; 7] = [
    (Privilege::Select, |held| held.selects),
    (Privilege::Insert, |held| held.inserts),
    (Privilege::Update, |held| held.updates),
    (Privilege::Delete, |held| held.deletes),
    (Privilege::Truncate, |held| held.truncates),
    (Privilege::Trigger, |held| held.triggers),
    (Privilege::References, |held| held.refers),
];

/// TRUNCATE, TRIGGER and REFERENCES on tables that policies protect. An owner has them too, and is told apart as a role.
pub(crate) fn right_ways(analysis: &Analysis<'_>) -> Vec<Way> {
    let facts = analysis.facts;
    let tables = analysis.filter.protected.iter().filter_map(|id| facts.relations.get(id));
    let mut ways = Vec::new();
    for table in tables.filter(|table| table.row_security) {
        for (privilege, has) in PAST_POLICIES {
            let counts = |held: &Held| held.in_sight && has(held) && !is_owner(analysis, &held.role, table);
            let Some(held) = facts.held(table.id, counts) else { continue };
            ways.push(right_way(analysis, table, privilege, &held.role, facts.is_everybodys(table.id, has)));
        }
    }
    ways
}

/// Whether a role owns a table, or has the rights of its owner.
pub(crate) fn is_owner(analysis: &Analysis<'_>, role: &str, table: &RelationFacts) -> bool {
    let role = analysis.roles.named(role);
    role.is_some_and(|role| role.superuser || analysis.roles.has_rights_of(role.id, table.owner))
}

fn right_way(analysis: &Analysis<'_>, table: &RelationFacts, privilege: Privilege, role: &str, all: bool) -> Way {
    let places = &analysis.facts.places;
    let can = match privilege {
        // The function of a trigger runs as whoever writes; it may be a temporary one.
        Privilege::Trigger => places.makes_anything.is_some(),
        // A temporary table cannot reference a permanent one.
        Privilege::References => places.makes_tables.is_some(),
        _ => true,
    };
    let (reach, verdict) = if can {
        (Reach::Uses { role: role.to_owned(), privileges: vec![privilege] }, WayVerdict::Open)
    } else {
        (Reach::Cannot { why: Barrier::CannotMake }, WayVerdict::Closed)
    };
    Way {
        object: WayObject::Right { table: table.name.clone(), privilege },
        acts_as: Actor { role: role.to_owned(), why: Unfiltered::NotLimited },
        tables: vec![table.name.clone()],
        chain: Vec::new(),
        reach,
        verdict,
        closing: Some(format!("REVOKE {privilege} ON {} FROM {}", table.printed, grantee(analysis, role, all))),
        review: Reviewable::NotCode,
    }
}

/// From whom a right is to be taken: the role, or everybody.
pub(crate) fn grantee(analysis: &Analysis<'_>, role: &str, all: bool) -> String {
    match analysis.roles.named(role) {
        _ if all => "PUBLIC".to_owned(),
        Some(role) => role.printed.clone(),
        None => role.to_owned(),
    }
}

/// Rights of the login in the book-keeping, which holds keys of rows of each tenant and what is done with them.
pub(crate) fn ops_ways(analysis: &Analysis<'_>) -> Vec<Way> {
    let facts = analysis.facts;
    let mut ways = Vec::new();
    for table in facts.relations.values().filter(|relation| relation.name.schema().as_str() == OPS) {
        let any = |held: &Held| held.in_sight && IN_OPS.iter().any(|(_, has)| has(held));
        let counts = |held: &Held| any(held) && !is_owner(analysis, &held.role, table);
        let Some(held) = facts.held(table.id, counts) else { continue };
        let privileges = IN_OPS.iter().filter(|(_, has)| has(held)).map(|(privilege, _)| *privilege).collect();
        let from = grantee(
            analysis,
            &held.role,
            facts.is_everybodys(table.id, |held| IN_OPS.iter().any(|(_, has)| has(held))),
        );
        let closing = format!("REVOKE ALL ON {} FROM {from}", table.printed);
        ways.push(ops_way(table.name.to_string(), &held.role, privileges, closing));
    }
    for function in &facts.places.ops_functions {
        if owns_everything(analysis, &function.role) || ways.iter().any(|way| way.review_name() == function.signature) {
            continue;
        }
        let from = grantee(analysis, &function.role, function.everybody);
        let closing = format!("REVOKE EXECUTE ON ROUTINE {} FROM {from}", function.signature);
        ways.push(ops_way(function.signature.clone(), &function.role, vec![Privilege::Execute], closing));
    }
    if let Some(role) = facts.places.makes_in_ops.as_ref().filter(|role| !owns_everything(analysis, role)) {
        let closing = format!("REVOKE CREATE ON SCHEMA {OPS} FROM {}", grantee(analysis, role, false));
        ways.push(ops_way(OPS.to_owned(), role, vec![Privilege::Create], closing));
    }
    ways
}

/// Whether a role owns the book-keeping, as the login of a team with one login does.
fn owns_everything(analysis: &Analysis<'_>, role: &str) -> bool {
    let tables = analysis.facts.relations.values().filter(|relation| relation.name.schema().as_str() == OPS);
    let mut tables = tables.peekable();
    tables.peek().is_some() && tables.all(|table| is_owner(analysis, role, table))
}

fn ops_way(name: String, role: &str, privileges: Vec<Privilege>, closing: String) -> Way {
    Way {
        object: WayObject::Ops { name },
        acts_as: Actor { role: role.to_owned(), why: Unfiltered::NoPolicies },
        tables: Vec::new(),
        chain: Vec::new(),
        reach: Reach::Uses { role: role.to_owned(), privileges },
        verdict: WayVerdict::Open,
        closing: Some(closing),
        review: Reviewable::NotCode,
    }
}

/// Rights to delete or change rows that belong to nobody, where foreign keys then delete or change rows of all tenants. The tenant table is
/// among them: who deletes a tenant deletes its rows.
pub(crate) fn shared_parent_ways(analysis: &Analysis<'_>) -> Vec<Way> {
    let facts = analysis.facts;
    let protected = |id: &i64| analysis.filter.protected.contains(id);
    let mut acting: BTreeMap<(i64, Privilege), Vec<&Cascade>> = BTreeMap::new();
    for key in facts.cascades.iter().filter(|key| protected(&key.child) && !protected(&key.parent)) {
        for (acts, privilege) in [(key.on_delete, Privilege::Delete), (key.on_update, Privilege::Update)] {
            if acts && holder(analysis, key, privilege).is_some() {
                acting.entry((key.parent, privilege)).or_default().push(key);
            }
        }
    }
    let ways = acting.into_iter().filter_map(|((parent, privilege), keys)| {
        shared_parent_way(analysis, facts.relations.get(&parent)?, privilege, &keys)
    });
    ways.collect()
}

/// The right of the login's that makes a key act, if it has it.
fn holder<'a>(analysis: &Analysis<'a>, key: &Cascade, privilege: Privilege) -> Option<&'a Held> {
    let facts = analysis.facts;
    let child = facts.relations.get(&key.child)?;
    let has = |held: &Held| match privilege {
        Privilege::Update => held.updates && key.updaters.contains(&held.role),
        _ => held.deletes,
    };
    facts.held(key.parent, |held: &Held| held.in_sight && has(held) && !is_owner(analysis, &held.role, child))
}

fn shared_parent_way(
    analysis: &Analysis<'_>,
    parent: &RelationFacts,
    privilege: Privilege,
    keys: &[&Cascade],
) -> Option<Way> {
    let facts = analysis.facts;
    let role = &holder(analysis, keys.first()?, privilege)?.role;
    let has: fn(&Held) -> bool = match privilege {
        Privilege::Update => |held| held.updates,
        _ => |held| held.deletes,
    };
    let way = right_way(analysis, parent, privilege, role, facts.is_everybodys(parent.id, has));
    // The application goes on changing the columns that no key references.
    let spared = keys.first()?.others.iter().filter(|column| keys.iter().all(|key| key.others.contains(column)));
    let spared: Vec<&str> = spared.map(String::as_str).collect();
    let closing = way.closing.as_ref().map(|revoke| match privilege {
        Privilege::Update if !spared.is_empty() => {
            let (columns, from) = (spared.join(", "), grantee(analysis, role, false));
            format!("{revoke}; GRANT UPDATE ({columns}) ON {} TO {from}", parent.printed)
        }
        _ => revoke.clone(),
    });
    let tables = keys.iter().filter_map(|key| facts.relations.get(&key.child)).map(|child| child.name.clone());
    let tables: Vec<TableName> = tables.collect::<BTreeSet<_>>().into_iter().collect();
    Some(Way {
        verdict: parents_verdict(parent),
        acts_as: Actor { role: "the server".to_owned(), why: Unfiltered::ReferentialAction },
        // What a review of policies would be pinned to is not read.
        review: if parent.row_security {
            Reviewable::NotCode
        } else {
            review_of_keys(analysis, &parent.name, privilege, keys)
        },
        tables,
        closing,
        ..way
    })
}

/// A review of a right is pinned to the keys that act on it: one more of them is another state.
fn review_of_keys(analysis: &Analysis<'_>, parent: &TableName, privilege: Privilege, keys: &[&Cascade]) -> Reviewable {
    let of_key = |key: &&Cascade| {
        let child = analysis.facts.relations.get(&key.child)?;
        Some(format!("{} {}", child.name, key.definition))
    };
    let mut definitions: Vec<String> = keys.iter().filter_map(of_key).collect();
    definitions.sort();
    review_of_text(&parent.to_string(), &privilege.to_string(), &definitions.join("\n"))
}

/// What is known of a right on a table that keys reference: its own policies may leave the login only its tenant's row.
fn parents_verdict(parent: &RelationFacts) -> WayVerdict {
    if !parent.row_security {
        return WayVerdict::Open;
    }
    WayVerdict::NeedsReview { why: Unreadable::Policies { table: parent.name.to_string() } }
}

/// Foreign keys between tenant tables through which a change of one row changes rows of another tenant, where they reference it.
pub(crate) fn key_ways(analysis: &Analysis<'_>) -> Vec<Way> {
    let facts = analysis.facts;
    let keys = facts.keys.iter().filter(|key| !key.keeps_tenant);
    let ways =
        keys.filter_map(|key| key_way(facts, key, facts.relations.get(&key.child)?, facts.relations.get(&key.parent)?));
    ways.collect()
}

fn key_way(facts: &Facts, key: &ActingKey, child: &RelationFacts, parent: &RelationFacts) -> Option<Way> {
    let changes = |held: &Held| held.in_sight && (held.updates || key.on_delete && held.deletes);
    let (reach, verdict) = match facts.held(parent.id, changes) {
        Some(held) => {
            let (role, table) = (held.role.clone(), parent.name.clone());
            (Reach::Fires { role, table, chain: Vec::new() }, WayVerdict::NeedsData)
        }
        None => (Reach::Cannot { why: Barrier::CannotChangeParent }, WayVerdict::Closed),
    };
    Some(Way {
        object: WayObject::CascadingKey {
            table: child.name.clone(),
            name: key.name.clone(),
            columns: key.columns.clone(),
            tenant: key.child_tenant.clone(),
            parent: parent.name.clone(),
            referenced: key.referenced.clone(),
            parent_tenant: key.parent_tenant.clone(),
            validated: key.validated,
        },
        acts_as: Actor { role: "the server".to_owned(), why: Unfiltered::ReferentialAction },
        tables: vec![child.name.clone()],
        chain: Vec::new(),
        reach,
        verdict,
        closing: Some(format!("ALTER TABLE {} DROP CONSTRAINT {}", child.printed, key.printed)),
        review: Reviewable::NotCode,
    })
}
