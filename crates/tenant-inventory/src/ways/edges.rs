//! Which view, function, rule and trigger refers to what.

use std::collections::BTreeMap;

use super::body::Body;
use super::facts::{Cascade, Facts, FunctionFacts, Reference};
use super::node::{As, Node};
use super::texts::{Text, Texts};

/// A reference from one node to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) from: Node,
    pub(crate) to: Node,
    pub(crate) how: How,
}

/// As whom a reference is followed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    /// As whoever reads or runs what refers.
    Plain,
    /// As the owner of the view or rule that refers.
    AsOwner(i64),
    /// As whoever runs the statement: a view with `security_invoker`, and functions in any view.
    AsSession,
    /// As this role, at some time before.
    Stored(i64),
}

impl How {
    /// As whom something is reached through an edge.
    pub(crate) fn seen(self, by: As) -> As {
        match (self, by) {
            (Self::Stored(owner), _) => As::Stored(owner),
            (Self::AsOwner(owner), As::Reader) => As::Role(owner),
            (Self::AsSession, As::Reader) => As::Session,
            (_, by) => by,
        }
    }
}

/// All references.
pub(crate) fn edges(facts: &Facts, texts: &Texts) -> Vec<Edge> {
    let mut edges: Vec<Edge> =
        facts.references.iter().flat_map(|reference| of_reference(facts, texts, reference)).collect();
    edges.extend(facts.triggers.iter().filter_map(|trigger| {
        let from = Node::Fired(trigger.relation?);
        Some(Edge { from, to: Node::Function(trigger.function), how: How::Plain })
    }));
    for relation in facts.relations.values() {
        if let Some(parent) = relation.parent {
            edges.push(Edge { from: Node::Fired(parent), to: Node::Fired(relation.id), how: How::Plain });
        }
    }
    edges.extend(facts.cascades.iter().flat_map(|cascade| of_cascade(facts, cascade)));
    let names = Names::new(facts);
    for (id, text) in texts {
        if let (Some(function), Text::Read(body)) = (facts.functions.get(id), text) {
            edges.extend(names.of_text(function, body));
        }
    }
    edges
}

fn of_reference(facts: &Facts, texts: &Texts, reference: &Reference) -> Vec<Edge> {
    let target =
        if reference.to_function { Node::Function(reference.target) } else { Node::Relation(reference.target) };
    let edge = |from, to, how| Edge { from, to, how };
    let relation = reference.relation.and_then(|id| facts.relations.get(&id));
    match (reference.kind.as_str(), relation) {
        ("view", Some(view)) => of_view(facts, view.id, reference, target),
        ("rule", Some(relation)) => {
            let (rule, fired) = (Node::Rule(reference.id), Node::Fired(relation.id));
            let how = if reference.to_function { How::AsSession } else { How::AsOwner(relation.owner) };
            let mut edges = vec![edge(rule, target, how), edge(fired, rule, How::Plain)];
            if !reference.to_function {
                edges.push(edge(rule, Node::Fired(reference.target), How::AsSession));
            }
            edges
        }
        ("policy", Some(relation)) => vec![
            edge(Node::Relation(relation.id), target, How::AsSession),
            edge(Node::Fired(relation.id), target, How::AsSession),
        ],
        ("default" | "check" | "index", Some(relation)) => vec![edge(Node::Fired(relation.id), target, How::Plain)],
        ("function" | "aggregate", _) => {
            let from = Node::Function(reference.id);
            let mut edges = vec![edge(from, target, How::Plain)];
            if let (false, Some(Text::Read(body))) = (reference.to_function, texts.get(&reference.id)) {
                edges.extend(body.writes.then(|| edge(from, Node::Fired(reference.target), How::Plain)));
                edges.extend(body.deletes.then(|| edge(from, Node::Deleted(reference.target), How::Plain)));
                edges.extend(body.updates.then(|| edge(from, Node::Updated(reference.target), How::Plain)));
            }
            edges
        }
        _ => Vec::new(),
    }
}

