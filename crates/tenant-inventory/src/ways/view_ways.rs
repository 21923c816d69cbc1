//! Views, materialized views and foreign tables that lead past the policies.

use std::collections::BTreeMap;

use super::facts::{Held, RelationFacts};
use super::found::{Analysis, Found};
use super::graph::What;
use super::node::Node;
use super::object::{Privilege, WayObject};
use super::review::{Definitions, ObjectText, review_of_text};
use super::rights::granted;
use super::way::{Barrier, Reach, Unreadable, Way, WayVerdict};

/// What `pg_relation_is_updatable` says.
const PASSES_UPDATE: i32 = 4;
const PASSES_INSERT: i32 = 8;
const PASSES_DELETE: i32 = 16;

/// What each view reaches, by its number.
pub(crate) fn reaching_views(analysis: &Analysis<'_>) -> BTreeMap<i64, Found> {
    let views = analysis.facts.relations.values().filter(|relation| ["v", "m", "f"].contains(&relation.kind.as_str()));
    views.filter_map(|view| Some((view.id, analysis.found(Node::Relation(view.id))?))).collect()
}

/// Those of the views that show tables of other servers.
pub(crate) fn foreign(analysis: &Analysis<'_>, views: &[i64]) -> Vec<i64> {
    let shows = |view: &i64| {
        let mut touches = analysis.graph.of(Node::Relation(*view));
        touches.any(|touch| matches!(touch.what, What::Foreign(_)))
    };
    views.iter().copied().filter(shows).collect()
}

/// The ways.
pub(crate) fn view_ways(analysis: &Analysis<'_>, views: BTreeMap<i64, Found>, definitions: &Definitions) -> Vec<Way> {
    let views = views.into_iter().filter_map(|(id, found)| Some((analysis.facts.relations.get(&id)?, found)));
    views.map(|(view, found)| way(analysis, view, found, &definitions.relation(view.id))).collect()
}

fn way(analysis: &Analysis<'_>, view: &RelationFacts, found: Found, definition: &ObjectText) -> Way {
    let (reach, verdict) = judge(analysis, view, &found, definition);
    let name = view.name.clone();
    let object = match view.kind.as_str() {
        "m" => WayObject::MaterializedView { name },
        "f" => WayObject::ForeignTable { name, wrapper: view.wrapper.clone().unwrap_or_default() },
        _ => WayObject::View { name },
    };
    let review = review_of_text(&view.name.to_string(), &analysis.roles.name(view.owner), &definition.text);
    Way {
        object,
        tables: analysis.names(&found.tables),
        chain: analysis.chain(&found.path),
        closing: closing(analysis, view, &found, &reach),
        acts_as: found.actor,
        reach,
        verdict,
        review,
    }
}

/// How the login uses a view, and what that shows. Of its roles the one that gets furthest counts.
fn judge(analysis: &Analysis<'_>, view: &RelationFacts, found: &Found, definition: &ObjectText) -> (Reach, WayVerdict) {
    let mut best = (Reach::Cannot { why: Barrier::NoRight }, WayVerdict::Closed);
    let rights = analysis.facts.rights.get(&view.id).into_iter().flatten();
    for held in rights.filter(|held| held.in_sight) {
        let privileges = used(held);
        if privileges.is_empty() {
            continue;
        }
        let verdict = by_rights(analysis, view, found, definition, held);
        let better = match (&best.1, &verdict) {
            (_, WayVerdict::Closed) => false,
            (WayVerdict::Closed, _) => true,
            (WayVerdict::NeedsAttempt { .. }, verdict) => matches!(verdict, WayVerdict::Open),
            _ => false,
        };
        if better {
            best = (Reach::Uses { role: held.role.clone(), privileges }, verdict);
        } else if matches!(best.0, Reach::Cannot { .. }) {
            let unmapped = view.kind == "f" && view.wrapper.as_deref() == Some("postgres_fdw") && !view.mapped;
            best.0 = Reach::Cannot { why: if unmapped { Barrier::NoMapping } else { Barrier::NotUpdatable } };
        }
    }
    best
}

fn by_rights(
    analysis: &Analysis<'_>,
    view: &RelationFacts,
    found: &Found,
    definition: &ObjectText,
    held: &Held,
) -> WayVerdict {
    let passes = |right: bool, event: i32| right && definition.passes_on & event != 0;
    let widens = passes(held.inserts, PASSES_INSERT) || passes(held.updates, PASSES_UPDATE);
    match (view.kind.as_str(), &found.unreadable) {
        ("f", _) if view.wrapper.as_deref() == Some("postgres_fdw") && !view.mapped => WayVerdict::Closed,
        (_, Some(Unreadable::OtherServer)) if !is_mapped(analysis, found) => WayVerdict::Closed,
        (_, Some(why)) => WayVerdict::NeedsReview { why: why.clone() },
        ("m", None) if held.selects => WayVerdict::Open,
        ("m", None) => WayVerdict::Closed,
        // The view's condition does not hold for what is written through it, unless it has a check option.
        _ if widens && !view.check_option => WayVerdict::Open,
        _ if held.selects => match definition.tenant_column.as_ref().filter(|_| held.role == analysis.login) {
            Some(column) => WayVerdict::NeedsAttempt { column: column.clone() },
            None => WayVerdict::Open,
        },
        _ if widens || passes(held.deletes, PASSES_DELETE) => WayVerdict::Open,
        _ => WayVerdict::Closed,
    }
}

/// Whether anybody is let through to the foreign table that a view shows.
fn is_mapped(analysis: &Analysis<'_>, found: &Found) -> bool {
    found.path.iter().all(|node| {
        let Node::Relation(id) = node else { return true };
        let foreign = analysis.facts.relations.get(id).filter(|relation| relation.kind == "f");
        foreign.is_none_or(|table| table.mapped_for_any || table.wrapper.as_deref() != Some("postgres_fdw"))
    })
}

fn used(held: &Held) -> Vec<Privilege> {
    let rights = [
        (held.selects, Privilege::Select),
        (held.inserts, Privilege::Insert),
        (held.updates, Privilege::Update),
        (held.deletes, Privilege::Delete),
    ];
    rights.into_iter().filter(|(held, _)| *held).map(|(_, privilege)| privilege).collect()
}

fn closing(analysis: &Analysis<'_>, view: &RelationFacts, found: &Found, reach: &Reach) -> Option<String> {
    let Reach::Uses { role, privileges } = reach else { return None };
    // The view that decides as whom the table is read is the one nearest to it that reads as its owner.
    let views = found.path.iter().rev().filter_map(|node| match node {
        Node::Relation(id) => analysis.facts.relations.get(id),
        _ => None,
    });
    let is_deciding = |relation: &&RelationFacts| relation.kind == "v" && !relation.security_invoker;
    let stored = view.kind != "v" || found.path.iter().any(|node| is_stored(analysis, *node));
    match views.filter(|_| !stored && analysis.knows_security_invoker).find(is_deciding) {
        Some(deciding) => Some(format!("ALTER VIEW {} SET (security_invoker = true)", deciding.printed)),
        None => Some(granted(analysis, view, privileges, role).revoke(format_args!("ALL ON {}", view.printed))),
    }
}

fn is_stored(analysis: &Analysis<'_>, node: Node) -> bool {
    let Node::Relation(id) = node else { return false };
    analysis.facts.relations.get(&id).is_some_and(|relation| ["m", "f"].contains(&relation.kind.as_str()))
}
