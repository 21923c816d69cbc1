//! Rights to delete or change rows that belong to nobody, where foreign keys then delete or change rows of all tenants, directly or one after
//! another. The tenant table is among them: who deletes a tenant deletes its rows.

use std::collections::{BTreeSet, VecDeque};

use tenancy_config::TableName;

use super::facts::{Cascade, RelationFacts};
use super::found::Analysis;
use super::logins::Unfiltered;
use super::object::Privilege;
use super::passing::{Passed, has, passed_to};
use super::review::review_of_text;
use super::rights::{granted, is_owner, right_way};
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

/// A right to delete or change rows of a table, directly or by a view.
struct Right<'a> {
    role: &'a str,
    privilege: Privilege,
    /// What the right is on.
    on: &'a RelationFacts,
    /// The table.
    parent: &'a RelationFacts,
    by_view: Option<Passed<'a>>,
}

/// One way for each right that the login has.
pub(crate) fn shared_parent_ways(analysis: &Analysis<'_>) -> Vec<Way> {
    let rights = [Privilege::Delete, Privilege::Update];
    let of_tables = rights.into_iter().flat_map(|privilege| of_tables(analysis, privilege));
    let of_views = rights.into_iter().flat_map(|privilege| of_views(analysis, privilege));
    let rights = of_tables.chain(of_views).filter(|right| !analysis.filter.protected.contains(&right.parent.id));
    // Of the roles that have the right on the same thing the first counts.
    let mut known = BTreeSet::new();
    let ways = rights.filter_map(|right| {
        let way = (!known.contains(&(right.on.id, right.privilege))).then(|| way(analysis, &right)).flatten()?;
        known.insert((right.on.id, right.privilege));
        Some(way)
    });
    let mut ways: Vec<Way> = ways.collect();
    ways.sort_by_key(Way::review_name);
    ways
}

fn of_tables<'a>(analysis: &'a Analysis<'_>, privilege: Privilege) -> impl Iterator<Item = Right<'a>> {
    let facts = analysis.facts;
    let parents: BTreeSet<i64> = facts.cascades.iter().map(|key| key.parent).collect();
    parents.into_iter().filter_map(|id| facts.relations.get(&id)).flat_map(move |table| {
        let held = facts.rights.get(&table.id).into_iter().flatten();
        let held = held.filter(move |held| held.in_sight && has(privilege, held));
        held.map(move |held| Right { role: &held.role, privilege, on: table, parent: table, by_view: None })
    })
}

fn of_views<'a>(analysis: &'a Analysis<'_>, privilege: Privilege) -> impl Iterator<Item = Right<'a>> {
    passed_to(analysis.facts, privilege).map(move |passed| Right {
        role: passed.role,
        privilege,
        on: passed.view,
        parent: passed.table,
        by_view: Some(passed),
    })
}

fn way(analysis: &Analysis<'_>, right: &Right<'_>) -> Option<Way> {
    let facts = analysis.facts;
    let Reached { keys, children } = reached(analysis, right);
    if keys.is_empty() {
        return None;
    }
    let names = children.iter().filter_map(|child| facts.relations.get(child)).map(|child| child.name.clone());
    let tables: Vec<TableName> = names.collect::<BTreeSet<_>>().into_iter().collect();
    Some(Way {
        verdict: parents_verdict(right.parent),
        acts_as: Actor { role: "the server".to_owned(), why: Unfiltered::ReferentialAction },
        chain: right.by_view.as_ref().map(Passed::chain).unwrap_or_default(),
        // What a review of policies would be pinned to is not read.
        review: if right.parent.row_security { Reviewable::NotCode } else { review_of_keys(analysis, right, &keys) },
        tables,
        closing: Some(closing(analysis, right, &keys)),
        ..right_way(analysis, right.on, right.privilege, right.role)
    })
}

