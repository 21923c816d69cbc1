//! The report of `bench rls --tables`.

use bench::{CommandTime, ManyTablesReport};

use super::figures::{goals, machine};
use crate::document::block::{Document, Table, lines, number, text};
use crate::document::report::Report;
use crate::number_format::count;

impl Report for ManyTablesReport {
    const NAME: &'static str = "bench rls --tables";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let rows = self.commands.iter().map(|time| {
            vec![
                time.command.to_owned(),
                format!("{:.0} ms", time.ms),
                format!("{:.1} ms", time.ms_per_table),
                format!("× {:.1}", time.times_status),
            ]
        });
        let numbers = ["time", "for each table", "beside status"].map(number);
        let table = Table::new([text("command")].into_iter().chain(numbers), rows);
        let mut document = Document::new([table.into()]);
        if !self.goals.is_empty() {
            document.extend([goals(&self.goals)]);
        }
        let rest = "Not every table went the whole way and back.";
        let data = format!("{} tables; ", count(self.tables));
        let circumstances = machine(data, self.build, self.cores, &self.server);
        document.extend([lines(circumstances.into_iter().chain((!self.complete).then(|| rest.to_owned())))]);
        document
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let line = |time: &CommandTime| {
            vec![
                time.command.to_owned(),
                format!("{:.3}", time.ms),
                format!("{:.3}", time.ms_per_table),
                format!("{:.3}", time.times_status),
            ]
        };
        let header = vec!["command", "ms", "ms_per_table", "times_status"];
        Some((header, self.commands.iter().map(line).collect()))
    }
}
