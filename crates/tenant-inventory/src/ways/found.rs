//! What a view, function, rule or trigger reaches past the policies, as values of a way.

use std::collections::BTreeSet;

use tenancy_config::TableName;

use super::facts::Facts;
use super::filter::Filter;
use super::graph::{Graph, Touch, What};
use super::logins::Unfiltered;
use super::node::{As, Node};
use super::roles::Roles;
use super::way::{Actor, Unreadable};

/// What is needed to judge any node.
pub(crate) struct Analysis<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) roles: &'a Roles,
    pub(crate) filter: &'a Filter<'a>,
    pub(crate) graph: &'a Graph,
    /// The application's login.
    pub(crate) login: &'a str,
    /// The server knows views that read as their reader.
    pub(crate) knows_security_invoker: bool,
}

/// What a node reaches past the policies.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) actor: Actor,
    pub(crate) tables: BTreeSet<i64>,
    /// The nodes on the way to the first of them, the judged one first.
    pub(crate) path: Vec<Node>,
    /// It is not known what is reached.
    pub(crate) unreadable: Option<Unreadable>,
}

impl Analysis<'_> {
    /// What a node reaches past the policies that hold for the login.
    pub(crate) fn found(&self, node: Node) -> Option<Found> {
        self.found_by(node, |touch| (!matches!(touch.what, What::Looked(_))).then(|| touch.clone()))
    }

    /// What a function that runs as its caller reaches where a role calls it: a name that it looks up, if `looked`, or anything else.
    pub(crate) fn found_as(&self, function: i64, role: i64, looked: bool) -> Option<(Found, Option<String>)> {
        let by_role = |touch: &Touch| {
            let by = if matches!(touch.by, As::Reader | As::Session) { As::Role(role) } else { touch.by };
            (matches!(touch.what, What::Looked(_)) == looked).then(|| Touch { what: touch.what.clone(), by })
        };
        let node = Node::Function(function);
        let found = self.found_by(node, by_role)?;
        let names = self.graph.of(node).filter_map(by_role).filter(|touch| self.past(touch).is_some());
        let name = names.filter_map(|touch| touch.what.looked_up()).next();
        Some((found, name))
    }

    /// The first name that it looks up past the policies, and what the login reaches by giving that to something of its own.
    pub(crate) fn found_name(&self, node: Node) -> Option<(Found, String)> {
        let found = self.found_by(node, |touch| matches!(touch.what, What::Looked(_)).then(|| touch.clone()))?;
        let past = |touch: &&Touch| self.past(touch).is_some();
        let name = self.graph.of(node).filter(past).find_map(|touch| touch.what.looked_up())?;
        Some((found, name))
    }

    fn found_by(&self, node: Node, seen: impl Fn(&Touch) -> Option<Touch>) -> Option<Found> {
        let mut found: Option<Found> = None;
        // Tables come before what is opaque or unreadable.
        for touch in self.graph.of(node) {
            let Some((actor, tables, unreadable)) = seen(touch).and_then(|seen| self.past(&seen)) else { continue };
            match &mut found {
                None => {
                    let path = self.graph.path(node, touch);
                    found = Some(Found { actor, tables, path, unreadable });
                }
                Some(known) => {
                    known.tables.extend(tables);
                    known.unreadable = known.unreadable.take().filter(|_| unreadable.is_some());
                }
            }
        }
        found
    }

    fn past(&self, touch: &Touch) -> Option<(Actor, BTreeSet<i64>, Option<Unreadable>)> {
        let unreadable = match &touch.what {
            What::Unreadable(why) => Some(why.clone()),
            What::Foreign(_) => Some(Unreadable::OtherServer),
            What::Table(_) | What::Opaque(_) | What::Looked(_) | What::Replaced => None,
        };
        let (role, why, tables) = match (touch.by, &touch.what) {
            (As::Reader | As::Session, _) => return None,
            (As::Stored(owner), What::Table(table)) => (owner, Unfiltered::Stored, BTreeSet::from([*table])),
            (As::Stored(owner), What::Foreign(_)) => (owner, Unfiltered::OtherServer, BTreeSet::new()),
            (As::Stored(owner), _) => (owner, Unfiltered::Stored, BTreeSet::new()),
            (As::Role(role), What::Table(table)) => (role, self.filter.why(role, *table)?, BTreeSet::from([*table])),
            (As::Role(role), What::Foreign(_)) => {
                let (why, tables) = self.filter.anywhere(role)?;
                (role, why, tables)
            }
            (As::Role(role), _) => {
                let (why, tables) = self.filter.by_any_statement(role)?;
                (role, why, tables)
            }
        };
        Some((Actor { role: self.roles.name(role), why }, tables, unreadable))
    }

    /// The names of tables, in order.
    pub(crate) fn names(&self, tables: &BTreeSet<i64>) -> Vec<TableName> {
        let mut names: Vec<TableName> =
            tables.iter().filter_map(|id| self.facts.relations.get(id)).map(|relation| relation.name.clone()).collect();
        names.sort();
        names
    }

    /// What lies between the first node of a path and the last, for people.
    pub(crate) fn chain(&self, path: &[Node]) -> Vec<String> {
        let inner = path.get(1..).unwrap_or_default();
        let inner = match inner.split_last() {
            // The last one is among the tables already.
            Some((Node::Relation(id), before)) if self.filter.protected.contains(id) => before,
            _ => inner,
        };
        inner.iter().map(|node| self.label(*node)).collect()
    }

    fn replaceable(&self, owner: i64) -> &'static str {
        if self.facts.replaces.contains(&owner) { " (which the login may replace)" } else { "" }
    }

    /// A node for people.
    pub(crate) fn label(&self, node: Node) -> String {
        let relation = |id: i64| self.facts.relations.get(&id);
        match node {
            Node::Relation(id) => relation(id).map_or_else(String::new, |relation| {
                let kind = match relation.kind.as_str() {
                    "v" => "view ",
                    "m" => "materialized view ",
                    "f" => "foreign table ",
                    _ => "",
                };
                format!("{kind}{}{}", relation.name, self.replaceable(relation.owner))
            }),
            Node::Fired(id) => relation(id).map_or_else(String::new, |r| format!("what a write to {} fires", r.name)),
            Node::Deleted(id) => {
                relation(id).map_or_else(String::new, |r| format!("what a delete from {} cascades to", r.name))
            }
            Node::Updated(id) => {
                relation(id).map_or_else(String::new, |r| format!("what a change of {} cascades to", r.name))
            }
            Node::Rule(id) => {
                let rule = self.facts.references.iter().find(|r| r.kind == "rule" && r.id == id);
                format!("rule {}", rule.and_then(|rule| rule.name.as_deref()).unwrap_or_default())
            }
            Node::Function(id) => {
                let function = self.facts.functions.get(&id);
                function.map_or_else(String::new, |function| {
                    format!("function {}{}", function.signature, self.replaceable(function.owner))
                })
            }
        }
    }
}
