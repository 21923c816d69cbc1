//! Lists in the texts of errors.

use std::fmt::Display;

use tenancy_config::{Hint, Ident, TableName, UserError};
use tenant_inventory::Member;

use crate::blocker::Blocker;
use crate::run::check::Check;

pub(crate) fn every(errors: &[impl Display]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

pub(crate) fn lost(columns: &[(TableName, Ident)]) -> String {
    let of_table = |(table, column): &(TableName, Ident)| {
        format!(
            "{table} has rows with a tenant that the rows that they point to do not tell, and dropping {column} would lose it"
        )
    };
    columns.iter().map(of_table).collect::<Vec<_>>().join("; ")
}

/// What to do about each, said once.
pub(crate) fn every_hint(errors: &[impl UserError]) -> Option<Hint> {
    let mut hints: Vec<Hint> = Vec::new();
    for hint in errors.iter().filter_map(UserError::hint) {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    hints.into_iter().reduce(|all, next| all.then("; ").then_hint(next))
}

pub(crate) fn others(tables: &[Member]) -> String {
    let belongs = |member: &Member| {
        format!("{} belongs to {}, and this login may not change its definition", member.table, member.owner)
    };
    tables.iter().map(belongs).collect::<Vec<_>>().join("; ")
}

pub(crate) fn said(checks: &[Check]) -> String {
    checks.iter().map(Check::says).collect::<Vec<_>>().join("; ")
}

pub(crate) fn by(table: &TableName, blockers: &[Blocker]) -> String {
    if blockers.is_empty() {
        return String::new();
    }
    format!(" by {}", blockers.iter().map(|blocker| blocker.beside(table)).collect::<Vec<_>>().join("; "))
}
