//! What each view, function and rule reaches, and as whom: the closure over everything that refers to something else.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::{Edge, How, edges};
use super::facts::Facts;
use super::node::{As, Node};
use super::path::{Looked, is_callers};
use super::texts::{Text, Texts};
use super::way::Unreadable;

/// What is reached in the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// A table that policies protect.
    Table(i64),
    /// A table on another server.
    Foreign(i64),
    /// Whatever a text says at run time; the word that says so.
    Opaque(String),
    /// What cannot be read.
    Unreadable(Unreadable),
    /// What the login makes, under a name without a schema.
    Looked(Looked),
    /// What the login puts in the place of something that it owns.
    Replaced,
}

impl What {
    /// The name that is looked up, if it is one.
    pub(crate) fn looked_up(&self) -> Option<String> {
        match self {
            Self::Looked(looked) => Some(looked.name().to_owned()),
            _ => None,
        }
    }
}

/// Something reached, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Touch {
    pub(crate) what: What,
    pub(crate) by: As,
}

/// What a node reaches, each with the next node there and how that reaches it.
pub(crate) type Touches = BTreeMap<Touch, Option<(Node, Touch)>>;

/// What everything reaches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    touches: BTreeMap<Node, Touches>,
}

impl Graph {
    /// Computes it.
    pub(crate) fn new(facts: &Facts, protected: &BTreeSet<i64>, texts: &Texts) -> Self {
        let edges = edges(facts, texts);
        let graph = Self::closed(facts, seeds(facts, protected, texts), &edges);
        let Some(hidden) = graph.hidden_call(facts) else { return graph };
        // A text does not show that it calls a cast or the check of a domain, so none is read any more.
        let mut seeds = seeds(facts, protected, texts);
        let what = What::Unreadable(Unreadable::HiddenCall { object: hidden });
        let read = texts.iter().filter(|(_, text)| matches!(text, Text::Read(_)));
        seeds.extend(read.map(|(id, _)| (Node::Function(*id), what.clone())));
        Self::closed(facts, seeds, &edges)
    }

    /// What a node reaches.
    pub(crate) fn of(&self, node: Node) -> impl Iterator<Item = &Touch> {
        self.touches.get(&node).into_iter().flat_map(BTreeMap::keys)
    }

    /// The nodes from this one to what it touches, this one first.
    pub(crate) fn path(&self, node: Node, touch: &Touch) -> Vec<Node> {
        let mut path = vec![node];
        let mut at = (node, touch.clone());
        while let Some(Some(next)) = self.touches.get(&at.0).and_then(|touches| touches.get(&at.1)) {
            if path.contains(&next.0) {
                break;
            }
            path.push(next.0);
            at = next.clone();
        }
        path
    }

    fn closed(facts: &Facts, seeds: Vec<(Node, What)>, edges: &[Edge]) -> Self {
        let mut graph = Self::default();
        let mut changed = BTreeSet::new();
        for (node, what) in seeds {
            let by = match what {
                What::Foreign(id) => As::Stored(facts.relations.get(&id).map_or(0, |relation| relation.owner)),
                // The functions in a view run as whoever runs the statement.
                What::Replaced => As::Session,
                _ => As::Reader,
            };
            graph.add(facts, node, Touch { what, by }, None);
            changed.insert(node);
        }
        while !changed.is_empty() {
            let last = std::mem::take(&mut changed);
            for edge in edges.iter().filter(|edge| last.contains(&edge.to)) {
                let touches: Vec<Touch> = graph.of(edge.to).cloned().collect();
                for touch in touches {
                    // What is stored is read under the path of the one who refreshed it, who runs what it names then.
                    if matches!((edge.how, &touch.what), (How::Stored(_), What::Looked(_) | What::Replaced)) {
                        continue;
                    }
                    let by = edge.how.seen(touch.by);
                    let through = Touch { what: touch.what.clone(), by };
                    if graph.add(facts, edge.from, through, Some((edge.to, touch))) {
                        changed.insert(edge.from);
                    }
                }
            }
        }
        graph
    }

