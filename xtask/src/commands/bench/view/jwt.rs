//! The report of `bench jwt`.

use bench::JwtBenchReport;

use crate::document::block::{Document, Table, lines, number, text};
use crate::document::report::Report;

impl Report for JwtBenchReport {
    const NAME: &'static str = "bench jwt";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let milliseconds = |time: f64| format!("{time:.1} ms");
        let rows = self.candidates.iter().map(|candidate| {
            vec![candidate.name.to_owned(), milliseconds(candidate.cpu_ms), milliseconds(candidate.wall_ms)]
        });
        let (build, cores, node, runs) = (self.build, self.cores, &self.node, self.runs);
        let agreement = if self.same_claims {
            "Sessions of both were read and say the same."
        } else {
            "The figures compare nothing: a session could not be read."
        };
        let measured = "One session, from the start of the process to its end, mean of";
        let measured = format!("{measured} {runs} runs; {build} build, Node {node}, {cores} cores.");
        Document::new([
            Table::new([text("minted by"), number("CPU"), number("time")], rows).into(),
            lines([measured, agreement.to_owned()]),
        ])
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let line = |candidate: &bench::JwtCandidate| {
            vec![candidate.name.to_owned(), format!("{:.3}", candidate.cpu_ms), format!("{:.3}", candidate.wall_ms)]
        };
        Some((vec!["candidate", "cpu_ms", "wall_ms"], self.candidates.iter().map(line).collect()))
    }
}
