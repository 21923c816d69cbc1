//! Rights that policies do not limit, rights in the book-keeping, and keys that change rows by themselves.

use super::facts::{ActingKey, GrantedOn, Held, RelationFacts};
use super::found::Analysis;
use super::granted::Granted;
use super::logins::Unfiltered;
use super::object::{Privilege, WayObject};
use super::passing::passed_to;
use super::way::{Actor, Barrier, Reach, Reviewable, Way, WayVerdict};

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
            ways.push(right_way(analysis, table, privilege, &held.role));
        }
    }
    ways
}

/// Whether a role owns a table, or has the rights of its owner.
pub(crate) fn is_owner(analysis: &Analysis<'_>, role: &str, table: &RelationFacts) -> bool {
    let role = analysis.roles.named(role);
    role.is_some_and(|role| role.superuser || analysis.roles.has_rights_of(role.id, table.owner))
}

pub(crate) fn right_way(analysis: &Analysis<'_>, table: &RelationFacts, privilege: Privilege, role: &str) -> Way {
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
        closing: Some(
            granted(analysis, table, &[privilege], role).revoke(format_args!("{privilege} ON {}", table.printed)),
        ),
        review: Reviewable::NotCode,
    }
}

/// From what a role has rights on a table or view.
pub(crate) fn granted(
    analysis: &Analysis<'_>,
    relation: &RelationFacts,
    privileges: &[Privilege],
    role: &str,
) -> Granted {
    Granted::of(analysis, GrantedOn::Relation(relation.id), relation.owner, privileges, role)
}

/// Rights of the login in the book-keeping, which holds keys of rows of each tenant and what is done with them.
pub(crate) fn ops_ways(analysis: &Analysis<'_>) -> Vec<Way> {
    let facts = analysis.facts;
    let mut ways = Vec::new();
    for table in facts.relations.values().filter(|relation| relation.name.schema().as_str() == OPS) {
        let any = |held: &Held| held.in_sight && IN_OPS.iter().any(|(_, has)| has(held));
        let counts = |held: &Held| any(held) && !is_owner(analysis, &held.role, table);
        let Some(held) = facts.held(table.id, counts) else { continue };
        let privileges: Vec<Privilege> =
            IN_OPS.iter().filter(|(_, has)| has(held)).map(|(privilege, _)| *privilege).collect();
        let from = granted(analysis, table, &privileges, &held.role);
        let closing = from.revoke(format_args!("ALL ON {}", table.printed));
        ways.push(ops_way(table.name.to_string(), &held.role, privileges, closing));
    }
    for function in &facts.places.ops_functions {
        if owns_everything(analysis, &function.role) || ways.iter().any(|way| way.review_name() == function.signature) {
            continue;
        }
        let on = GrantedOn::Function(function.id);
        let from = Granted::of(analysis, on, function.owner, &[Privilege::Execute], &function.role);
        let closing = from.revoke(format_args!("EXECUTE ON ROUTINE {}", function.signature));
        ways.push(ops_way(function.signature.clone(), &function.role, vec![Privilege::Execute], closing));
    }
    if let (Some(schema), Some(role)) = (&facts.places.ops, &facts.places.makes_in_ops)
        && !owns_everything(analysis, role)
    {
        let from = Granted::of(analysis, GrantedOn::Schema(schema.id), schema.owner, &[Privilege::Create], role);
        let closing = from.revoke(format_args!("CREATE ON SCHEMA {OPS}"));
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

/// Foreign keys between tenant tables through which a change of one row changes rows of another tenant, where they reference it.
pub(crate) fn key_ways(analysis: &Analysis<'_>) -> Vec<Way> {
    let facts = analysis.facts;
    let keys = facts.keys.iter().filter(|key| !key.keeps_tenant);
    let ways = keys
        .filter_map(|key| key_way(analysis, key, facts.relations.get(&key.child)?, facts.relations.get(&key.parent)?));
    ways.collect()
}

fn key_way(analysis: &Analysis<'_>, key: &ActingKey, child: &RelationFacts, parent: &RelationFacts) -> Option<Way> {
    let closed = |why: Barrier| (Reach::Cannot { why }, WayVerdict::Closed);
    let (reach, verdict) = match (&key.kept_by, changes_parent(analysis, key, parent)) {
        (Some(other), _) => closed(Barrier::KeptByKey { name: other.clone() }),
        (None, Some(reach)) => (reach, WayVerdict::NeedsData),
        (None, None) => closed(Barrier::CannotChangeParent),
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

/// How the login deletes or changes what a key references, in the table itself or by a view.
fn changes_parent(analysis: &Analysis<'_>, key: &ActingKey, parent: &RelationFacts) -> Option<Reach> {
    let facts = analysis.facts;
    let changes = |held: &Held| held.in_sight && (held.updates || key.on_delete && held.deletes);
    if let Some(held) = facts.held(parent.id, changes) {
        return Some(Reach::Fires { role: held.role.clone(), table: parent.name.clone(), chain: Vec::new() });
    }
    let rights = [(Privilege::Delete, key.on_delete), (Privilege::Update, true)];
    let mut passed = rights.iter().filter(|(_, acts)| *acts).flat_map(|(privilege, _)| passed_to(facts, *privilege));
    let passed = passed.find(|passed| passed.table.id == parent.id)?;
    let (role, table) = (passed.role.to_owned(), passed.view.name.clone());
    Some(Reach::Fires { role, table, chain: passed.chain() })
}
