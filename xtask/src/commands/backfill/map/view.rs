//! The list of values that are no tenant's key.

use backfill_engine::MapReport;
use tenancy_config::{CommandRef, Hint};
use tenant_inventory::{Called, CalledBy, StrayValue};

use crate::document::block::{Document, Table, lines, number, text};
use crate::document::report::Report;
use crate::number_format::{count, counted};

impl Report for MapReport {
    const NAME: &'static str = "backfill map";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let mut document = Document::default();
        let rows = self.tables.iter().flat_map(|table| {
            let of_table = |value: &StrayValue| {
                vec![table.table.to_string(), shown(&value.value), count(value.rows), proposal(value.proposal.as_ref())]
            };
            table.stray.values.iter().map(of_table).collect::<Vec<_>>()
        });
        if !self.tables.is_empty() {
            let columns = [text("table"), text("value"), number("rows"), text("proposal")];
            document.push(Table::new(columns, rows));
        }
        let more = self.tables.iter().filter(|table| table.stray.more_values > 0).map(|table| {
            let more = counted(table.stray.more_values, "value", "values");
            Hint::from(format!("{}: and {more} more", table.table))
        });
        let unread =
            self.unread.iter().map(|table| Hint::from(format!("{} was not read: {}", table.table, table.error)));
        document.push(lines(more.chain(unread).chain([conclusion(self)])));
        document
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let lines = self.tables.iter().flat_map(|table| {
            table.stray.values.iter().map(|value| {
                let to = value.proposal.as_ref().map(|called| called.tenant.clone()).unwrap_or_default();
                vec![table.table.to_string(), value.value.clone(), value.rows.to_string(), to]
            })
        });
        Some((vec!["table", "from", "rows", "to"], lines.collect()))
    }
}

/// A value as people read it.
pub(crate) fn shown(value: &str) -> String {
    if value.is_empty() { "(the empty string)".to_owned() } else { value.to_owned() }
}

fn proposal(called: Option<&Called>) -> String {
    let Some(Called { tenant, by }) = called else { return String::new() };
    let by = match by {
        CalledBy::Slug => "slug",
        CalledBy::Name => "name",
    };
    format!("{tenant}, whose {by} it is")
}

fn conclusion(report: &MapReport) -> Hint {
    let rows: u64 = report.tables.iter().map(|table| table.stray.rows).sum();
    if rows == 0 {
        return "0 rows hold a value that is no tenant's key.".into();
    }
    let rows = counted(rows, "row holds", "rows hold");
    // Of several tables, a file is for all that have such a value.
    let tables = match &report.tables[..] {
        [only] => only.table.to_string(),
        _ => "--all".to_owned(),
    };
    let file = "map.csv".to_owned();
    Hint::from(format!("{rows} a value that is no tenant's key. Next: "))
        .then_quoted(CommandRef::BackfillMapOutput { tables: tables.clone(), file: file.clone() })
        .then(" writes them with the proposals; fill in `to`, and ")
        .then_quoted(CommandRef::BackfillMapFile { tables, file })
        .then(" shows what it would do.")
}
