//! Which tables and views the login can write to, itself or through what it can fire.

use std::collections::{BTreeMap, VecDeque};

use super::facts::{Cascade, Facts, Held};
use super::texts::{Text, Texts};

/// The events of `tgtype`.
pub(crate) const INSERT: i32 = 4;
pub(crate) const DELETE: i32 = 8;
pub(crate) const UPDATE: i32 = 16;
pub(crate) const TRUNCATE: i32 = 32;
const ANY: i32 = INSERT | DELETE | UPDATE | TRUNCATE;

/// How the login writes to a table or view.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    /// What it can do there, by the events of `tgtype`.
    pub(crate) events: i32,
    /// The role that has the right.
    pub(crate) role: String,
    /// What it has the right on; none where a function writes.
    pub(crate) begins: Option<i64>,
    /// What lies between that and the table.
    pub(crate) chain: Vec<String>,
}

/// How the login writes to each table and view that it can write to, first the most direct ways.
pub(crate) type Writable = BTreeMap<i64, Vec<Write>>;

/// The events that rights allow.
pub(crate) fn events(held: &Held) -> i32 {
    let bit = |right: bool, event: i32| if right { event } else { 0 };
    bit(held.inserts, INSERT) | bit(held.updates, UPDATE) | bit(held.deletes, DELETE) | bit(held.truncates, TRUNCATE)
}

/// Finds them.
pub(crate) fn writable(facts: &Facts, texts: &Texts) -> Writable {
    let mut writable = Writable::new();
    let mut open = VecDeque::new();
    for id in facts.relations.keys() {
        let mut add = |held: &Held| {
            let events = events(held);
            let write = Write { events, role: held.role.clone(), begins: Some(*id), chain: Vec::new() };
            writable.entry(*id).or_default().push(write);
        };
        let of_login = facts.rights.get(id).into_iter().flatten();
        of_login.filter(|held| held.in_sight && events(held) != 0).for_each(&mut add);
        open.extend(writable.contains_key(id).then_some(*id));
    }
    by_functions(facts, texts, &mut writable, &mut open);
    let leads = leads(facts);
    while let Some(from) = open.pop_front() {
        for (to, through) in leads.get(&from).into_iter().flatten() {
            if writable.get(to).is_some_and(|writes| writes.iter().any(|write| write.events == ANY)) {
                continue;
            }
            let Some(first) = writable.get(&from).and_then(|writes| writes.first()).cloned() else { continue };
            let chain = first.chain.iter().cloned().chain([through.clone()]).collect();
            writable.entry(*to).or_default().push(Write { events: ANY, chain, ..first });
            open.push_back(*to);
        }
    }
    writable
}

/// What functions that run as their owner write for whoever calls them.
fn by_functions(facts: &Facts, texts: &Texts, writable: &mut Writable, open: &mut VecDeque<i64>) {
    let definers = facts.functions.values().filter(|function| function.definer && function.fires.is_none());
    for function in definers {
        let Some(role) = &function.caller else { continue };
        let writes_anything = match texts.get(&function.id) {
            Some(Text::Read(body)) => body.opaque.is_some(),
            Some(Text::Unread(_)) => function.extension.is_none(),
            Some(Text::Empty) | None => false,
        };
        for relation in facts.relations.values() {
            let names = matches!(texts.get(&function.id), Some(Text::Read(body)) if body.writes && body.names.contains(relation.name.name().as_str()));
            if names || writes_anything {
                let chain = vec![format!("the function {}", function.signature)];
                let write = Write { events: ANY, role: role.clone(), begins: None, chain };
                writable.entry(relation.id).or_default().push(write);
                open.push_back(relation.id);
            }
        }
    }
}

/// From what a write goes on to what, and by what.
fn leads(facts: &Facts) -> BTreeMap<i64, Vec<(i64, String)>> {
    let mut leads: BTreeMap<i64, Vec<(i64, String)>> = BTreeMap::new();
    for reference in facts.references.iter().filter(|reference| !reference.to_function) {
        let Some(relation) = reference.relation.and_then(|id| facts.relations.get(&id)) else { continue };
        let through = match reference.kind.as_str() {
            "view" if relation.kind == "v" => format!("the view {}", relation.name),
            "rule" => format!("the rule {} of {}", reference.name.as_deref().unwrap_or_default(), relation.name),
            _ => continue,
        };
        leads.entry(relation.id).or_default().push((reference.target, through));
    }
    for relation in facts.relations.values() {
        if let Some(parent) = relation.parent.and_then(|id| facts.relations.get(&id)) {
            leads.entry(parent.id).or_default().push((relation.id, format!("its partition {}", relation.name)));
        }
    }
    for Cascade { child, parent, .. } in &facts.cascades {
        let Some(name) = facts.relations.get(child).map(|relation| &relation.name) else { continue };
        leads.entry(*parent).or_default().push((*child, format!("a foreign key of {name}")));
    }
    leads
}
