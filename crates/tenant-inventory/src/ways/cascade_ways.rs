//! Triggers that a foreign key fires. The server deletes and changes rows for a key as the owner of their table, under the path of the session,
//! and a trigger function without SECURITY DEFINER then runs as that owner.

use super::code_ways::CodeWays;
use super::facts::{Cascade, FunctionFacts, TriggerFacts};
use super::object::WayObject;
use super::path::closing;
use super::way::{Reach, Reviewable, Way, WayVerdict};
use super::writable::{DELETE, UPDATE};

/// `tgtype` of a trigger that fires before the change.
const BEFORE: i32 = 2;

/// From this version on, a trigger that fires after the change runs as who made that, too, and not as whoever the session is at the end of the
/// statement.
const AFTER_AS_WRITER: i32 = 180_000;

impl CodeWays<'_> {
    /// The ways.
    pub(crate) fn cascaded(&self, version: i32) -> Vec<Way> {
        let facts = self.analysis.facts;
        let mut ways: Vec<Way> = Vec::new();
        for cascade in &facts.cascades {
            let Some(reach) = self.fired_by(cascade) else { continue };
            let fires = |trigger: &&TriggerFacts| {
                let as_owner = trigger.events & BEFORE != 0 || version >= AFTER_AS_WRITER;
                trigger.relation == Some(cascade.child) && trigger.events & (DELETE | UPDATE) != 0 && as_owner
            };
            for trigger in facts.triggers.iter().filter(fires) {
                let Some(function) = facts.functions.get(&trigger.function).filter(|function| !function.definer) else {
                    continue;
                };
                for way in self.of_trigger(trigger, function, cascade.child, &reach) {
                    if ways.iter().all(|known| known.object != way.object) {
                        ways.push(way);
                    }
                }
            }
        }
        ways
    }

    /// How the login makes a key delete or change rows.
    fn fired_by(&self, cascade: &Cascade) -> Option<Reach> {
        let bit = |acts: bool, event: i32| if acts { event } else { 0 };
        let events = bit(cascade.on_delete, DELETE) | bit(cascade.on_update, UPDATE);
        let child = self.analysis.facts.relations.get(&cascade.child)?;
        match self.fires(cascade.parent, events) {
            Reach::Fires { role, table, mut chain } => {
                chain.push(format!("a foreign key of {}", child.name));
                Some(Reach::Fires { role, table, chain })
            }
            _ => None,
        }
    }

    fn of_trigger(&self, trigger: &TriggerFacts, function: &FunctionFacts, child: i64, reach: &Reach) -> Vec<Way> {
        let Some(table) = self.analysis.facts.relations.get(&child) else { return Vec::new() };
        let of = |looked: bool| {
            let (found, looked_up) = self.analysis.found_as(function.id, table.owner, looked)?;
            let (closing, review) = match &looked_up {
                Some(_) => (closing(function, &self.analysis.facts.places), Reviewable::NotCode),
                None => {
                    let definition = self.definitions.trigger(trigger.id).text;
                    let closing = format!("ALTER TABLE {} DISABLE TRIGGER {}", table.printed, trigger.printed);
                    (closing, self.reviews.of(function, &definition))
                }
            };
            Some(Way {
                object: WayObject::CascadedTrigger {
                    table: table.name.clone(),
                    name: trigger.name.clone(),
                    function: function.signature.clone(),
                    looked_up,
                },
                tables: self.analysis.names(&found.tables),
                chain: self.analysis.chain(&found.path),
                verdict: match found.unreadable {
                    Some(why) => WayVerdict::NeedsReview { why },
                    None => WayVerdict::Open,
                },
                acts_as: found.actor,
                reach: reach.clone(),
                closing: Some(closing),
                review,
            })
        };
        [true, false].into_iter().filter_map(of).collect()
    }
}
