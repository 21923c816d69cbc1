//! Where rows go from a trigger or rule: what its function writes to, and what that fires.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::body::Body;
use super::code_ways::RuleFacts;
use super::facts::{Facts, FunctionFacts};
use super::node::Node;
use super::targets::Target;
use super::texts::{Text, Texts};
use super::way::Unreadable;

/// The function that sends any text to every session that listens, for which no right is needed.
const NOTIFY: &str = "pg_notify";

/// Extensions whose trigger functions change only the row that is written, or refuse it.
const HARMLESS: [&str; 5] = ["autoinc", "insert_username", "lo", "moddatetime", "refint"];

/// From what rows go on to what.
pub(crate) struct Flows<'a> {
    facts: &'a Facts,
    protected: &'a BTreeSet<i64>,
    next: BTreeMap<Node, BTreeSet<Node>>,
    unread: BTreeMap<i64, Unreadable>,
}

/// Where rows go from one trigger or rule.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// The tables that policies do not protect, each with the nodes on the way there, the trigger's function or the rule first.
    pub(crate) tables: Vec<(i64, Vec<Node>)>,
    /// Why it is not known where else.
    pub(crate) unread: Option<Unreadable>,
}

impl<'a> Flows<'a> {
    /// Reads them; `rule_text` has the definition of a rule.
    pub(crate) fn new(
        facts: &'a Facts,
        protected: &'a BTreeSet<i64>,
        texts: &Texts,
        rules: &[RuleFacts],
        rule_text: impl Fn(i64) -> String,
    ) -> Self {
        let mut flows = Self { facts, protected, next: BTreeMap::new(), unread: BTreeMap::new() };
        for function in facts.functions.values() {
            flows.of_function(function, texts.get(&function.id));
        }
        for rule in rules {
            flows.add(Node::Fired(rule.relation), Node::Rule(rule.id));
            if let Ok(body) = Body::read(&rule_text(rule.id)) {
                flows.writes(Node::Rule(rule.id), &body);
            }
        }
        for trigger in &facts.triggers {
            let Some(relation) = trigger.relation else { continue };
            flows.add(Node::Fired(relation), Node::Function(trigger.function));
        }
        for reference in &facts.references {
            let relation = reference.relation.and_then(|id| facts.relations.get(&id));
            match (reference.kind.as_str(), relation) {
                ("rule", _) if reference.to_function => {
                    flows.add(Node::Rule(reference.id), Node::Function(reference.target));
                }
                ("function", _) if reference.to_function => {
                    flows.add(Node::Function(reference.id), Node::Function(reference.target));
                }
                ("view", Some(view)) if view.kind == "v" && !reference.to_function => {
                    flows.add(Node::Fired(view.id), Node::Fired(reference.target));
                }
                _ => {}
            }
        }
        for relation in facts.relations.values() {
            if let Some(parent) = relation.parent {
                flows.add(Node::Fired(parent), Node::Fired(relation.id));
            }
        }
        flows
    }

    /// Where rows go from this function or rule. What is written to a protected table is protected there.
    pub(crate) fn from(&self, start: Node) -> Flow {
        let mut flow = Flow::default();
        let mut known = BTreeSet::from([start]);
        let mut open = VecDeque::from([vec![start]]);
        while let Some(path) = open.pop_front() {
            match path.last() {
                Some(Node::Fired(id)) if self.protected.contains(id) => continue,
                Some(Node::Fired(id)) if self.stores(*id) => flow.tables.push((*id, path.clone())),
                Some(Node::Function(id)) if flow.unread.is_none() => flow.unread = self.unread.get(id).cloned(),
                _ => {}
            }
            let next = path.last().and_then(|last| self.next.get(last)).into_iter().flatten();
            for node in next.filter(|node| known.insert(**node)) {
                open.push_back(path.iter().copied().chain([*node]).collect());
            }
        }
        flow
    }

    fn stores(&self, id: i64) -> bool {
        self.facts.relations.get(&id).is_some_and(|relation| ["r", "p", "f"].contains(&relation.kind.as_str()))
    }

    fn of_function(&mut self, function: &FunctionFacts, text: Option<&Text>) {
        let from = Node::Function(function.id);
        match text {
            Some(Text::Read(body)) => {
                self.writes(from, body);
                // What a BEGIN ATOMIC body calls is in the catalog.
                let called =
                    self.facts.functions.values().filter(|called| {
                        !function.atomic && called.fires.is_none() && body.names.contains(&called.name)
                    });
                let called: Vec<i64> = called.map(|called| called.id).filter(|id| *id != function.id).collect();
                called.into_iter().for_each(|id| self.add(from, Node::Function(id)));
                // Whoever listens hears what is sent, whatever tenant it is of.
                let sends = body.names.contains(NOTIFY).then(|| NOTIFY.to_owned());
                if let Some(word) = body.opaque.clone().or(sends) {
                    self.unread.insert(function.id, Unreadable::Statement { word });
                }
            }
            Some(Text::Unread(why)) => {
                self.unread.insert(function.id, why.clone());
            }
            // A trigger function of an extension, too, can send rows anywhere.
            Some(Text::Empty) if function.fires.is_some() => {
                let extension = function.extension.clone().filter(|name| !is_harmless(name));
                let unread = extension.map(|extension| (function.id, Unreadable::Extension { extension }));
                self.unread.extend(unread);
            }
            Some(Text::Empty) | None => {}
        }
    }

    fn writes(&mut self, from: Node, body: &Body) {
        let facts = self.facts;
        for target in &body.written {
            for relation in facts.relations.values().filter(|relation| is_named(target, relation)) {
                self.add(from, Node::Fired(relation.id));
            }
        }
    }

    fn add(&mut self, from: Node, to: Node) {
        self.next.entry(from).or_default().insert(to);
    }
}

/// Whether an extension, by name and version, is one of those.
fn is_harmless(extension: &str) -> bool {
    extension.split(' ').next().is_some_and(|name| HARMLESS.contains(&name))
}

fn is_named(target: &Target, relation: &super::facts::RelationFacts) -> bool {
    let in_schema = |schema: &String| schema == relation.name.schema().as_str();
    target.name == relation.name.name().as_str() && target.schema.as_ref().is_none_or(in_schema)
}