/// Follows the keys that act when a right is used, to the tables that policies protect.
fn reached<'a>(analysis: &Analysis<'a>, right: &Right<'_>) -> Reached<'a> {
    let facts = analysis.facts;
    let first = |key: &Cascade| match right.privilege {
        Privilege::Update => (key.on_update && right.changes(key)).then(|| RowEvent::Changed(key.columns.clone())),
        _ => goes_on(key, &RowEvent::Deleted),
    };
    let keys_of = |table: i64| facts.cascades.iter().filter(move |key| key.parent == table);
    let mut open: VecDeque<(Vec<&Cascade>, RowEvent)> =
        keys_of(right.parent.id).filter_map(|key| Some((vec![key], first(key)?))).collect();
    let (mut reached, mut seen) = (Reached::default(), BTreeSet::new());
    while let Some((path, event)) = open.pop_front() {
        let Some(child) = path.last().map(|key| key.child) else { continue };
        if analysis.filter.protected.contains(&child) {
            let owns = facts.relations.get(&child).is_none_or(|child| is_owner(analysis, right.role, child));
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

impl Right<'_> {
    /// Whether it changes a column that a key references.
    fn changes(&self, key: &Cascade) -> bool {
        match &self.by_view {
            None => key.updaters.iter().any(|of| of == self.role),
            Some(passed) => passed.columns.iter().any(|(_, column)| key.referenced.contains(column)),
        }
    }

    /// The columns that it changes and none of these keys references, as a statement has them.
    fn spared(&self, keys: &[&Cascade]) -> Vec<String> {
        let own: Vec<&&Cascade> = keys.iter().filter(|key| key.parent == self.parent.id).collect();
        if let Some(passed) = &self.by_view {
            let referenced = |column: &i16| own.iter().any(|key| key.referenced.contains(column));
            let names: BTreeSet<&str> =
                passed.columns.iter().filter(|(_, c)| referenced(c)).map(|(name, _)| *name).collect();
            let others = passed.columns.iter().filter(|(name, _)| !names.contains(name));
            return others.map(|(name, _)| (*name).to_owned()).collect();
        }
        let others = own.first().map(|key| key.others.as_slice()).unwrap_or_default();
        others.iter().filter(|column| own.iter().all(|key| key.others.contains(column))).cloned().collect()
    }
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
fn closing(analysis: &Analysis<'_>, right: &Right<'_>, keys: &[&Cascade]) -> String {
    let (privilege, on) = (right.privilege, &right.on.printed);
    let from = granted(analysis, right.on, &[privilege], right.role);
    let revoke = from.revoke(format_args!("{privilege} ON {on}"));
    let spared = if privilege == Privilege::Update { right.spared(keys) } else { Vec::new() };
    if spared.is_empty() {
        return revoke;
    }
    let again = from.grant(format_args!("UPDATE ({}) ON {on}", spared.join(", ")));
    [revoke].into_iter().chain(again).collect::<Vec<_>>().join("; ")
}

/// A review of a right is pinned to the keys that act on it, and to the views: one more of them is another state. A new partition brings none.
fn review_of_keys(analysis: &Analysis<'_>, right: &Right<'_>, keys: &[&Cascade]) -> Reviewable {
    let of_key = |key: &&Cascade| {
        let child = analysis.facts.relations.get(&key.child)?;
        Some(format!("{} {}", child.name, key.definition))
    };
    let definitions: BTreeSet<String> = keys.iter().filter(|key| !key.of_partition).filter_map(of_key).collect();
    let views = right.by_view.as_ref().map(|passed| passed.definitions(analysis.facts)).unwrap_or_default();
    let definitions: Vec<String> = definitions.into_iter().chain(views).collect();
    review_of_text(&right.on.name.to_string(), &right.privilege.to_string(), &definitions.join("\n"))
}

/// What is known of a right on a table that keys reference: its own policies may leave the login only its tenant's row.
fn parents_verdict(parent: &RelationFacts) -> WayVerdict {
    if !parent.row_security {
        return WayVerdict::Open;
    }
    WayVerdict::NeedsReview { why: Unreadable::Policies { table: parent.name.to_string() } }
}
