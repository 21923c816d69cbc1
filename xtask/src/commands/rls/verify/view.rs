//! The report of `rls verify`: the evidence for each table, what is wrong, what is missing, and the claim.

use rls_verify::{ClosedBy, Note, NoteKind, VerifyReport};
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::breach::Breach;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::claim::examined::{Exposure, TableProof};
use tenant_inventory::claim::verdict::Claim;

use crate::document::block::{Document, List, Table, lines, paragraph, text};
use crate::document::report::Report;
use crate::number_format::counted;

/// The attempts, each with the heading of its column.
const COLUMNS: [(AttemptKind, &str); 17] = [
    (AttemptKind::ReadOwn, "own"),
    (AttemptKind::ReadOther, "other"),
    (AttemptKind::ReadUnset, "unset"),
    (AttemptKind::ReadEmpty, "empty"),
    (AttemptKind::ReadUnknown, "unknown"),
    (AttemptKind::ReadPlatform, "platform"),
    (AttemptKind::InsertOwn, "ins own"),
    (AttemptKind::InsertOther, "ins other"),
    (AttemptKind::InsertUnset, "ins unset"),
    (AttemptKind::UpdateOwn, "upd own"),
    (AttemptKind::UpdateAway, "give"),
    (AttemptKind::UpdateOther, "upd other"),
    (AttemptKind::UpdateUnqualified, "upd all"),
    (AttemptKind::DeleteOwn, "del own"),
    (AttemptKind::DeleteOther, "del other"),
    (AttemptKind::DeleteUnqualified, "del all"),
    (AttemptKind::WriteWithoutTenant, "no tenant"),
];

impl Report for VerifyReport {
    const NAME: &'static str = "rls verify";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let headings = ["table", "phase"].into_iter().chain(COLUMNS.map(|(_, heading)| heading));
        let rows = self.tables.iter().map(|proof| row(proof, &self.app_login));
        let legend = "Reading, inserting, changing (upd) and deleting (del). def: not tried, the policy's definition says so. -: not tried.";
        let mut document = Document::new([Table::new(headings.map(text), rows).into(), paragraph(legend)]);
        let exempt = self.claim.exempt().iter().map(|exempt| format!("{}: {}", exempt.table, exempt.why));
        let exposures = self.claim.exposures().iter().map(exposure);
        let lists = [
            list("Findings:", self.findings.iter()),
            list("Missing for a proof:", self.claim.missing().iter()),
            notes(&self.notes),
            list("Declared exempt:", exempt),
            list("Shown before a tenant is known, as declared:", exposures),
            by_definition(&self.claim),
        ];
        document.extend(lists.into_iter().filter_map(List::unless_empty));
        let tables = counted(self.tables.len() as u64, "table or partition", "tables and partitions");
        let claim = format!("{tables}, tried as {}: {}.", self.app_login, self.claim);
        document.push(lines([Claim::not_claimed().to_string(), claim]));
        document
    }
}

/// What a login of its own reaches before a tenant is known.
fn exposure(exposure: &Exposure) -> String {
    let Exposure { table, role, rights, why } = exposure;
    format!("{table}: {role} has {}: {why}", rights.join(", "))
}

fn list<T: ToString>(title: &str, items: impl Iterator<Item = T>) -> List {
    List::new(title, items.map(|item| item.to_string()))
}

/// The notes; foreign keys that nothing crosses are counted, as each reference that cascades is one.
fn notes(notes: &[Note]) -> List {
    let not_crossed = |note: &&Note| matches!(note.what, NoteKind::ClosedWay { by: ClosedBy::NoCrossing, .. });
    let told = notes.iter().filter(|note| !not_crossed(note)).map(ToString::to_string);
    let keys = notes.iter().filter(not_crossed).count() as u64;
    let keys = (keys > 0).then(|| {
        let keys = counted(keys, "foreign key that changes rows", "foreign keys that change rows");
        format!("{keys} by itself: no row of one tenant references another's (--format json names each)")
    });
    list("Not open to the application's login, or declared:", told.chain(keys))
}

/// Which tables were not tried in full, by the reason.
fn by_definition(claim: &Claim) -> List {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for known in claim.by_definition() {
        let (reason, table) = (known.because.to_string(), known.table.to_string());
        match reasons.iter_mut().find(|(listed, _)| *listed == reason) {
            Some((_, tables)) if tables.contains(&table) => {}
            Some((_, tables)) => tables.push(table),
            None => reasons.push((reason, vec![table])),
        }
    }
    let told = reasons.iter().map(|(reason, tables)| format!("{reason}: {}", tables.join(", ")));
    list("Held by the definition of the policy, and not tried:", told)
}

fn row(proof: &TableProof, login: &str) -> Vec<String> {
    let mut cells = vec![proof.table.to_string(), proof.phase.to_string()];
    cells.extend(COLUMNS.map(|(what, _)| cell(proof, what, login).to_owned()));
    cells
}

/// The worst evidence of a kind: what is broken as any login, else what the application's login showed.
fn cell(proof: &TableProof, what: AttemptKind, login: &str) -> &'static str {
    let of_kind = || proof.attempts.iter().filter(|attempt| attempt.what == what);
    let breaches = || of_kind().filter_map(|attempt| attempt.evidence.breach());
    let as_login = || of_kind().filter(|attempt| attempt.login == login).map(|attempt| &attempt.evidence);
    if breaches().any(Breach::crosses_tenants) {
        "LEAK"
    } else if breaches().any(|breach| matches!(breach, Breach::Hidden { .. })) {
        "HIDDEN"
    } else if breaches().next().is_some() {
        "FAILED"
    } else if as_login().any(|evidence| matches!(evidence, Evidence::NotTried { .. })) {
        "-"
    } else if as_login().any(|evidence| matches!(evidence, Evidence::HeldByDefinition { .. })) {
        "def"
    } else if as_login().next().is_some() {
        "ok"
    } else {
        "-"
    }
}
