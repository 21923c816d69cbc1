//! The report of `bench seed`.

use std::time::Duration;

use bench::{PeakMemory, SeedBenchReport, SeedCandidate, SeedCandidateReport};

use super::figures::machine;
use crate::document::block::{Document, Table, lines, number, paragraph, text};
use crate::document::report::Report;
use crate::number_format::{count, duration};

impl Report for SeedBenchReport {
    const NAME: &'static str = "bench seed";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let numbers = ["tenants", "time", "tenants/s", "round trips"].map(number);
        let rows = self.candidates.iter().map(|candidate| {
            let time = Duration::try_from_secs_f64(candidate.seconds).unwrap_or_default();
            vec![
                name(candidate.candidate).to_owned(),
                count(candidate.tenants),
                duration(time),
                count(candidate.tenants_per_second as u64),
                format!("× {:.1}", candidate.times_round_trips),
            ]
        });
        let mut document = Document::new([Table::new([text("way")].into_iter().chain(numbers), rows).into()]);
        if !self.memory.is_empty() {
            document.push(memory(&self.memory));
        }
        let agreement = match self.same_result {
            true => "All of them left every tenant with the same settings.",
            false => "The figures compare nothing: the settings differ.",
        };
        let machine = machine(String::new(), self.build, self.cores, &self.server);
        document.extend([lines(machine), paragraph(agreement)]);
        document
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let header = vec!["candidate", "tenants", "seconds", "tenants_per_second", "times_round_trips"];
        let line = |candidate: &SeedCandidateReport| {
            vec![
                name(candidate.candidate).to_owned(),
                candidate.tenants.to_string(),
                format!("{:.3}", candidate.seconds),
                format!("{:.0}", candidate.tenants_per_second),
                format!("{:.2}", candidate.times_round_trips),
            ]
        };
        Some((header, self.candidates.iter().map(line).collect()))
    }
}

fn name(candidate: SeedCandidate) -> &'static str {
    match candidate {
        SeedCandidate::RoundTrips => "one round trip a statement",
        SeedCandidate::OneConnection => "seed-tenant-defaults --connections 1",
        SeedCandidate::Job => "seed-tenant-defaults",
    }
}

fn memory(peaks: &[PeakMemory]) -> Table {
    let line = |peak: &PeakMemory| [peak.lines, peak.before_kib, peak.peak_kib].map(count);
    Table::new(["lines of CSV", "KiB before", "KiB at most"].map(number), peaks.iter().map(line))
}
