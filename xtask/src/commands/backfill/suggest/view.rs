//! Suggestions as a section of `tenancy.toml` or as a table.

use backfill_engine::{SourceSuggestion, SuggestReport, TableSuggestion};
use tenancy_config::Tenancy;
use tenancy_config::tenancy::{SourceRule, TableRules, fragment};

use crate::document::block::{Document, Table, lines, paragraph, text};
use crate::document::report::Report;

/// A section of `tenancy.toml`. It has all that the file says about each of its tables, as a table can be in the file only once.
pub(super) fn toml(report: &SuggestReport, tenancy: &Tenancy, missing: bool) -> String {
    let wanted = |table: &&TableSuggestion| match missing {
        true => table.sources.iter().any(SourceSuggestion::is_missing),
        false => !table.sources.is_empty(),
    };
    let mut out: Vec<String> =
        report.tables.iter().filter(wanted).map(|suggestion| one_table(suggestion, tenancy)).collect();
    if out.is_empty() {
        out.push(match missing {
            true => "# Nothing is missing: tenancy.toml has every source that was found.\n".to_owned(),
            false => "# No table has a column that points to rows with a tenant.\n".to_owned(),
        });
    }
    let untold = report.tables.iter().filter(|table| table.is_untold());
    let without: Vec<&str> = untold.clone().map(|table| table.name.as_str()).collect();
    if !without.is_empty() {
        out.push(comment(&format!("Nothing tells the tenant of: {}", without.join(", "))));
    }
    out.extend(untold.filter(|table| !table.notes.is_empty()).map(notes));
    out.extend(report.unsuitable.iter().map(|table| comment(&format!("{} is left out: {}", table.table, table.cause))));
    out.join("\n")
}

fn one_table(suggestion: &TableSuggestion, tenancy: &Tenancy) -> String {
    let there = tenancy.rules(&suggestion.table);
    let proposed = |source: &&SourceSuggestion| source.proposed || source.declared;
    let sources = suggestion.sources.iter().filter(proposed).map(|source| source.rule.clone()).collect();
    let rules = TableRules { sources, ..there.cloned().unwrap_or_default() };
    let said = |rule: &SourceRule| {
        let source = suggestion.sources.iter().find(|source| source.rule == *rule)?;
        let new = if source.declared { "" } else { "new: " };
        Some(format!("{new}{}", source.reason))
    };
    let mut out = fragment(&suggestion.name, &rules, &said).trim_start().to_owned();
    if rules == TableRules::default() && there.is_none() {
        out = comment(&format!("Nothing is good enough to tell the tenant of {}:", suggestion.name));
    }
    for source in suggestion.sources.iter().filter(|source| !proposed(source)) {
        let SourceRule { column, table, key, .. } = &source.rule;
        let rule = format!("{column} to {key} of {table}{}", on_the_way(&source.rule));
        out.push_str(&comment(&format!("not proposed: {rule}: {}", source.reason)));
    }
    out.push_str(&notes(suggestion));
    out
}

/// The tables over which a source leads, and the rows that it is about.
fn on_the_way(rule: &SourceRule) -> String {
    let hops: Vec<&str> = rule.through.iter().map(|hop| hop.table.as_str()).collect();
    let over = if hops.is_empty() { String::new() } else { format!(" over {}", hops.join(", ")) };
    let when: String = rule.when.iter().map(|(column, value)| format!(" where {column} is {value}")).collect();
    over + &when
}

/// What leads to a tenant and is no source yet.
fn notes(suggestion: &TableSuggestion) -> String {
    suggestion.notes.iter().map(|note| comment(&format!("{}: {note}", suggestion.name))).collect()
}

fn comment(text: &str) -> String {
    format!("# {}\n", text.replace(char::is_control, " "))
}