fn of_cascade(facts: &Facts, cascade: &Cascade) -> Vec<Edge> {
    let Cascade { child, parent, on_delete, on_update, .. } = *cascade;
    let owner = facts.relations.get(&child).map_or(0, |relation| relation.owner);
    let deleted = on_delete.then_some((Node::Deleted(parent), Node::Deleted(child)));
    let updated = on_update.then_some((Node::Updated(parent), Node::Updated(child)));
    let edge = |from, to, how| Edge { from, to, how };
    let edges = deleted.into_iter().chain(updated).flat_map(|(from, further)| {
        [
            edge(from, Node::Relation(child), How::Plain),
            edge(from, further, How::Plain),
            edge(from, Node::Fired(child), How::AsOwner(owner)),
        ]
    });
    edges.collect()
}

fn of_view(facts: &Facts, view: i64, reference: &Reference, target: Node) -> Vec<Edge> {
    let Some(view) = facts.relations.get(&view) else { return Vec::new() };
    let from = Node::Relation(view.id);
    if view.kind == "m" {
        return vec![Edge { from, to: target, how: How::Stored(view.owner) }];
    }
    if reference.to_function {
        // It runs only for those who may execute it.
        let function = facts.functions.get(&reference.target);
        let runs = function.is_some_and(|function| !function.definer || function.executor.is_some());
        return if runs { vec![Edge { from, to: target, how: How::AsSession }] } else { Vec::new() };
    }
    // A view that reads as its reader reads as the one who runs the statement, whatever views lie above it.
    let how = if view.security_invoker { How::AsSession } else { How::AsOwner(view.owner) };
    let fired = Edge { from: Node::Fired(view.id), to: Node::Fired(reference.target), how: How::AsSession };
    vec![Edge { from, to: target, how }, fired]
}

/// Relations, functions and operators by the names that a text may have for them.
struct Names<'a> {
    relations: BTreeMap<&'a str, Vec<i64>>,
    functions: BTreeMap<&'a str, Vec<i64>>,
    operators: BTreeMap<&'a str, Vec<i64>>,
}

impl<'a> Names<'a> {
    fn new(facts: &'a Facts) -> Self {
        let mut relations: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for relation in facts.relations.values() {
            relations.entry(relation.name.name().as_str()).or_default().push(relation.id);
        }
        let mut functions: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for function in facts.functions.values().filter(|function| function.extension.is_none() || function.definer) {
            functions.entry(&function.name).or_default().push(function.id);
        }
        let mut operators: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for reference in facts.references.iter().filter(|r| r.kind == "operator" && r.to_function) {
            let ours = facts.functions.get(&reference.target).is_some_and(|function| function.extension.is_none());
            if let Some(name) = reference.name.as_ref().filter(|_| ours) {
                operators.entry(name).or_default().push(reference.target);
            }
        }
        Self { relations, functions, operators }
    }

    fn of_text(&self, function: &FunctionFacts, body: &Body) -> Vec<Edge> {
        let from = Node::Function(function.id);
        let edge = |to| Edge { from, to, how: How::Plain };
        let mut edges = Vec::new();
        for name in &body.names {
            // What a BEGIN ATOMIC body refers to is in the catalog; its text holds only aliases beside that.
            if function.atomic {
                break;
            }
            for relation in self.relations.get(name.as_str()).into_iter().flatten() {
                edges.push(edge(Node::Relation(*relation)));
                edges.extend(body.writes.then(|| edge(Node::Fired(*relation))));
                edges.extend(body.deletes.then(|| edge(Node::Deleted(*relation))));
                edges.extend(body.updates.then(|| edge(Node::Updated(*relation))));
            }
            let called = self.functions.get(name.as_str()).into_iter().flatten().filter(|id| **id != function.id);
            edges.extend(called.map(|id| edge(Node::Function(*id))));
        }
        for (operator, targets) in &self.operators {
            if body.has_operator(operator) {
                edges.extend(targets.iter().map(|id| edge(Node::Function(*id))));
            }
        }
        edges
    }
}