    /// Adds what a node reaches; a function that runs as its owner reaches it as that one. Tells whether it is new.
    fn add(&mut self, facts: &Facts, node: Node, mut touch: Touch, next: Option<(Node, Touch)>) -> bool {
        if let (Node::Function(id), What::Looked(looked)) = (node, &touch.what)
            && facts.functions.get(&id).is_some_and(|function| !is_callers(function, looked, &facts.places))
        {
            return false;
        }
        if let Node::Function(id) = node
            && let Some(function) = facts.functions.get(&id).filter(|function| function.definer)
            && matches!(touch.by, As::Reader | As::Session)
        {
            touch.by = As::Role(function.owner);
        }
        let touches = self.touches.entry(node).or_default();
        let is_new = !touches.contains_key(&touch);
        if is_new {
            touches.insert(touch, next);
        }
        is_new
    }

    /// A cast or a domain whose function reaches something.
    fn hidden_call(&self, facts: &Facts) -> Option<String> {
        let hidden = facts.references.iter().filter(|r| r.to_function && ["cast", "domain"].contains(&r.kind.as_str()));
        let reaches = |id: i64| self.of(Node::Function(id)).any(|touch| !matches!(touch.what, What::Looked(_)));
        let mut reaching = hidden.filter(|r| reaches(r.target));
        reaching.next().map(|r| {
            let function = facts.functions.get(&r.target).map(|function| function.signature.as_str());
            format!("a {} by {}", r.kind, function.unwrap_or_default())
        })
    }
}

/// What is reached by itself.
fn seeds(facts: &Facts, protected: &BTreeSet<i64>, texts: &Texts) -> Vec<(Node, What)> {
    let relations = facts.relations.values().filter_map(|relation| match relation.kind.as_str() {
        "f" => Some((Node::Relation(relation.id), What::Foreign(relation.id))),
        _ => protected.contains(&relation.id).then_some((Node::Relation(relation.id), What::Table(relation.id))),
    });
    let functions = texts.iter().filter_map(|(id, text)| {
        let what = match text {
            Text::Read(body) => What::Opaque(body.opaque.clone()?),
            Text::Unread(why) => What::Unreadable(why.clone()),
            Text::Empty => return None,
        };
        Some((Node::Function(*id), what))
    });
    relations.chain(functions).chain(looked(facts, texts)).chain(replaced(facts)).collect()
}

/// Functions and views of the login's own, and its own tables, on which it may put a trigger: whoever uses them runs what the login wants.
fn replaced(facts: &Facts) -> impl Iterator<Item = (Node, What)> {
    let functions = facts.functions.values().filter(|f| f.extension.is_none() && facts.replaces.contains(&f.owner));
    let functions = functions.map(|function| Node::Function(function.id));
    let relations = facts.relations.values().filter(|relation| facts.replaces.contains(&relation.owner));
    let relations = relations.filter_map(|relation| match relation.kind.as_str() {
        "v" => Some(Node::Relation(relation.id)),
        "r" | "p" => Some(Node::Fired(relation.id)),
        _ => None,
    });
    functions.chain(relations).map(|node| (node, What::Replaced))
}

/// Names that are looked up when a function runs, as far as the login can make something of that name.
fn looked(facts: &Facts, texts: &Texts) -> Vec<(Node, What)> {
    let mut all = Vec::new();
    for (id, text) in texts {
        let atomic = facts.functions.get(id).is_some_and(|function| function.atomic);
        let Text::Read(body) = text else { continue };
        let relation = body.loose.relation.clone().filter(|_| !atomic && facts.places.makes_anything.is_some());
        let call = body.loose.call.clone().filter(|_| !atomic && facts.places.makes_tables.is_some());
        let looked = relation.map(Looked::Relation).into_iter().chain(call.map(Looked::Call));
        all.extend(looked.map(|looked| (Node::Function(*id), What::Looked(looked))));
    }
    all
}
