//! What could be sources of each table's tenants, with the reasons.

use serde::Serialize;
use tenancy_config::TableName;
use tenancy_config::tenancy::SourceRule;

/// The suggestions; their JSON is `backfill-suggest/1`.
#[derive(Debug, Clone, Serialize)]
pub struct SuggestReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Every table that a backfill could work on, by name.
    pub tables: Vec<TableSuggestion>,
    /// Tables that none could work on.
    pub unsuitable: Vec<UnsuitableTable>,
}

/// What could be sources of one table.
#[derive(Debug, Clone, Serialize)]
pub struct TableSuggestion {
    /// The table.
    pub table: TableName,
    /// As `tenancy.toml` names it.
    pub name: String,
    /// Rows without a tenant that were looked at, at most 10,000; none where that took too long.
    pub rows_without: Option<u64>,
    /// Other rows that were looked at, at most 10,000.
    pub rows_with: Option<u64>,
    /// Best first.
    pub sources: Vec<SourceSuggestion>,
}

/// A table that cannot be backfilled.
#[derive(Debug, Clone, Serialize)]
pub struct UnsuitableTable {
    /// The table.
    pub table: TableName,
    /// Why not.
    pub why: String,
}

/// What a source rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A foreign key.
    ForeignKey,
    /// A rule in `tenancy.toml` alone.
    Rule,
    /// Values of the column are keys of that table.
    Guess,
}

/// One possible source.
#[derive(Debug, Clone, Serialize)]
pub struct SourceSuggestion {
    /// As `tenancy.toml` has it, or could have it.
    #[serde(flatten)]
    pub rule: SourceRule,
    /// What it rests on.
    pub basis: Basis,
    /// It stands in `tenancy.toml`.
    pub declared: bool,
    /// It is good enough to be written there.
    pub proposed: bool,
    /// The column is NOT NULL.
    pub not_null: bool,
    /// Of a guess: different values of the column that were looked at.
    pub values: Option<u64>,
    /// Of a guess: how many of them are keys of the other table.
    pub values_matched: Option<u64>,
    /// Rows without a tenant for which it names one.
    pub resolves: Option<u64>,
    /// Rows with a tenant for which it names one.
    pub compared: Option<u64>,
    /// The same, where it names theirs.
    pub agrees: Option<u64>,
    /// All of this in words.
    pub reason: String,
}

impl SuggestReport {
    /// Without what `tenancy.toml` has already.
    #[must_use]
    pub fn missing(mut self) -> Self {
        for table in &mut self.tables {
            table.sources.retain(|source| source.is_missing());
        }
        self.tables.retain(|table| !table.sources.is_empty());
        self
    }
}

impl SourceSuggestion {
    /// It should stand in `tenancy.toml`, and does not.
    pub fn is_missing(&self) -> bool {
        self.proposed && !self.declared
    }

    /// Whole percent of the compared rows in which it names their tenant; none were compared: unknown.
    pub(super) fn agreement(&self) -> Option<u64> {
        percent(self.agrees?, self.compared?)
    }

    pub(super) fn words(&self, rows_without: Option<u64>) -> String {
        let mut words = vec![match (self.basis, self.values_matched, self.values) {
            (Basis::ForeignKey, ..) => "foreign key".to_owned(),
            (Basis::Guess, Some(matched), Some(values)) => format!("a guess: {matched} of {values} values match"),
            (Basis::Rule | Basis::Guess, ..) => "a rule of tenancy.toml".to_owned(),
        }];
        if self.not_null {
            words.push("NOT NULL".to_owned());
        }
        match (self.resolves, rows_without) {
            (Some(resolves), Some(without @ 1..)) => {
                words.push(format!("names the tenant of {resolves} of {without} rows without one"));
            }
            (Some(_), _) => {}
            (None, _) => words.push("not measured, it took too long".to_owned()),
        }
        match (self.agrees, self.compared) {
            (Some(agrees), Some(compared @ 1..)) => words.push(format!("agrees with {agrees} of {compared} others")),
            (Some(_), _) => words.push("no row to compare with".to_owned()),
            (None, _) => {}
        }
        words.join(", ")
    }
}

pub(super) fn percent(part: u64, whole: u64) -> Option<u64> {
    (part * 100).checked_div(whole)
}
