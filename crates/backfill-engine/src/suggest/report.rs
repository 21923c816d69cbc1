//! The report of possible sources, with reasons.

use serde::Serialize;
use tenancy_config::tenancy::SourceRule;
use tenancy_config::{TableName, why_and_cause};

use crate::suggest::notes::SuggestNote;
use crate::unsuitable::Unsuitable;

/// The suggestions. The JSON shape is `backfill-suggest/1`.
#[derive(Debug, Clone, Serialize)]
pub struct SuggestReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Every table that can be backfilled, by name.
    pub tables: Vec<TableSuggestion>,
    /// Tables that cannot be backfilled.
    pub unsuitable: Vec<UnsuitableTable>,
}

/// The possible sources of one table.
#[derive(Debug, Clone, Serialize)]
pub struct TableSuggestion {
    /// The table.
    pub table: TableName,
    /// Its name in `tenancy.toml`.
    pub name: String,
    /// Rows without a tenant that were examined, at most 10,000; none if that took too long.
    pub rows_without: Option<u64>,
    /// Other rows that were examined, at most 10,000.
    pub rows_with: Option<u64>,
    /// The sources, best first.
    pub sources: Vec<SourceSuggestion>,
    /// What leads to a tenant and is no source yet.
    pub notes: Vec<SuggestNote>,
}

impl TableSuggestion {
    /// Nothing was found that tells the tenant of its rows.
    pub fn is_untold(&self) -> bool {
        self.sources.is_empty()
    }
}

/// A table that cannot be backfilled.
#[derive(Debug, Clone, Serialize)]
pub struct UnsuitableTable {
    /// The table.
    pub table: TableName,
    /// Why not.
    #[serde(flatten, serialize_with = "why_and_cause")]
    pub cause: Unsuitable,
}

/// The basis of a suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A foreign key.
    ForeignKey,
    /// A rule in `tenancy.toml` alone.
    Rule,
    /// Values of the column that are keys of the table.
    Guess,
    /// Foreign keys over tables without a tenant column.
    Hops,
    /// A foreign key of the other table that points here.
    PointedTo,
    /// The memberships of the user that a column points to.
    Membership,
}

/// One possible source.
#[derive(Debug, Clone, Serialize)]
pub struct SourceSuggestion {
    /// The rule that is in `tenancy.toml`, or could be.
    #[serde(flatten)]
    pub rule: SourceRule,
    /// The basis.
    pub basis: Basis,
    /// The rule is in `tenancy.toml`.
    pub declared: bool,
    /// The source is good enough to be added to `tenancy.toml`.
    pub proposed: bool,
    /// The column is NOT NULL.
    pub not_null: bool,
    /// For a guess: distinct values of the column that were examined.
    pub values: Option<u64>,
    /// For a guess: how many of these values are keys of the other table.
    pub values_matched: Option<u64>,
    /// Rows without a tenant for which the source names one.
    pub resolves: Option<u64>,
    /// Rows with a tenant for which the source names one.
    pub compared: Option<u64>,
    /// Rows with a tenant for which the source names the same one.
    pub agrees: Option<u64>,
    /// The reasons in words.
    pub reason: String,
}

impl SuggestReport {
    /// The report without sources that `tenancy.toml` has already. Tables of which nothing tells the tenant stay.
    #[must_use]
    pub fn missing(mut self) -> Self {
        self.tables.retain(|table| table.is_untold() || table.sources.iter().any(SourceSuggestion::is_missing));
        for table in &mut self.tables {
            table.sources.retain(|source| source.is_missing());
        }
        self
    }
}

impl SourceSuggestion {
    /// Whether the source should be in `tenancy.toml` and is not.
    pub fn is_missing(&self) -> bool {
        self.proposed && !self.declared
    }

    /// The share of compared rows in which the source names their tenant, in whole percent; none if no row was
    /// compared.
    pub(super) fn agreement(&self) -> Option<u64> {
        percent(self.agrees?, self.compared?)
    }

    pub(super) fn words(&self, rows_without: Option<u64>) -> String {
        let mut words = vec![match (self.basis, self.values_matched, self.values) {
            (Basis::ForeignKey, ..) => "foreign key".to_owned(),
            (Basis::Guess, Some(matched), Some(values)) => format!("a guess: {matched} of {values} values match"),
            (Basis::Hops, ..) => "foreign keys over tables without a tenant column".to_owned(),
            (Basis::PointedTo, ..) => "a foreign key that points here".to_owned(),
            (Basis::Membership, ..) => "memberships of that user".to_owned(),
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
            (None, _) => words.push("not measured".to_owned()),
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
