//! Functions that run as an owner whom no policy filters, and look up names that the login can give to something of its own; functions that set
//! the tenant themselves; and functions that the server calls before it asks a policy.

use super::code_ways::{CodeWays, kind};
use super::facts::FunctionFacts;
use super::graph::What;
use super::logins::Unfiltered;
use super::node::Node;
use super::object::WayObject;
use super::path::{closing, pinned};
use super::way::{Actor, Barrier, Reach, Reviewable, Unreadable, Way, WayVerdict};

impl CodeWays<'_> {
    /// Functions whose names the login decides. `known` are the ways that functions are already.
    pub(crate) fn callers_names(&self, known: &[Way]) -> Vec<Way> {
        let functions = self.analysis.facts.functions.values().filter(|function| function.definer);
        functions.filter_map(|function| self.callers_name(function, known)).collect()
    }

    fn callers_name(&self, function: &FunctionFacts, known: &[Way]) -> Option<Way> {
        let (found, name) = self.analysis.found_name(Node::Function(function.id))?;
        let reach = self.reached(function);
        let is_known =
            known.iter().any(|way| way.is_reachable() && way.function() == Some(function.signature.as_str()));
        // A review of the other way cannot vouch for a function without a pinned path.
        if matches!(reach, Reach::Cannot { .. }) || is_known && pinned(function).is_none() {
            return None;
        }
        Some(Way {
            object: WayObject::CallersName { signature: function.signature.clone(), kind: kind(function), name },
            tables: self.analysis.names(&found.tables),
            chain: self.analysis.chain(&found.path),
            acts_as: found.actor,
            reach,
            verdict: WayVerdict::Open,
            closing: Some(closing(function, &self.analysis.facts.places)),
            review: Reviewable::NotCode,
        })
    }

    /// Functions with a value of the session variable of their own.
    pub(crate) fn own_tenants(&self, variable: &str) -> Vec<Way> {
        let sets = |function: &&FunctionFacts| {
            let mut names = function.settings.iter().filter_map(|setting| setting.split_once('='));
            names.any(|(name, _)| name.eq_ignore_ascii_case(variable))
        };
        self.analysis.facts.functions.values().filter(sets).filter_map(|f| self.own_tenant(f, variable)).collect()
    }

    fn own_tenant(&self, function: &FunctionFacts, variable: &str) -> Option<Way> {
        let mut tables = std::collections::BTreeSet::new();
        let mut reaches = false;
        for touch in self.analysis.graph.of(Node::Function(function.id)) {
            match &touch.what {
                What::Table(table) => {
                    tables.insert(*table);
                    reaches = true;
                }
                What::Opaque(_) | What::Unreadable(_) => reaches = true,
                What::Foreign(_) | What::Looked(_) | What::Replaced => {}
            }
        }
        let reach = self.reached(function);
        if !reaches || matches!(reach, Reach::Cannot { .. }) {
            return None;
        }
        Some(Way {
            object: WayObject::OwnTenant { signature: function.signature.clone(), variable: variable.to_owned() },
            tables: self.analysis.names(&tables),
            chain: Vec::new(),
            acts_as: Actor { role: "whoever calls it".to_owned(), why: Unfiltered::OwnTenant },
            reach,
            verdict: WayVerdict::Open,
            closing: Some(format!("ALTER ROUTINE {} RESET {variable}", function.signature)),
            review: self.reviews.of(function, ""),
        })
    }

    /// Functions that are marked LEAKPROOF. The server calls them with rows that a policy hides, so an error or a message of theirs shows these.
    pub(crate) fn leakproof(&self) -> Vec<Way> {
        let functions = self.analysis.facts.functions.values();
        functions.filter(|function| function.leakproof).filter_map(|function| self.leaks(function)).collect()
    }

    fn leaks(&self, function: &FunctionFacts) -> Option<Way> {
        let reach = self.calls(function);
        if matches!(reach, Reach::Cannot { .. }) {
            return None;
        }
        let protected = self.analysis.filter.protected;
        Some(Way {
            object: WayObject::Leakproof { signature: function.signature.clone() },
            tables: self.analysis.names(protected),
            chain: Vec::new(),
            acts_as: Actor { role: "the server".to_owned(), why: Unfiltered::NotLimited },
            reach,
            verdict: WayVerdict::NeedsReview { why: Unreadable::Leakproof },
            closing: Some(format!("ALTER FUNCTION {} NOT LEAKPROOF", function.signature)),
            review: self.reviews.of(function, "LEAKPROOF"),
        })
    }

    /// How the login makes a function run, by a call or by a trigger.
    fn reached(&self, function: &FunctionFacts) -> Reach {
        if function.fires.is_none() {
            return self.calls(function);
        }
        let facts = self.analysis.facts;
        let makes = facts.places.makes_anything.as_ref();
        let triggers = facts.triggers.iter().filter(|trigger| trigger.function == function.id);
        let reaches = triggers.map(|trigger| match (trigger.relation, makes) {
            (Some(relation), _) => self.fires(relation, trigger.events),
            (None, Some(role)) => Reach::ChangesDefinitions { role: role.clone() },
            (None, None) => Reach::Cannot { why: Barrier::NotFired },
        });
        if let Some(reach) = reaches.into_iter().find(|reach| !matches!(reach, Reach::Cannot { .. })) {
            return reach;
        }
        match function.executor.as_ref().filter(|_| function.fires.as_deref() == Some("trigger") && makes.is_some()) {
            Some(role) => Reach::Attaches { role: role.clone() },
            None => Reach::Cannot { why: Barrier::NotFired },
        }
    }
}
