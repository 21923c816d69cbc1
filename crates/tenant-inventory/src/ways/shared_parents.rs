//! Rights to delete or change rows that belong to nobody, where foreign keys then delete or change rows of all tenants, directly or one after
//! another. The tenant table is among them: who deletes a tenant deletes its rows.

use std::collections::{BTreeSet, VecDeque};

use tenancy_config::TableName;

use super::facts::{Cascade, Held, RelationFacts};
use super::found::Analysis;
use super::logins::Unfiltered;
use super::object::Privilege;
use super::review::review_of_text;
use super::rights::{grantee, is_owner, right_way};
use super::way::{Actor, Reviewable, Unreadable, Way, WayVerdict};

/// What happens to rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum RowEvent {
    Deleted,
    /// These columns get other values.
    Changed(Vec<i16>),
}

/// What a right reaches by foreign keys.
#[derive(Debug, Default)]
struct Reached<'a> {
    /// The keys that lead to protected tables.
    keys: Vec<&'a Cascade>,
    children: BTreeSet<i64>,
}

/// One way for each right that the login has.
pub(crate) fn shared_parent_ways(analysis: &Analysis<'_>) -> Vec<Way> {
    let facts = analysis.facts;
    let parents: BTreeSet<i64> = facts.cascades.iter().map(|key| key.parent).collect();
    let shared = parents.into_iter().filter(|id| !analysis.filter.protected.contains(id));
    let rights = shared.flat_map(|parent| [(parent, Privilege::Delete), (parent, Privilege::Update)]);
    rights.filter_map(|(parent, privilege)| way(analysis, facts.relations.get(&parent)?, privilege)).collect()
}

fn way(analysis: &Analysis<'_>, parent: &RelationFacts, privilege: Privilege) -> Option<Way> {
    let facts = analysis.facts;
    let has: fn(&Held) -> bool = match privilege {
        Privilege::Update => |held| held.updates,
        _ => |held| held.deletes,
    };
    let counts = |held: &Held| {
        held.in_sight && has(held) && !reached(analysis, parent.id, privilege, &held.role).keys.is_empty()
    };
    let role = &facts.held(parent.id, counts)?.role;
    let Reached { keys, children } = reached(analysis, parent.id, privilege, role);
    let way = right_way(analysis, parent, privilege, role, facts.is_everybodys(parent.id, has));
    let names = children.iter().filter_map(|child| facts.relations.get(child)).map(|child| child.name.clone());
    let tables: Vec<TableName> = names.collect::<BTreeSet<_>>().into_iter().collect();
    let closing = way.closing.as_ref().map(|revoke| closing(analysis, parent, privilege, role, &keys, revoke));
    Some(Way {
        verdict: parents_verdict(parent),
        acts_as: Actor { role: "the server".to_owned(), why: Unfiltered::ReferentialAction },
        // What a review of policies would be pinned to is not read.
        review: if parent.row_security {
            Reviewable::NotCode
        } else {
            review_of_keys(analysis, &parent.name, privilege, &keys)
        },
        tables,
        closing,
        ..way
    })
}

/// Follows the keys that act when a role uses a right, to the tables that policies protect.
fn reached<'a>(analysis: &Analysis<'a>, parent: i64, privilege: Privilege, role: &str) -> Reached<'a> {
    let facts = analysis.facts;
    let first = |key: &Cascade| match privilege {
        // The role must have the right on a column that the key references.
        Privilege::Update => {
            (key.on_update && key.updaters.iter().any(|of| of == role)).then(|| RowEvent::Changed(key.columns.clone()))
        }
        _ => goes_on(key, &RowEvent::Deleted),
    };
    let keys_of = |table: i64| facts.cascades.iter().filter(move |key| key.parent == table);
    let mut open: VecDeque<(Vec<&Cascade>, RowEvent)> =
        keys_of(parent).filter_map(|key| Some((vec![key], first(key)?))).collect();
    let (mut reached, mut seen) = (Reached::default(), BTreeSet::new());
    while let Some((path, event)) = open.pop_front() {
        let Some(child) = path.last().map(|key| key.child) else { continue };
        if analysis.filter.protected.contains(&child) {
            let owns = facts.relations.get(&child).is_none_or(|child| is_owner(analysis, role, child));
            if !owns {
                reached.children.insert(child);
                reached.keys.extend(path);
            }
        } else if seen.insert((child, event.clone())) {
            for key in keys_of(child) {
                let further = goes_on(key, &event);
                open.extend(further.map(|event| (path.iter().copied().chain([key]).collect(), event)));
            }
        }
    }
    reached
}

/// What a key does to the rows of its table when something happens to those that it references; none where it does nothing.
fn goes_on(key: &Cascade, event: &RowEvent) -> Option<RowEvent> {
    let changes = || RowEvent::Changed(key.columns.clone());
    match event {
        RowEvent::Deleted if key.on_delete && key.deletes => Some(RowEvent::Deleted),
        RowEvent::Deleted => key.on_delete.then(changes),
        RowEvent::Changed(columns) => {
            (key.on_update && key.referenced.iter().any(|column| columns.contains(column))).then(changes)
        }
    }
}

/// The statement that takes the right. The application goes on changing the columns that no key references.
fn closing(
    analysis: &Analysis<'_>,
    parent: &RelationFacts,
    privilege: Privilege,
    role: &str,
    keys: &[&Cascade],
    revoke: &str,
) -> String {
    let own: Vec<&&Cascade> = keys.iter().filter(|key| key.parent == parent.id).collect();
    let others = own.first().map(|key| key.others.as_slice()).unwrap_or_default();
    let spared = others.iter().filter(|column| own.iter().all(|key| key.others.contains(column)));
    let spared: Vec<&str> = spared.map(String::as_str).collect();
    if privilege != Privilege::Update || spared.is_empty() {
        return revoke.to_owned();
    }
    let (columns, to) = (spared.join(", "), grantee(analysis, role, false));
    format!("{revoke}; GRANT UPDATE ({columns}) ON {} TO {to}", parent.printed)
}

/// A review of a right is pinned to the keys that act on it: one more of them is another state. A new partition brings none.
fn review_of_keys(analysis: &Analysis<'_>, parent: &TableName, privilege: Privilege, keys: &[&Cascade]) -> Reviewable {
    let of_key = |key: &&Cascade| {
        let child = analysis.facts.relations.get(&key.child)?;
        Some(format!("{} {}", child.name, key.definition))
    };
    let definitions: BTreeSet<String> = keys.iter().filter(|key| !key.of_partition).filter_map(of_key).collect();
    let definitions: Vec<String> = definitions.into_iter().collect();
    review_of_text(&parent.to_string(), &privilege.to_string(), &definitions.join("\n"))
}

/// What is known of a right on a table that keys reference: its own policies may leave the login only its tenant's row.
fn parents_verdict(parent: &RelationFacts) -> WayVerdict {
    if !parent.row_security {
        return WayVerdict::Open;
    }
    WayVerdict::NeedsReview { why: Unreadable::Policies { table: parent.name.to_string() } }
}
