//! Triggers and rules of protected tables that copy their rows to where no policy protects them, whoever they run as.

use std::collections::BTreeSet;

use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::Template;

use super::code_ways::{CodeWays, RuleFacts, drop_rule};
use super::facts::{FunctionFacts, Held, RelationFacts, TriggerFacts};
use super::flows::Flows;
use super::logins::Unfiltered;
use super::node::Node;
use super::object::{Privilege, WayObject};
use super::review::review_of_text;
use super::rights::{granted, is_owner};
use super::way::{Actor, Barrier, Reach, Reviewable, Unreadable, Way, WayVerdict};

/// What is needed to judge them, beside what is needed for code.
pub(crate) struct CopyWays<'a> {
    pub(crate) code: &'a CodeWays<'a>,
    pub(crate) flows: &'a Flows<'a>,
    /// It declares tables whose rows need not be kept apart.
    pub(crate) tenancy: &'a Tenancy,
    /// The tenant table, of whose rows nothing is claimed: what a trigger keeps there, such as a count, is for all who read it.
    pub(crate) registry: &'a TableName,
}

/// A trigger or rule of a protected table.
struct Source<'a> {
    table: &'a RelationFacts,
    name: &'a str,
    /// What runs.
    start: Node,
    /// The trigger's function.
    function: Option<&'a FunctionFacts>,
    events: i32,
    review: Reviewable,
    /// The statement that removes it.
    drop: Option<String>,
}

