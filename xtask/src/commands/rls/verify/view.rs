//! The report of `rls verify`: the attempts on each table, and the findings.

use rls_verify::{Attempt, AttemptKind, Evidence, Finding, TableProof, VerifyReport};

use crate::document::block::{Document, List, Table, paragraph, text};
use crate::document::report::Report;
use crate::number_format::counted;

impl Report for VerifyReport {
    const NAME: &'static str = "rls verify";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let headings = [
            "table",
            "phase",
            "own",
            "other",
            "unset",
            "empty",
            "unknown",
            "platform",
            "ins own",
            "ins other",
            "ins unset",
            "give",
            "change",
            "delete",
            "no tenant",
        ];
        let legend = "own to platform: reading; then inserting, giving away, changing, deleting, and writing without a tenant. -: not tried.";
        let mut document =
            Document::new([Table::new(headings.map(text), self.tables.iter().map(row)).into(), paragraph(legend)]);
        document.extend(List::new("Findings:", self.findings.iter().map(told)).unless_empty());
        let notes = List::new("Not open to the application's login:", self.notes.iter().map(told));
        document.extend(notes.unless_empty());
        if self.untried() > 0 {
            let untried = counted(self.untried() as u64, "table", "tables");
            document.push(paragraph(format!(
                "Other tenants' rows could not be tried in {untried}: there the catalog alone speaks; --format json says why."
            )));
        }
        let tables = counted(self.tables.len() as u64, "table", "tables");
        let result = match self.findings.len() {
            0 => "no attempt reached another tenant's rows".to_owned(),
            number => counted(number as u64, "finding", "findings"),
        };
        document.push(paragraph(format!("{tables}, tried as {}: {result}.", self.app_login)));
        document
    }
}

fn told(finding: &Finding) -> String {
    let table = finding.table.as_ref().map(|table| format!("{table}: ")).unwrap_or_default();
    format!("{table}{}", finding.what)
}

fn row(proof: &TableProof) -> Vec<String> {
    let mut cells = vec![proof.table.to_string(), proof.phase.to_string()];
    cells.extend(AttemptKind::ALL.map(|what| cell(&proof.attempts, what).to_owned()));
    cells
}

/// The worst result of the attempts of a kind.
fn cell(attempts: &[Attempt], what: AttemptKind) -> &'static str {
    let of_kind = || attempts.iter().filter(|attempt| attempt.what == what).map(|attempt| attempt.result);
    if of_kind().any(|result| result == Evidence::Leak) {
        "LEAK"
    } else if of_kind().any(|result| result == Evidence::Hidden) {
        "HIDDEN"
    } else if of_kind().any(|result| result == Evidence::AsExpected) {
        "ok"
    } else {
        "-"
    }
}
