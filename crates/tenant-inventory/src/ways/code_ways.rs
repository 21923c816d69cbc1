//! Functions, triggers and rules that lead past the policies.

use tenancy_config::Ident;
use tenant_rls::Template;

use super::facts::{FunctionFacts, GrantedOn, RelationFacts, TriggerFacts};
use super::found::{Analysis, Found};
use super::granted::Granted;
use super::node::Node;
use super::object::{FunctionKind, Privilege, WayObject};
use super::review::{Definitions, FunctionReviews, review_of_text};
use super::way::{Barrier, Reach, Way, WayVerdict};
use super::writable::{DELETE, INSERT, UPDATE, Writable};

/// What is needed for code, beside the analysis.
pub(crate) struct CodeWays<'a> {
    pub(crate) analysis: &'a Analysis<'a>,
    pub(crate) writable: &'a Writable,
    pub(crate) definitions: &'a Definitions,
    pub(crate) reviews: &'a FunctionReviews<'a>,
}

/// A rule with actions.
#[derive(Debug, Clone)]
pub(crate) struct RuleFacts {
    pub(crate) id: i64,
    pub(crate) relation: i64,
    pub(crate) name: String,
    /// The event, as `tgtype` would have it.
    pub(crate) event: i32,
}

/// The rules that do something beside selecting for a view.
pub(crate) fn rules(analysis: &Analysis<'_>) -> Vec<RuleFacts> {
    let mut rules: Vec<RuleFacts> = Vec::new();
    for reference in analysis.facts.references.iter().filter(|reference| reference.kind == "rule") {
        let event = match reference.event.as_deref() {
            Some("2") => UPDATE,
            Some("3") => INSERT,
            Some("4") => DELETE,
            _ => continue,
        };
        let Some(relation) = reference.relation.filter(|_| rules.iter().all(|rule| rule.id != reference.id)) else {
            continue;
        };
        let name = reference.name.clone().unwrap_or_default();
        rules.push(RuleFacts { id: reference.id, relation, name, event });
    }
    rules
}

