//! What was found so far: evidence, findings and notes.

use tenancy_config::TableName;
use tenant_inventory::Way;
use tenant_inventory::claim::breach::Breach;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::examined::{Attempt, ObjectCheck, TableProof};
use tenant_inventory::claim::finding::Finding;

use crate::report::{Note, NoteKind};
use crate::ways::WayResult;

/// What was found so far.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) tables: Vec<TableProof>,
    pub(crate) objects: Vec<ObjectCheck>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) notes: Vec<Note>,
}

impl Found {
    pub(crate) fn of_login(&mut self, breaches: impl IntoIterator<Item = Breach>) {
        self.findings.extend(breaches.into_iter().map(|breach| Finding { table: None, breach }));
    }

    /// What a way showed.
    pub(crate) fn of_way(&mut self, way: Way, result: WayResult) {
        if let Evidence::Broken { breach } = &result.evidence {
            self.findings.push(Finding { table: None, breach: breach.clone() });
        }
        self.objects.push(ObjectCheck { object: way.object.to_string(), evidence: result.evidence });
        if let Some(by) = result.closed_by {
            self.notes.push(Note { table: None, what: NoteKind::ClosedWay { way: Box::new(way), by } });
        }
    }

    /// What the attempts on a table found, with the policies that may have let it through.
    pub(crate) fn of_attempts(&mut self, table: &TableName, attempts: &mut [Attempt], through: &[String]) {
        for attempt in attempts {
            let Evidence::Broken { breach } = &mut attempt.evidence else { continue };
            *breach = breach.clone().through_policies(through);
            let finding = Finding { table: Some(table.clone()), breach: breach.clone() };
            // The same was tried under several values of the variable.
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }
}
