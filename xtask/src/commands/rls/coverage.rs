//! What a report names beside its tables.

use rls_rollout::Coverage;
use tenant_inventory::MissingPart;

use crate::document::text::line;

/// The tables that a report does not cover, and why, below a heading; nothing where there are none.
pub(super) fn beside(coverage: &Coverage) -> String {
    let mut lines = Vec::new();
    for table in &coverage.beside {
        lines.push(format!("{}: {}", table.table, table.class));
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
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.into_iter().map(|text| line(format!("  {text}"))).collect();
    format!("\nNot covered:\n{lines}")
}