impl Report for SuggestReport {
    const NAME: &'static str = "backfill suggest";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let untold: Vec<&str> =
            self.tables.iter().filter(|table| table.is_untold()).map(|table| table.name.as_str()).collect();
        let untold = (!untold.is_empty()).then(|| format!("Nothing tells the tenant of: {}", untold.join(", ")));
        let notes = |table: &TableSuggestion| {
            table.notes.iter().map(|note| format!("{}: {note}", table.name)).collect::<Vec<_>>()
        };
        let said: Vec<String> = untold.into_iter().chain(self.tables.iter().flat_map(notes)).collect();
        if self.tables.iter().all(|table| table.sources.is_empty()) {
            return match said.is_empty() {
                true => Document::new([paragraph("Nothing is missing.")]),
                false => Document::new([lines(said)]),
            };
        }
        let row = |suggestion: &TableSuggestion, source: &SourceSuggestion| {
            let SourceRule { column, table, key, .. } = &source.rule;
            let verdict = match (source.declared, source.proposed) {
                (true, true) => "has it",
                (true, false) => "has it, doubtful",
                (false, true) => "new",
                (false, false) => "not proposed",
            };
            vec![
                suggestion.name.clone(),
                source.rule.name.clone(),
                format!("{column} to {table}.{key}{}", on_the_way(&source.rule)),
                verdict.to_owned(),
                source.reason.clone(),
            ]
        };
        let rows = self.tables.iter().flat_map(|table| table.sources.iter().map(move |source| row(table, source)));
        let columns = ["table", "source", "column", "tenancy.toml", "reason"].map(text);
        let mut document = Document::new([Table::new(columns, rows).into()]);
        if !said.is_empty() {
            document.push(lines(said));
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use backfill_engine::Basis;
    use tenancy_config::{Ident, TableName};

    use super::*;

    fn source(name: &str, column: &str, declared: bool, proposed: bool) -> SourceSuggestion {
        SourceSuggestion {
            rule: SourceRule::new(name, column, "users"),
            basis: Basis::Guess,
            declared,
            proposed,
            not_null: false,
            values: Some(10),
            values_matched: Some(9),
            resolves: Some(1),
            compared: Some(0),
            agrees: Some(0),
            reason: format!("a reason for {column}"),
        }
    }

    fn report(name: &str, sources: Vec<SourceSuggestion>) -> SuggestReport {
        let table = TableName::new(Ident::new("public").unwrap(), Ident::new(name).unwrap());
        let tables = vec![TableSuggestion {
            table,
            name: name.to_owned(),
            rows_without: Some(1),
            rows_with: Some(0),
            sources,
            notes: Vec::new(),
        }];
        SuggestReport { schema: "backfill-suggest/1", tables, unsuitable: Vec::new() }
    }

    #[test]
    fn what_is_printed_reads_back_and_loses_nothing_that_is_there() {
        let tenancy = Tenancy::default();
        let odd = "odd \"column\"\n# of it";
        let sources = vec![source("new", odd, false, true), source("no", "nobody", false, false)];
        let text = toml(&report("chat_messages", sources), &tenancy, true);
        let read = Tenancy::from_toml(&text, "tenancy.toml".as_ref()).unwrap();
        let rules = &read.tables["chat_messages"];
        assert_eq!((rules.sources.len(), rules.sources[0].column.as_str()), (1, odd));
        assert_eq!(rules.tie_breakers, tenancy.tables["chat_messages"].tie_breakers);
        assert!(text.contains("# not proposed: nobody to id of users: a reason for nobody\n"), "{text}");
    }

    #[test]
    fn where_nothing_is_missing_it_says_so() {
        let report = report("bookings", vec![source("client", "clientId", true, true)]);
        let nothing = "# Nothing is missing: tenancy.toml has every source that was found.\n";
        assert_eq!(toml(&report, &Tenancy::default(), true), nothing);
        let missing = report.clone().missing().document();
        assert_eq!(missing, Document::new([paragraph("Nothing is missing.")]));
        assert!(toml(&report, &Tenancy::default(), false).contains("[tables.bookings]"));
    }
}