impl CodeWays<'_> {
    /// Functions that the login calls, or that something it uses calls.
    pub(crate) fn functions(&self) -> Vec<Way> {
        let facts = self.analysis.facts;
        let functions = facts.functions.values().filter(|function| function.definer || function.kind == "a");
        let mut ways = Vec::new();
        for function in functions {
            let Some(found) = self.analysis.found(Node::Function(function.id)) else { continue };
            ways.extend(match function.fires.as_deref() {
                None => vec![self.function(function, found)],
                Some(_) => self.fired(function, &found),
            });
        }
        ways
    }

    fn function(&self, function: &FunctionFacts, found: Found) -> Way {
        let reach = self.calls(function);
        let object = WayObject::Function {
            signature: function.signature.clone(),
            kind: kind(function),
            extension: function.extension.clone(),
        };
        let closing = match &reach {
            Reach::Calls { role } | Reach::Through { role, .. } => Some(self.revoke(function, role)),
            _ => None,
        };
        self.way(object, function, found, reach, closing, "")
    }

    /// The ways of a function that only triggers call.
    fn fired(&self, function: &FunctionFacts, found: &Found) -> Vec<Way> {
        let triggers = self.analysis.facts.triggers.iter().filter(|trigger| trigger.function == function.id);
        let mut ways: Vec<Way> = triggers.map(|trigger| self.trigger(trigger, function, found.clone())).collect();
        // Who may execute the function can hang it on a table of its own.
        let can_attach = function.fires.as_deref() == Some("trigger");
        let attaches =
            function.caller.as_ref().filter(|_| can_attach && self.analysis.facts.places.makes_anything.is_some());
        let reached = ways.iter().any(Way::is_reachable);
        let reach = match attaches {
            Some(role) if !reached => Reach::Attaches { role: role.clone() },
            _ if ways.is_empty() => Reach::Cannot { why: Barrier::NotFired },
            _ => return ways,
        };
        let closing = match &reach {
            Reach::Attaches { role } => Some(self.revoke(function, role)),
            _ => None,
        };
        let (signature, extension) = (function.signature.clone(), function.extension.clone());
        let object = WayObject::Function { signature, kind: kind(function), extension };
        ways.push(self.way(object, function, found.clone(), reach, closing, ""));
        ways
    }

    fn trigger(&self, trigger: &TriggerFacts, function: &FunctionFacts, found: Found) -> Way {
        let facts = self.analysis.facts;
        let table = trigger.relation.and_then(|id| facts.relations.get(&id));
        let reach = match trigger.relation {
            None => match &facts.places.makes_anything {
                Some(role) => Reach::ChangesDefinitions { role: role.clone() },
                None => Reach::Cannot { why: Barrier::NotFired },
            },
            Some(relation) => self.fires(relation, trigger.events),
        };
        let object = WayObject::Trigger {
            table: table.map(|table| table.name.clone()),
            name: trigger.name.clone(),
            function: function.signature.clone(),
        };
        let closing = (!matches!(reach, Reach::Cannot { .. }))
            .then(|| format!("ALTER FUNCTION {} SECURITY INVOKER", function.signature));
        let definition = self.definitions.trigger(trigger.id).text;
        self.way(object, function, found, reach, closing, &definition)
    }

    /// Rules of tables and views that the login can fire.
    pub(crate) fn rules(&self, rules: &[RuleFacts]) -> Vec<Way> {
        rules.iter().filter_map(|rule| self.rule(rule)).collect()
    }

    fn rule(&self, rule: &RuleFacts) -> Option<Way> {
        let (analysis, facts) = (self.analysis, self.analysis.facts);
        let relation = facts.relations.get(&rule.relation)?;
        let found = analysis.found(Node::Rule(rule.id))?;
        let reach = self.fires(rule.relation, rule.event);
        let verdict = verdict(&found, &reach);
        let text = self.definitions.rule(rule.id).text;
        let name = format!("{}.{}", relation.name, rule.name);
        Some(Way {
            object: WayObject::Rule { table: relation.name.clone(), name: rule.name.clone() },
            tables: analysis.names(&found.tables),
            chain: analysis.chain(&found.path),
            acts_as: found.actor,
            closing: if matches!(reach, Reach::Cannot { .. }) { None } else { Some(drop_rule(relation, rule)?) },
            reach,
            verdict,
            review: review_of_text(&name, &analysis.roles.name(relation.owner), &text),
        })
    }

    fn way(
        &self,
        object: WayObject,
        function: &FunctionFacts,
        found: Found,
        reach: Reach,
        closing: Option<String>,
        beside: &str,
    ) -> Way {
        Way {
            object,
            tables: self.analysis.names(&found.tables),
            chain: self.analysis.chain(&found.path),
            verdict: verdict(&found, &reach),
            acts_as: found.actor,
            reach,
            closing,
            review: self.reviews.of(function, beside),
        }
    }

    pub(crate) fn calls(&self, function: &FunctionFacts) -> Reach {
        if let Some(role) = &function.caller {
            return Reach::Calls { role: role.clone() };
        }
        let Some(role) = &function.executor else { return Reach::Cannot { why: Barrier::NoExecute } };
        let facts = self.analysis.facts;
        let through = facts.references.iter().find(|r| r.to_function && r.target == function.id);
        match through {
            None => Reach::Cannot { why: Barrier::NoRight },
            Some(through) => {
                let relation = through.relation.and_then(|id| facts.relations.get(&id));
                let object = match (relation, &through.name) {
                    (Some(relation), _) => format!("a {} of {}", through.kind, relation.name),
                    (None, Some(name)) => format!("the {} {name}", through.kind),
                    (None, None) => format!("a {}", through.kind),
                };
                Reach::Through { role: role.clone(), object }
            }
        }
    }

    /// How the login fires what depends on a table or view.
    pub(crate) fn fires(&self, relation: i64, events: i32) -> Reach {
        let facts = self.analysis.facts;
        let mut writes = self.writable.get(&relation).into_iter().flatten();
        let Some(write) = writes.find(|write| write.events & events != 0) else {
            return Reach::Cannot { why: Barrier::NotFired };
        };
        let begins = write.begins.and_then(|id| facts.relations.get(&id)).or_else(|| facts.relations.get(&relation));
        match begins {
            Some(begins) => {
                Reach::Fires { role: write.role.clone(), table: begins.name.clone(), chain: write.chain.clone() }
            }
            None => Reach::Cannot { why: Barrier::NotFired },
        }
    }

    fn revoke(&self, function: &FunctionFacts, role: &str) -> String {
        let on = GrantedOn::Function(function.id);
        let from = Granted::of(self.analysis, on, function.owner, &[Privilege::Execute], role);
        from.revoke(format_args!("EXECUTE ON ROUTINE {}", function.signature))
    }
}

/// The statement that removes a rule.
pub(crate) fn drop_rule(relation: &RelationFacts, rule: &RuleFacts) -> Option<String> {
    let drop = Template::new(r#"DROP RULE :"rule" ON :"table""#).table("table", &relation.name);
    Some(drop.ident("rule", &Ident::new(&rule.name).ok()?).build().as_str().to_owned())
}

fn verdict(found: &Found, reach: &Reach) -> WayVerdict {
    match (reach, &found.unreadable) {
        (Reach::Cannot { .. }, _) => WayVerdict::Closed,
        (_, Some(why)) => WayVerdict::NeedsReview { why: why.clone() },
        (_, None) => WayVerdict::Open,
    }
}

pub(crate) fn kind(function: &FunctionFacts) -> FunctionKind {
    match (function.fires.as_deref(), function.kind.as_str()) {
        (Some("trigger"), _) => FunctionKind::Trigger,
        (Some(_), _) => FunctionKind::EventTrigger,
        (None, "p") => FunctionKind::Procedure,
        (None, "a") => FunctionKind::Aggregate,
        (None, "w") => FunctionKind::Window,
        (None, _) => FunctionKind::Function,
    }
}
