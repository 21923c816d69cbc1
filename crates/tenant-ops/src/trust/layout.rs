//! The layout of the schema as `sql/tenant-ops/layout.txt` has it, and how the schema differs from that.

use std::collections::{BTreeMap, BTreeSet};

use crate::trust::finding::TrustFinding;
use crate::trust::right::Right;

/// Counts up with every change of the definitions in `sql/tenant-ops/`.
pub(crate) const VERSION: i32 = 10;

/// Something in the schema, as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) kind: String,
    pub(crate) name: String,
    /// None where it has no owner of its own.
    pub(crate) owner: Option<String>,
    pub(crate) text: String,
}

/// The layout that the schema is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Today's layout, all of it.
    Now,
    /// An earlier one, or none: an object may be of either layout, and some may be missing. Objects that an upgrade replaces before
    /// they are used may be anything.
    Earlier,
}

/// Everything that this program makes in the schema.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    now: BTreeMap<(&'static str, &'static str), &'static str>,
    earlier: BTreeMap<(&'static str, &'static str), &'static str>,
    /// What the role of batches may do: kind, object, column, privilege.
    rights: Vec<(&'static str, &'static str, Option<&'static str>, &'static str)>,
}

/// The functions, whose bodies are compared with the files that they are made from.
pub(crate) const FUNCTIONS: [(&str, &str); 1] =
    [("apply_batch", include_str!("../../../../sql/tenant-ops/apply_batch.sql"))];

impl Layout {
    /// The layout of this version.
    pub(crate) fn ours() -> Self {
        let mut layout = Self::default();
        for (name, script) in FUNCTIONS {
            layout.now.insert(("body", name), body(script));
        }
        for line in include_str!("../../../../sql/tenant-ops/layout.txt").lines() {
            layout.read(line);
        }
        layout
    }

    fn read(&mut self, line: &'static str) {
        if line.starts_with('#') || line.is_empty() {
            return;
        }
        let (earlier, line) = line.strip_prefix("earlier ").map_or((false, line), |line| (true, line));
        let (object, text) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        let (kind, name) = object.split_once(' ').unwrap_or((object, ""));
        if kind == "right" {
            let (of, object) = name.split_once(' ').unwrap_or((name, ""));
            let (object, column) = match object.split_once('.') {
                Some((object, column)) => (object, Some(column)),
                None => (object, None),
            };
            self.rights.extend(text.split(", ").map(|privilege| (of, object, column, privilege)));
        } else if earlier {
            self.earlier.insert((kind, name), text);
        } else {
            self.now.insert((kind, name), text);
        }
    }

    /// Whether the role of batches was given this right.
    fn gives(&self, right: &Right) -> bool {
        let asked = (right.kind.as_str(), right.object.as_str(), right.column.as_deref(), right.privilege.as_str());
        self.rights.contains(&asked)
    }

    /// Whether the object that holds the number of the layout is the table that this program made.
    pub(crate) fn has_version_table(&self, there: &[Definition]) -> bool {
        let about = |name: &str| name == "installed" || name.starts_with("installed.");
        let ours: BTreeSet<_> =
            self.now.iter().filter(|((_, name), _)| about(name)).map(|(key, text)| (*key, *text)).collect();
        let there = there.iter().filter(|object| about(&object.name));
        ours == there.map(|object| ((&*object.kind, &*object.name), &*object.text)).collect()
    }

    /// Everything that is there and not in this layout, or in it and not there.
    pub(crate) fn compare(&self, there: &[Definition], known: Known) -> Vec<TrustFinding> {
        let mut findings: Vec<TrustFinding> = there.iter().filter_map(|object| self.differs(object, known)).collect();
        if known == Known::Now {
            let is_there =
                |kind: &str, name: &str| there.iter().any(|object| object.kind == kind && object.name == name);
            let missing = self.now.keys().filter(|(kind, name)| !is_there(kind, name));
            findings.extend(missing.map(|(kind, name)| TrustFinding::Missing { object: named(kind, name) }));
        }
        findings
    }

    /// The finding, where somebody has a right that this program did not give. A team may let others read the book-keeping; nobody else
    /// may write to it.
    pub(crate) fn compare_right(&self, right: Right, known: Known) -> Option<TrustFinding> {
        let reads = matches!((right.kind.as_str(), right.privilege.as_str()), (_, "SELECT") | ("SCHEMA", "USAGE"));
        let given = match &right.role {
            Some(_) if right.maintenance => self.gives(&right),
            // Earlier layouts left PUBLIC the rights that PostgreSQL gives it.
            None => known == Known::Earlier && right.kind == "FUNCTION",
            Some(_) => reads && !right.of_application,
        };
        let Right { kind, object, role, statement_right, statement_rest, .. } = right;
        let object = format!("{} {object}", kind.to_lowercase());
        let rights = vec![statement_right];
        (!given).then_some(TrustFinding::Right { role, rights, object, revoke: statement_rest })
    }

    fn differs(&self, there: &Definition, known: Known) -> Option<TrustFinding> {
        let key = (there.kind.as_str(), there.name.as_str());
        let (now, earlier) = (self.now.get(&key), self.earlier.get(&key).filter(|_| known == Known::Earlier));
        let replaced = known == Known::Earlier && matches!(key.0, "function" | "body" | "view");
        let object = named(key.0, key.1);
        match now.or(earlier) {
            Some(_) if replaced || now == Some(&&*there.text) || earlier == Some(&&*there.text) => None,
            Some(expected) => {
                Some(TrustFinding::Changed { object, definition: there.text.clone(), expected: (*expected).to_owned() })
            }
            None => Some(TrustFinding::Unexpected { object, definition: there.text.clone() }),
        }
    }
}

impl Definition {
    /// The finding, where it belongs to another role than the schema.
    pub(crate) fn belongs_to_another(&self, owner: &str) -> Option<TrustFinding> {
        let other = self.owner.clone().filter(|other| other != owner)?;
        Some(TrustFinding::OtherOwner {
            object: named(&self.kind, &self.name),
            owner: other,
            expected: owner.to_owned(),
        })
    }
}

fn named(kind: &str, name: &str) -> String {
    match kind {
        "body" => format!("body of the function {name}"),
        _ => format!("{kind} {name}"),
    }
}

/// The text between the dollar quotes of a script that makes a function.
fn body(script: &'static str) -> &'static str {
    script.split("$$").nth(1).expect("a script of sql/tenant-ops/ that makes a function quotes its body with dollars")
}
