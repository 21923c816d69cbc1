//! What a report names beside its tables.

use rls_rollout::RolloutCoverage;
use tenancy_config::TableName;
use tenant_inventory::class::Unhandled;
use tenant_inventory::coverage::Cover;
use tenant_inventory::{MissingPart, OtherType};

use crate::document::block::{Block, List};

/// The tables that a report does not cover, and why, below a heading; nothing where there are none.
pub(super) fn beside(coverage: &RolloutCoverage) -> Option<Block> {
    let mut lines = Vec::new();
    // What stops a table of the report stands with it.
    for table in coverage.coverage.open().filter(|table| !coverage.not_covered.contains(&table.table)) {
        let why = match &table.cover {
            Cover::Dependent { through } => {
                let through: Vec<String> = through.iter().map(ToString::to_string).collect();
                format!("its rows depend on {}", through.join(" → "))
            }
            Cover::Suspect { why } => why.to_string(),
            Cover::Unhandled { column, why } => unhandled(&table.table, column, why),
            // These stand in the table of the report, or below.
            Cover::Covered | Cover::LeftOut | Cover::Exempt { .. } => continue,
        };
        lines.push(format!("{}: {why}", table.table));
    }
    for missing in &coverage.missing {
        match missing.what {
            MissingPart::Table => lines.push(format!("{}: tenancy.toml names it, and it is not there", missing.table)),
            MissingPart::TenantColumn => {
                lines.push(format!("{}: tenancy.toml names it, and it has no tenant column", missing.table));
            }
            // It stands among the classes.
            MissingPart::TrustedOwner => {}
        }
    }
    if !coverage.not_asked_for.is_empty() {
        let names: Vec<String> = coverage.not_asked_for.iter().map(ToString::to_string).collect();
        lines.push(format!("not asked for: {}", names.join(", ")));
    }
    if !coverage.registry.can_be_referenced() {
        lines.push(coverage.registry.to_string());
    }
    List::new("Not covered:", lines).unless_empty()
}

/// Why a table cannot be handled, and what to do where that is known.
fn unhandled(table: &TableName, column: &str, why: &Unhandled) -> String {
    match OtherType::new(table, column, why) {
        Some(other) => format!("{why}; {}", other.hint()),
        None => why.to_string(),
    }
}