impl CopyWays<'_> {
    /// Those of triggers and of rules, one for each table that rows go to.
    pub(crate) fn ways(&self, rules: &[RuleFacts]) -> Vec<Way> {
        let triggers = self.code.analysis.facts.triggers.iter().filter_map(|trigger| self.trigger(trigger));
        let rules = rules.iter().filter_map(|rule| self.rule(rule));
        triggers.chain(rules).flat_map(|source| self.of(&source)).collect()
    }

    fn trigger<'a>(&'a self, trigger: &'a TriggerFacts) -> Option<Source<'a>> {
        let facts = self.code.analysis.facts;
        let table = self.protected(trigger.relation?)?;
        let function = facts.functions.get(&trigger.function)?;
        // A partition has the triggers of its parent again.
        if let Some(parent) = table.parent.and_then(|parent| self.protected(parent)) {
            let is_same = |other: &TriggerFacts| (&other.name, other.function) == (&trigger.name, trigger.function);
            let mut of_parent = facts.triggers.iter().filter(|other| other.relation == Some(parent.id));
            if of_parent.any(is_same) {
                return None;
            }
        }
        let drop = Template::new(r#"DROP TRIGGER :"trigger" ON :"table""#).table("table", &table.name);
        let drop = Ident::new(&trigger.name).ok().map(|name| drop.ident("trigger", &name).build().as_str().to_owned());
        let review = self.code.reviews.of(function, &self.code.definitions.trigger(trigger.id).text);
        let (start, events) = (Node::Function(function.id), trigger.events);
        Some(Source { table, name: &trigger.name, start, function: Some(function), events, review, drop })
    }

    fn rule<'a>(&'a self, rule: &'a RuleFacts) -> Option<Source<'a>> {
        let table = self.protected(rule.relation)?;
        let owner = self.code.analysis.roles.name(table.owner);
        let text = self.code.definitions.rule(rule.id).text;
        let review = review_of_text(&format!("{}.{}", table.name, rule.name), &owner, &text);
        let (start, drop) = (Node::Rule(rule.id), drop_rule(table, rule));
        Some(Source { table, name: &rule.name, start, function: None, events: rule.event, review, drop })
    }

    fn protected(&self, id: i64) -> Option<&RelationFacts> {
        let analysis = self.code.analysis;
        analysis.facts.relations.get(&id).filter(|table| analysis.filter.protected.contains(&table.id))
    }

    fn of(&self, source: &Source<'_>) -> Vec<Way> {
        let analysis = self.code.analysis;
        let flow = self.flows.from(source.start);
        let mut ways: Vec<Way> = Vec::new();
        for (id, path) in &flow.tables {
            let to = analysis.facts.relations.get(id).filter(|to| to.name != *self.registry);
            let Some(to) = to else { continue };
            // The first node is the trigger's function or the rule, and the last is the table.
            let inner = path.get(1..path.len() - 1).unwrap_or_default();
            let chain = inner.iter().map(|node| analysis.label(*node)).collect();
            ways.push(self.copy(source, to, chain));
        }
        // What runs as its owner past the policies is a way already, whatever its text does.
        let open = ways.iter().any(Way::is_reachable) || analysis.found(source.start).is_some();
        ways.extend(flow.unread.filter(|_| !open).and_then(|why| self.unread(source, why)));
        ways
    }

    fn copy(&self, source: &Source<'_>, to: &RelationFacts, chain: Vec<String>) -> Way {
        let declared = self.tenancy.rules(&to.name).and_then(|rules| rules.exempt.clone());
        let reader = self.reader(to);
        let cannot = |why| (Reach::Cannot { why }, WayVerdict::Closed);
        let (reach, verdict) = match (declared, &reader) {
            (Some(why), _) => cannot(Barrier::DeclaredExempt { why }),
            (None, None) => cannot(Barrier::NoRight),
            (None, Some((_, held))) => {
                (Reach::Uses { role: held.role.clone(), privileges: sees(held) }, WayVerdict::Open)
            }
        };
        let closing = reader.and_then(|(read, held)| self.revoke(source, read, held));
        let mut way = Self::way(source, Some(to), reach, verdict);
        way.chain = chain;
        way.closing = closing.filter(|_| way.is_reachable());
        way
    }

    /// A way whose function may write to any table.
    fn unread(&self, source: &Source<'_>, why: Unreadable) -> Option<Way> {
        let reach = self.code.fires(source.table.id, source.events);
        let fires = !matches!(reach, Reach::Cannot { .. });
        fires.then(|| Self::way(source, None, reach, WayVerdict::NeedsReview { why }))
    }

    fn way(source: &Source<'_>, to: Option<&RelationFacts>, reach: Reach, verdict: WayVerdict) -> Way {
        let table = to.map(|to| to.name.to_string());
        Way {
            object: WayObject::Copy {
                table: source.table.name.clone(),
                name: source.name.to_owned(),
                function: source.function.map(|function| function.signature.clone()),
                to: to.map(|to| to.name.clone()),
            },
            acts_as: Actor { role: "whoever reads there".to_owned(), why: Unfiltered::Unprotected { table } },
            tables: vec![source.table.name.clone()],
            chain: Vec::new(),
            reach,
            verdict,
            closing: source.drop.clone(),
            review: source.review.clone(),
        }
    }

    /// Where the login gets at what is in a table, and what it may do there: in the table, in one that it is a part of, or in a view of it.
    fn reader<'a>(&'a self, table: &'a RelationFacts) -> Option<(&'a RelationFacts, &'a Held)> {
        let facts = self.code.analysis.facts;
        let mut known = BTreeSet::from([table.id]);
        let mut open = vec![table];
        while let Some(relation) = open.pop() {
            if let Some(held) = facts.held(relation.id, |held| held.in_sight && !sees(held).is_empty()) {
                return Some((relation, held));
            }
            let views =
                facts.references.iter().filter(|r| r.kind == "view" && !r.to_function && r.target == relation.id);
            let above = views.filter_map(|view| view.relation).chain(relation.parent);
            let above = above.filter_map(|id| facts.relations.get(&id)).filter(|above| !above.security_invoker);
            open.extend(above.filter(|above| known.insert(above.id)));
        }
        None
    }

    /// Takes the rights away; where somebody owns the table, that does not help.
    fn revoke(&self, source: &Source<'_>, read: &RelationFacts, held: &Held) -> Option<String> {
        let analysis = self.code.analysis;
        if is_owner(analysis, &held.role, read) {
            return source.drop.clone();
        }
        let privileges = sees(held);
        let names: Vec<String> = privileges.iter().map(ToString::to_string).collect();
        let from = granted(analysis, read, &privileges, &held.role);
        Some(from.revoke(format_args!("{} ON {}", names.join(", "), read.printed)))
    }
}

/// The rights by which somebody reads or changes the rows that others put there.
fn sees(held: &Held) -> Vec<Privilege> {
    let rights =
        [(held.selects, Privilege::Select), (held.updates, Privilege::Update), (held.deletes, Privilege::Delete)];
    rights.into_iter().filter(|(held, _)| *held).map(|(_, privilege)| privilege).collect()
}
